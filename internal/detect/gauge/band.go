package gauge

import "math"

// band is a plain model of what to expect: a level (exponentially weighted, a
// day) plus an offset by hour of day; the spread is the exponentially weighted
// mean of squared deviations, each cut at three spreads so that one outlier
// does not hide the next (Huber, "Robust Statistics", 1981, §1).
type band struct {
	Level, Spread float64
	Hours         [24]struct{ Offset, N float64 }
	Recent        [rate]float64 // newest deviations in spreads
	Unknown       [rate]bool
}

const (
	rate = 16    // bins that onsets are looked for in
	cut  = 3     // spreads at which a deviation is cut
	warm = 50    // bins before a deviation is known
	edge = 1.645 // spreads that hold nine of ten bins
)

// hour is the hour of day of a Unix second, before 1970 too.
func hour(at int64) int {
	const day = 86400
	return int((at%day + day) % day / 3600)
}

// usual is what to expect at a Unix second.
func (b *band) usual(at int64) float64 { return b.Level + b.Hours[hour(at)].Offset }

// deviation is by in spreads; 0 while those are not known.
func (b *band) deviation(by float64, bins int64) float64 {
	if b.Spread <= 0 || bins < warm {
		return 0
	}
	return by / math.Sqrt(b.Spread)
}

func (b *band) shift(z float64, unknown bool) {
	copy(b.Recent[1:], b.Recent[:rate-1])
	copy(b.Unknown[1:], b.Unknown[:rate-1])
	b.Recent[0], b.Unknown[0] = z, unknown
}

// learn follows level, hour of day and spread, and counts the bin. While an
// event is open the level follows at a tenth of its pace.
func (b *band) learn(x, usual float64, st *state) {
	st.Bins++
	if st.Bins == 1 {
		b.Level = x
		return
	}
	calm := st.Event.Way == 0
	day := max(86400/float64(st.Width), 20)
	pace := max(1/day, 1/float64(st.Bins))
	if !calm {
		pace /= 10
	}
	dev := x - usual
	if limit := cut * math.Sqrt(b.Spread); st.Bins > warm && b.Spread > 0 && math.Abs(dev) > limit {
		dev = math.Copysign(limit, dev)
	}
	b.Level += pace * dev
	if st.Width <= 3600 && calm {
		h := &b.Hours[hour(st.Last+st.Width/2)]
		h.N = min(h.N+1, 7*3600/float64(st.Width))
		h.Offset += dev / (h.N + 3600/float64(st.Width))
	}
	floor := 1e-9 + 1e-6*usual*usual // a constant series: a thousandth of its value
	b.Spread = max(b.Spread+max(1/(3*day), 1/float64(st.Bins))*(dev*dev-b.Spread), floor)
}
