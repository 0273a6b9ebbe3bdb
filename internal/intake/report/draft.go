package report

import (
	"fmt"
	"strings"
	"time"

	"faultline"
	"faultline/internal/netinfo"
)

// draft is a report as it was sent: every field as bytes of the request, not
// yet checked. A field that was not sent is nil.
type draft struct {
	service, symptom, surface, since, country []byte
	works                                     bool
}

// How far a stated beginning may lie from the present.
const (
	maxSkew = 5 * time.Minute // a client's clock may be fast
	maxAge  = 24 * time.Hour
)

// report checks everything but the time, which a retry may have outlived.
func (h *Handler) report(d *draft) (*faultline.Report, *Problem) {
	r := &faultline.Report{Works: d.works}
	if p := h.setService(r, d); p != nil {
		return nil, p
	}
	if p := setSymptom(r, d); p != nil {
		return nil, p
	}
	if p := setSurface(r, d); p != nil {
		return nil, p
	}
	if p := setSince(r, d); p != nil {
		return nil, p
	}
	return r, setCountry(r, d)
}

func (h *Handler) setService(r *faultline.Report, d *draft) *Problem {
	if d.service == nil {
		return wrong(ReasonMissing, "service", "service is missing: give the id of a service, as \"x\"")
	}
	id, ok := h.Catalogue.Known(d.service)
	if ok {
		r.Service = id
		return nil
	}
	p := wrong(ReasonService, "service", "no service has the id %s", quoted(d.service))
	if near := h.Catalogue.Nearest(string(d.service)); len(near) > 0 {
		names := make([]string, len(near))
		for i, id := range near {
			names[i] = string(id)
		}
		p.Detail += "; did you mean " + strings.Join(names, ", ") + "?"
	}
	return p
}

func setSymptom(r *faultline.Report, d *draft) *Problem {
	if d.works {
		if d.symptom != nil {
			return wrong(ReasonWorks, "works", "it works, or it has a symptom: leave one of them out")
		}
		return nil
	}
	if d.symptom == nil {
		return wrong(ReasonMissing, "symptom", "symptom is missing: give one of %s, or works: true", list(faultline.Symptoms()))
	}
	for _, s := range faultline.Symptoms() {
		if string(d.symptom) == string(s) {
			r.Symptom = s
			return nil
		}
	}
	return wrong(ReasonSymptom, "symptom", "symptom %s is not known: give one of %s", quoted(d.symptom), list(faultline.Symptoms()))
}

func setSurface(r *faultline.Report, d *draft) *Problem {
	if d.surface == nil {
		return wrong(ReasonMissing, "surface", "surface is missing: give one of %s", list(faultline.Surfaces()))
	}
	for _, s := range faultline.Surfaces() {
		if string(d.surface) == string(s) {
			r.Surface = s
			return nil
		}
	}
	return wrong(ReasonSurface, "surface", "surface %s is not known: give one of %s", quoted(d.surface), list(faultline.Surfaces()))
}

func setSince(r *faultline.Report, d *draft) *Problem {
	if d.since == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(d.since))
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return wrong(ReasonSince, "since", "since %s is not a time: give RFC 3339, as 2025-03-10T14:00:00Z", quoted(d.since))
	}
	r.Since = t.UTC().Truncate(time.Second)
	return nil
}

// setCountry keeps the stated country until the looked-up one is known.
func setCountry(r *faultline.Report, d *draft) *Problem {
	if d.country == nil {
		return nil
	}
	if c, ok := netinfo.Country(d.country); ok {
		r.Country = c
		return nil
	}
	reason := ReasonCountryUnknown
	if len(d.country) != 2 {
		reason = ReasonCountry
	}
	if c := netinfo.MeantCountry(d.country); c != "" {
		return wrong(reason, "country", "country %s is not a code of ISO 3166-1: did you mean %s?", quoted(d.country), c)
	}
	return wrong(reason, "country", "country %s is not a code of ISO 3166-1: give the two letters of a country, as GB, or leave it out", quoted(d.country))
}

// checkSince refuses a beginning that a person reporting now cannot mean.
func checkSince(r *faultline.Report, now time.Time) *Problem {
	switch {
	case r.Since.IsZero():
		return nil
	case r.Since.After(now.Add(maxSkew)):
		return wrong(ReasonFuture, "since", "since is in the future, %s from now: %s", roughly(r.Since.Sub(now)), allowed(now))
	case r.Since.Before(now.Add(-maxAge)):
		return wrong(ReasonOld, "since", "since is too long ago, %s: %s", roughly(now.Sub(r.Since)), allowed(now))
	}
	return nil
}

// allowed says which beginnings are taken, and by which clock.
func allowed(now time.Time) string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return fmt.Sprintf("give a time between %s and %s (it is %s here), or leave it out", at(now.Add(-maxAge)), at(now.Add(maxSkew)), at(now))
}

// roughly writes a length of time in the one unit that a person would use.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{365 * 24 * time.Hour, "a year", "years"}, {24 * time.Hour, "a day", "days"}, {time.Hour, "an hour", "hours"}, {time.Minute, "a minute", "minutes"}} {
		switch n := d.Round(u.of) / u.of; {
		case d < u.of:
		case n == 1:
			return "about " + u.one
		default:
			return fmt.Sprintf("about %d %s", n, u.many)
		}
	}
	return "less than a minute"
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return fmt.Sprintf("%s or %s", strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
}
