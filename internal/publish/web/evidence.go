package web

import (
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// jsonEvent is what a detector found in one series, as published: without the
// positions of the observations behind it, and without counts below three.
type jsonEvent struct {
	ID        string               `json:"id"`
	Revision  int                  `json:"revision"`
	By        string               `json:"by"`
	Kind      faultline.EventKind  `json:"kind"`
	State     faultline.EventState `json:"state"`
	Text      string               `json:"text"`
	Metric    faultline.Metric     `json:"metric"`
	Country   faultline.Country    `json:"country,omitempty"`
	ASN       faultline.ASN        `json:"asn,omitempty"`
	Symptom   faultline.Symptom    `json:"symptom,omitempty"`
	Surface   faultline.Surface    `json:"surface,omitempty"`
	Vantage   string               `json:"vantage,omitempty"`
	Target    string               `json:"target,omitempty"`
	Opened    time.Time            `json:"opened"`
	Onset     time.Time            `json:"onset"`
	OnsetLow  time.Time            `json:"onset_low"`
	OnsetHigh time.Time            `json:"onset_high"`
	End       time.Time            `json:"end,omitzero"`
	Peak      *jsonPeak            `json:"peak,omitempty"`
	LogP      float64              `json:"log_p"`
	Reporters int                  `json:"reporters,omitempty"`
	Networks  int                  `json:"networks,omitempty"`
	Failure   faultline.Failure    `json:"failure,omitempty"`
	Op        faultline.Op         `json:"op,omitempty"`
	Failed    int                  `json:"failed_in_a_row,omitempty"`
	Working   *faultline.Working   `json:"working,omitempty"`
	Origin    faultline.Origin     `json:"origin"`
}

// jsonPeak is the largest count of a surge.
type jsonPeak struct {
	At    time.Time         `json:"at"`
	Value float64           `json:"value"`
	Usual float64           `json:"usual"`
	Width faultline.Seconds `json:"width_s"`
}

// evidenceOf lists the events that an incident names and that are still in
// memory, newest onset first.
func evidenceOf(v *live.View, i *faultline.Incident) []jsonEvent {
	out := []jsonEvent{}
	svc := v.Service(i.Service)
	if svc == nil {
		return out
	}
	for k := range svc.Events {
		if e := &svc.Events[k]; slices.Contains(i.Events, e.ID) {
			out = append(out, eventOf(e))
		}
	}
	return out
}

func eventOf(e *faultline.Event) jsonEvent {
	j := jsonEvent{
		ID: e.ID, Revision: e.Revision, By: e.By, Kind: e.Kind, State: e.State, Text: words.Event(e),
		Metric: e.Series.Metric, Country: e.Series.Country, ASN: e.Series.ASN, Symptom: e.Series.Symptom, Surface: e.Series.Surface, Vantage: e.Series.Vantage, Target: e.Series.Target,
		Opened: e.Opened, Onset: e.Onset, OnsetLow: e.OnsetLow, OnsetHigh: e.OnsetHigh, End: e.End, LogP: e.LogP,
		Failure: e.Failure, Op: e.Op, Failed: e.Failed, Working: publishedWorking(e.Working), Origin: e.Origin,
	}
	if e.PeakValue >= live.MinReporters {
		j.Peak = &jsonPeak{e.Peak, e.PeakValue, e.PeakUsual, e.PeakWidth}
	}
	if e.Reporters >= live.MinReporters {
		j.Reporters, j.Networks = e.Reporters, e.Networks
	}
	return j
}

// evidence says what an event is, or nothing if it is not in memory any more.
func evidence(svc *live.Service, id string) string {
	if svc == nil {
		return ""
	}
	for k := range svc.Events {
		if e := &svc.Events[k]; e.ID == id {
			return words.Event(e)
		}
	}
	return ""
}
