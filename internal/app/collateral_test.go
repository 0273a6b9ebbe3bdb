package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"faultline"
)

// companion is a published case in which healthy parties were called down.
type companion struct {
	truth   faultline.ServiceID
	carried []faultline.ServiceID // out of reach because of it
	healthy []faultline.ServiceID // only blamed
}

var companions = map[string]companion{
	"2020-06-15-t-mobile": {"t-mobile-us", nil, []faultline.ServiceID{"verizon", "att", "comcast-xfinity", "facebook", "twitch", "chase"}},
	"2021-10-04-facebook": {"facebook", []faultline.ServiceID{"instagram", "whatsapp"}, []faultline.ServiceID{"t-mobile-us", "verizon", "att", "bt", "virgin-media", "sky-broadband"}},
	"2023-03-06-twitter":  {"x", nil, []faultline.ServiceID{"comcast-xfinity", "verizon"}},
	"2024-08-13-x-spaces": {"x-spaces", nil, []faultline.ServiceID{"x"}},
	"2025-11-18-cloudflare": {
		"cloudflare", []faultline.ServiceID{"x", "chatgpt", "canva", "league-of-legends"}, []faultline.ServiceID{"facebook", "aws"},
	},
	"2026-01-16-x": {"x", nil, []faultline.ServiceID{"cloudflare"}},
	"2026-02-16-x": {"x", nil, []faultline.ServiceID{"cloudflare", "aws"}},
}

// The bars of the companion cases, over every revision that was published: no
// healthy party is called down, and the true party is named in the end.
func TestCompanionsNameTheTrueParty(t *testing.T) {
	const mostDown, leastNamed = 0, 7
	var players sync.WaitGroup
	for name := range companions {
		players.Go(func() { recorded(name) })
	}
	players.Wait()
	down, named := 0, 0
	for name, c := range companions {
		all := revisionsOf(t, name)
		for i := range all {
			if why := calledDown(&all[i], c); why != "" {
				down++
				t.Errorf("%s: %s@%d: %s", name, all[i].ID, all[i].Revision, why)
			}
		}
		if missing := unnamed(all, c); len(missing) == 0 {
			named++
		} else {
			t.Logf("%s: %s is not named in the end on %v", name, c.truth, missing)
		}
	}
	t.Logf("healthy parties called down: %d; true party named in %d of %d cases", down, named, len(companions))
	if down > mostDown || named < leastNamed {
		t.Errorf("called down %d, at most %d; named %d, at least %d", down, mostDown, named, leastNamed)
	}
}

// calledDown says in which way a revision accuses a healthy party, or "".
func calledDown(i *faultline.Incident, c companion) string {
	b := i.Blame
	healthy := slices.Contains(c.healthy, i.Service)
	switch {
	case healthy && i.Worst == faultline.Confirmed:
		return "is healthy, and confirmed"
	case b == nil:
		return ""
	case b.Role == faultline.RoleOrigin && i.Service != c.truth:
		return "is not the origin"
	case b.Party.IsZero():
		return ""
	case b.Party.Service != c.truth && b.Basis != faultline.BasisReports:
		return "a wrong party is called measured: " + b.Party.Name
	}
	return ""
}

// unnamed lists the incidents whose last word names another than the true party.
func unnamed(all []faultline.Incident, c companion) (missing []string) {
	last := map[string]*faultline.Incident{}
	for i := range all {
		last[all[i].ID] = &all[i]
	}
	for id, i := range last {
		if i.Blame == nil || i.Blame.Party.Service != c.truth {
			missing = append(missing, id)
		}
	}
	return missing
}

// revisionsOf are all revisions of a recorded day's incidents.
func revisionsOf(t *testing.T, name string) (all []faultline.Incident) {
	t.Helper()
	for line := range bytes.Lines(recorded(name).files["incidents"].Bytes()) {
		var i faultline.Incident
		if err := json.Unmarshal(line, &i); err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
	}
	return all
}

// last gives the newest revision of each service's incident.
func last(t *testing.T, sum Replayed) map[faultline.ServiceID]faultline.Incident {
	t.Helper()
	out := map[faultline.ServiceID]faultline.Incident{}
	for _, i := range sum.Incidents {
		out[i.Service] = i
	}
	return out
}

// lookLikeTheCase holds the last words of a companion case.
func lookLikeTheCase(t *testing.T, sum Replayed) {
	c := companions[sum.Scenario]
	for id, i := range last(t, sum) {
		want := []faultline.Role{faultline.RoleBlamed, faultline.RoleCollateral}
		switch {
		case id == c.truth:
			want = []faultline.Role{faultline.RoleOrigin, faultline.RoleUndetermined}
		case slices.Contains(c.carried, id):
			want = []faultline.Role{faultline.RoleCollateral}
		}
		if i.Blame == nil || !slices.Contains(want, i.Blame.Role) || i.Origin != faultline.Reconstructed {
			t.Errorf("%s (%s): %+v, want one of %v", id, i.Origin, i.Blame, want)
		}
	}
}

// named checks who is named, by what, and the role of each service.
func named(party string, basis faultline.Basis, origin faultline.ServiceID, incidents int) func(*testing.T, Replayed) {
	return func(t *testing.T, sum Replayed) {
		if len(sum.Incidents) != incidents {
			t.Errorf("%d incidents, want %d", len(sum.Incidents), incidents)
		}
		for id, i := range last(t, sum) {
			want := faultline.RoleCollateral
			if id == origin {
				want = faultline.RoleOrigin
			}
			if b := i.Blame; b == nil || b.Party.Name != party || b.Basis != basis || b.Role != want {
				t.Errorf("%s: %+v, want %s by %s, %s", id, b, party, basis, want)
			}
		}
	}
}

// forged is a brigade: never confirmed, flagged, and nobody is named.
func forged(t *testing.T, sum Replayed) {
	if len(sum.Incidents) != 1 {
		t.Fatalf("%d incidents, want one", len(sum.Incidents))
	}
	i := sum.Incidents[0]
	if i.Worst != faultline.Possible || !slices.Contains(i.Flags, "brigade") {
		t.Errorf("at worst %s, flags %v", i.Worst, i.Flags)
	}
	if b := i.Blame; b == nil || !b.Party.IsZero() || b.Role != faultline.RoleUndetermined {
		t.Errorf("%+v, want nobody named", i.Blame)
	}
}
