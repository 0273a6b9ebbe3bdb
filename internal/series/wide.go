package series

import (
	"maps"
	"math"
	"slices"

	"faultline"
)

// In the world's series one ASN must not speak for everybody: a hosting
// network with thousands of addresses passes every cap per network. Over ten
// minutes it counts for at most
//
//	max(ASNFloor, ASNShare × O, 2s/(1−2s) × O)     (for ASNTimes 2)
//
// where O is what the others kept and s its usual share: the last term is the
// count at which its share of the result is ASNTimes times the usual one. What
// is over is taken off evenly, by scaling each of its minutes, so that a cap
// does not draw edges into the series. ASN 0 is "unknown", not a network, and
// has no cap. Inside its own country and ASN there is none either: an outage
// of the provider that carries 90 % of a country must be found.

// shares is what each ASN usually brings to the world's series. Each hour with
// reports has one vote, however many reports it held, so that a flood cannot
// teach in minutes that it is usual. Votes fade with ASNMemory and are brought
// up to date when touched.
type shares struct {
	asns  map[faultline.ASN]share // sum of the ASN's shares of the hours
	hours share                   // number of hours
	hour  int64                   // being counted
	now   map[faultline.ASN]float64
}

type share struct {
	votes float64
	hour  int64
}

// maxShares bounds the tables; there are about 80,000 ASNs in the world.
const maxShares = 20_000

// knownHours is how many hours must have voted before usual shares are believed.
const knownHours = 12

func newShares() shares {
	return shares{asns: map[faultline.ASN]share{}, now: map[faultline.ASN]float64{}}
}

func (h share) at(c *Config, hour int64) float64 {
	if hour <= h.hour || h.votes == 0 {
		return h.votes
	}
	return h.votes * decay(min(1, 1/c.ASNMemory.Hours()), hour-h.hour)
}

func (h share) plus(c *Config, hour int64, n float64) share {
	return share{h.at(c, hour) + n, hour}
}

// usual is an ASN's share of the whole, 0 to 1; 0 while too little is known.
func (h *shares) usual(c *Config, asn faultline.ASN, minute int64) float64 {
	hours := h.hours.at(c, minute/60)
	if hours < knownHours {
		return 0
	}
	return min(1, h.asns[asn].at(c, minute/60)/hours)
}

// learn adds what an ASN kept in a minute to the present hour.
func (h *shares) learn(c *Config, asn faultline.ASN, minute int64, n float64) {
	if hour := minute / 60; hour != h.hour {
		h.vote(c)
		h.hour = hour
	}
	if _, known := h.now[asn]; known || len(h.now) < maxShares {
		h.now[asn] += n
	}
}

// vote ends an hour.
func (h *shares) vote(c *Config) {
	asns, total := slices.Sorted(maps.Keys(h.now)), 0.0
	for _, a := range asns {
		total += h.now[a]
	}
	if total == 0 {
		return
	}
	h.hours = h.hours.plus(c, h.hour, 1)
	for _, a := range asns {
		if old, known := h.asns[a]; known || len(h.asns) < maxShares {
			h.asns[a] = old.plus(c, h.hour, h.now[a]/total)
		}
	}
	clear(h.now)
}

// forget drops the ASNs that are hardly seen.
func (h *shares) forget(c *Config, minute int64) {
	maps.DeleteFunc(h.asns, func(_ faultline.ASN, s share) bool { return s.at(c, minute/60) < 1e-4 })
}

// asnCount is what one ASN kept, in this minute and in the ten up to it.
type asnCount struct {
	asn       faultline.ASN
	now, ten  float64
	nets      int32
	effective float64 // of now, after the cap
}

// wide caps the ASNs of a minute; the result is sorted by ASN.
func (s *service) wide(c *Config, minute int64) []asnCount {
	counts := s.byASN(minute)
	total := 0.0
	for i := range counts {
		total += counts[i].ten
	}
	for i := range counts {
		a := &counts[i]
		a.effective = a.now
		if limit := s.asnLimit(c, a, total, minute); a.ten > limit {
			a.effective = a.now * limit / a.ten
		}
	}
	return counts
}

func (s *service) asnLimit(c *Config, a *asnCount, total float64, minute int64) float64 {
	if a.asn == 0 {
		return math.MaxFloat64
	}
	others := total - a.ten
	limit := max(float64(c.ASNFloor), c.ASNShare*others)
	twice := c.ASNTimes * s.shares.usual(c, a.asn, minute)
	if twice >= 1 {
		return math.MaxFloat64
	}
	return max(limit, twice/(1-twice)*others)
}

// byASN sums the kept reports of ten minutes.
func (s *service) byASN(minute int64) []asnCount {
	var all []asnCount
	for m := minute - windowMinutes + 1; m <= minute; m++ {
		b := s.bins[m]
		if b == nil {
			continue
		}
		for i := range b.leaves {
			l := &b.leaves[i]
			a := asnCount{asn: asnOf(l.key), ten: float64(l.kept)}
			if m == minute {
				a.now, a.nets = a.ten, l.networks
			}
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b asnCount) int { return compareKeys(uint64(a.asn), uint64(b.asn)) })
	return merge(all)
}

// merge adds up neighbours of the same ASN.
func merge(all []asnCount) []asnCount {
	n := 0
	for _, a := range all {
		if n > 0 && all[n-1].asn == a.asn {
			all[n-1].now += a.now
			all[n-1].ten += a.ten
			all[n-1].nets += a.nets
			continue
		}
		all[n] = a
		n++
	}
	return all[:n]
}
