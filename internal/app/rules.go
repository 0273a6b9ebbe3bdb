package app

import (
	"faultline/internal/detect/nbscan"
	"faultline/internal/detect/partial"
	"faultline/internal/publish/web"
)

// methodRules is what the page about method says: the numbers in effect. Those
// that nobody can set are the page's own, and a test holds them against the rooms.
func methodRules(c Config) web.Rules {
	r := web.DefaultRules()
	scan, checks, i := nbscan.Defaults(), partial.Defaults(), c.Incident
	r.OddLogP, r.PossibleLogP = scan.Odd, scan.Open
	r.OddReporters, r.PossibleReporters, r.PossibleNetworks, r.YoungReporters = scan.Reporters, scan.Reporters, scan.Networks, scan.YoungReporters
	r.FailedChecks, r.SometimesLogP, r.OneVantage = checks.Reach.Open, checks.Scan.Open, i.ConfirmWithOneVantage
	r.RecoverReports, r.RecoverChecks, r.Resolve, r.Reopen = i.RecoverReports, i.RecoverChecks, i.Resolve, i.Reopen
	r.Interval, r.Urgent, r.Second = c.Probe.Interval, c.Probe.Urgent, c.Probe.Second
	return r
}
