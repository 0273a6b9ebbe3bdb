package web

import "time"

// Rules are the numbers that the page about method states. They belong to other
// rooms, which this one does not know: whoever wires the program says what is in
// effect, and tests hold DefaultRules against the rooms.
type Rules struct {
	// Who counts.
	PersonOnce   time.Duration // a person counts once in
	NetworkFloor int           // people of one network, /24 or /56, in PersonOnce
	NetworkTimes float64       // or that many times its usual number
	ASNShare     float64       // of all other providers together, in the world's numbers
	ASNTimes     float64       // or that many times its usual share
	ASNFloor     int           // people in PersonOnce that a provider may always bring
	Late         time.Duration // a late report still corrects a minute

	// What is usual.
	Frozen time.Duration // what is abnormal for longer has become usual
	Young  time.Duration // age at which hours of the day are believed
	Told   time.Duration // after which a young surge has to show that it began, and did not only go on

	// What is unusual: −log10 p, effective reporters, networks.
	OddLogP, PossibleLogP           float64
	OddReporters, PossibleReporters int
	PossibleNetworks                int
	YoungReporters                  int

	// Checks.
	Interval, Urgent, Second time.Duration // between checks, while something is wrong, to the second attempt
	FailedChecks             int           // in a row, each with its second attempt
	SometimesLogP            float64       // −log10 p at which a share of failed checks is listed
	OneVantage               bool          // whether one vantage point may confirm
	OneVantageChecks         int
	QuorumVantages           int
	QuorumASNs               int
	QuorumShare              float64 // of healthy groups, at the same step
	Agree                    time.Duration

	// What stands out: the least share of what is above usual, times its usual share,
	// and standard deviations from what chance brings.
	SymptomShare, SymptomTimes, SymptomRare float64
	SurfaceShare, SurfaceTimes, SurfaceRare float64

	// The share of users who are hit.
	HitReadier float64 // times more readily than others people who are hit speak up, at most
	HitOthers  int     // people who are not hit that must be on record
	HitGroups  int     // networks with healthy vantage points that checks need

	// The end.
	RecoverReports time.Duration
	RecoverChecks  int
	Resolve        time.Duration
	Reopen         time.Duration
	Unheard        time.Duration
}

// DefaultRules are what runs without a configuration file.
func DefaultRules() Rules {
	return Rules{
		PersonOnce: 10 * time.Minute, NetworkFloor: 3, NetworkTimes: 4, ASNShare: 0.2, ASNTimes: 2, ASNFloor: 10, Late: 30 * time.Minute,
		Frozen: 48 * time.Hour, Young: 3 * 24 * time.Hour, Told: time.Hour,
		OddLogP: 4, OddReporters: 5, PossibleLogP: 6, PossibleReporters: 5, PossibleNetworks: 3, YoungReporters: 20,
		Interval: time.Minute, Urgent: 10 * time.Second, Second: time.Second, FailedChecks: 2, SometimesLogP: 6, OneVantageChecks: 3,
		QuorumVantages: 3, QuorumASNs: 2, QuorumShare: 0.5, Agree: 15 * time.Minute,
		SymptomShare: 0.6, SymptomTimes: 2, SymptomRare: 4, SurfaceShare: 0.8, SurfaceTimes: 1.3, SurfaceRare: 3,
		HitReadier: 1000, HitOthers: 5, HitGroups: 2,
		RecoverReports: 10 * time.Minute, RecoverChecks: 3, Resolve: 30 * time.Minute, Reopen: 6 * time.Hour, Unheard: 24 * time.Hour,
	}
}
