package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/netip"
	"os"
	"slices"
	"time"

	"faultline"
	"faultline/internal/app"
	"faultline/internal/netinfo"
)

// draw is one file of the generator's index.
type draw struct {
	File, Scenario string
	Forged         bool
}

// verdicts sums what came of the draws of a scenario.
type verdicts struct {
	forged                              bool
	draws, possible, confirmed, flagged int
}

func (v *verdicts) String() string {
	return fmt.Sprintf("of %d: %d possible or more, %d confirmed, %d flagged", v.draws, v.possible, v.confirmed, v.flagged)
}

func (v *verdicts) ok() bool {
	if v.confirmed > 0 {
		return false
	}
	return v.forged || v.possible == v.draws
}

// request is a line of the generator.
type request struct {
	At      time.Time
	Address netip.Addr
	Report  struct {
		Service string
		Symptom faultline.Symptom
		Surface faultline.Surface
		Since   *time.Time
		Works   bool
	}
}

// add takes one draw through the chain. Addresses become what the intake makes
// of them: a place, and hashes of person and network.
func (v *verdicts) add(file string) error {
	geo, err := netinfo.Open(netinfo.Options{})
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	chain := app.NewChain(app.ChainConfigOf(app.DefaultConfig()))
	state := &abuseRun{chain: chain}
	in := bufio.NewScanner(f)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		state.until(r.At)
		state.report(r, geo)
	}
	state.until(state.clock.Add(3 * time.Hour))
	v.draws++
	if state.worst >= 1 {
		v.possible++
	}
	if state.worst == 2 {
		v.confirmed++
	}
	if state.flagged {
		v.flagged++
	}
	return in.Err()
}

// abuseRun drives a chain with heartbeats every ten seconds.
type abuseRun struct {
	chain   *app.Chain
	clock   time.Time
	frame   uint64
	worst   int // 1 possible, 2 confirmed
	flagged bool
}

func (a *abuseRun) step(at time.Time, p faultline.Payload) {
	a.frame++
	out := a.chain.Step(&faultline.Observation{Position: faultline.Position{Frame: a.frame}, At: at, Received: at, Origin: faultline.Simulated, Payload: p})
	for _, i := range out.Incidents {
		a.worst = max(a.worst, 1)
		if i.Worst == faultline.Confirmed {
			a.worst = 2
		}
		a.flagged = a.flagged || slices.Contains(i.Flags, "brigade")
	}
}

func (a *abuseRun) until(t time.Time) {
	if a.clock.IsZero() {
		a.clock = t.Add(-time.Minute).Truncate(10 * time.Second)
	}
	for next := a.clock.Add(10 * time.Second); !next.After(t); next = next.Add(10 * time.Second) {
		a.step(next, &faultline.Heartbeat{Collector: faultline.CollectorReports, From: a.clock})
		a.clock = next
	}
}

func (a *abuseRun) report(r request, geo *netinfo.DB) {
	p := &faultline.Report{
		Service: faultline.ServiceID(r.Report.Service), Symptom: r.Report.Symptom, Surface: r.Report.Surface, Works: r.Report.Works,
		Place: geo.Lookup(r.Address), Reporter: hashed(r.Address.AsSlice()), Network: hashed(r.Address.AsSlice()[:3]),
	}
	if r.Report.Since != nil {
		p.Since = *r.Report.Since
	}
	a.step(r.At, p)
}

func hashed(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return binary.BigEndian.Uint64(h.Sum(nil))
}
