package faultline

import "time"

// Rule says which test an event passed.
type Rule string

// The rules. TailRule and DropRule compare a window of counts with what is
// usual; YoungRule does so while too little is known of what is usual, and asks
// for many people instead of a small p.
const (
	TailRule   Rule = "tail"
	DropRule   Rule = "drop"
	YoungRule  Rule = "young"
	ViewsRule  Rule = "views"
	FailedRule Rule = "failed_in_a_row"
)

// Working is the arithmetic behind an event: what was compared with what at the
// moment of the strongest evidence so far, and what it had to pass. With it a
// reader can follow by hand why the event was opened. It is never changed in
// place: a later revision has a Working of its own.
type Working struct {
	At   time.Time `json:"at"` // data time: the end of the newest bin, or of the check
	Rule Rule      `json:"rule"`
	Age  Seconds   `json:"baseline_age_s"` // how much history stood behind what is usual
	// Windows are those that were tested, shortest first, six at most. Best is the
	// place of the one that decided.
	Windows []Window `json:"windows,omitempty"`
	Best    int      `json:"best,omitempty"`
	// Hour is what the hour of the week alone holds in HourWidth; Level is the
	// factor by which the series lies above or below its hours now.
	Hour      float64 `json:"hour_usual,omitempty"`
	HourWidth Seconds `json:"hour_width_s,omitempty"`
	Level     float64 `json:"level,omitempty"`
	// From nominal to calibrated −log10 p: Choice is taken off because the best of
	// several windows was chosen, 2 is worth TailAt (−log10 of how often the series'
	// own quiet time is above it), the part above 2 is divided by Slope, by which
	// that quiet time is wider than the model, and Youth is taken off while the
	// baseline is young.
	Choice float64 `json:"choice,omitempty"`
	TailAt float64 `json:"tail_at,omitempty"`
	Slope  float64 `json:"tail_slope,omitempty"`
	Youth  float64 `json:"youth,omitempty"`
	// Effective reporters and networks in the window that decided.
	Reporters int `json:"reporters,omitempty"`
	Networks  int `json:"networks,omitempty"`
	// Views are what a gauge's views said, the strangest of each aspect.
	Views []View `json:"views,omitempty"`
	Needs Needs  `json:"needs"`
}

// Window is one stretch of counts that ended at the moment of the test.
type Window struct {
	Width   Seconds `json:"width_s"`
	Seen    float64 `json:"seen"`    // reports in it
	Counted float64 `json:"counted"` // of those, so that one lone bin does not fire a long window
	Usual   float64 `json:"usual"`   // what is usual in it
	Against float64 `json:"against"` // what Counted was compared with: Usual, more after a quiet time, less for a drop
	// Phi is the dispersion: the variance is Against + Phi·Against².
	Phi        float64 `json:"phi"`
	LogP       float64 `json:"log_p"`      // nominal, by the negative binomial law; 0: nothing unusual, or not tested
	Calibrated float64 `json:"calibrated"` // what is left of it
}

// View is what one way of looking at a gauge said.
type View struct {
	Of   string  `json:"of"`
	LogP float64 `json:"log_p"` // −log10 of its rank among all that the series has shown
}

// Needs is what an event of the rule has to have.
type Needs struct {
	LogP      float64 `json:"log_p,omitempty"` // calibrated; for the young rule nominal
	Reporters int     `json:"reporters,omitempty"`
	Networks  int     `json:"networks,omitempty"`
	Failed    int     `json:"failed_in_a_row,omitempty"` // checks, both attempts
}

// Decided is the window that decided; ok is false where no window did.
func (w *Working) Decided() (win Window, ok bool) {
	if w == nil || w.Best < 0 || w.Best >= len(w.Windows) {
		return Window{}, false
	}
	return w.Windows[w.Best], true
}
