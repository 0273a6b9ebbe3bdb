package nbscan

import "math"

// tick is the unit of the baseline's weights: a bin of one minute weighs a
// fifth, a bin of an hour twelve. Means are counts per tick.
const tick = 300 // seconds

const (
	hoursInWeek = 168
	hoursInDay  = 24
	ticksInHour = 3600 / tick
)

// How far the parts of the baseline may differ from what they are shrunk to,
// as standard deviations of a logarithm. They say how much evidence an hour
// needs before it is believed against its wider neighbours.
const (
	spreadDay   = 0.8  // an hour of day against the mean
	spreadPart  = 0.3  // a part of a week (nine hours around) against that hour of day
	spreadHour  = 0.15 // a single hour of week against both
	spreadLevel = 0.25 // the level against its long-run mean
	spreadChild = 0.3  // an hour of day against the parent's shape
)

// Memories, in ticks that an accumulator can hold.
const (
	capHour  = 8 * ticksInHour     // an hour of week: 8 weeks
	capDay   = 4 * 7 * ticksInHour // an hour of day: 4 weeks
	capTotal = 4 * 7 * 24 * ticksInHour
)

const (
	levelDrift  = 0.06 // standard deviation of a day's change of the logarithm of the level
	levelReturn = 30.0 // days after which a change of level is forgotten
	slowMemory  = 7 * 86400 / tick
)

// steepHour is the ratio of an hour's edges from which it is no straight line. In
// flatter ones what the parabola gains is less than the noise that it lets through
// (measured on made-up series: 0.4 % of recall). flatEdge is the ratio of two hours
// below which their edge lies half way.
const (
	steepHour = 1.5
	flatEdge  = 1.3
)

// around is how many hours before and after the present one are kept ready: one
// for a bin that is older, one for a clock that moved, two for an edge.
const around = 4

// cell is a weighted sum: Sum counts in N ticks.
type cell struct{ Sum, N float64 }

func (c *cell) add(sum, n, limit float64) {
	if c.N+n > limit {
		f := max(0, limit-n) / c.N
		c.Sum *= f
		c.N *= f
	}
	c.Sum += sum
	c.N += n
}

// toward shrinks the cell's mean to prior with the weight of k ticks.
func (c cell) toward(prior, k float64) float64 { return (c.Sum + k*prior) / (c.N + k) }

// baseline knows what is usual. Its hours are those of the wall clock, and its
// moments are told in seconds since 1970 by that clock. It keeps a mean by hour of week, times a level that
// follows slow change. Sparse hours lean on the hours around them, those on
// the hour of day, that on the mean (or on the parent's shape).
//
// The level is a scalar Kalman filter on its logarithm (Harvey, "Forecasting,
// structural time series models and the Kalman filter", 1989, §3): it is slow
// where counts are small and quick where they are large.
type baseline struct {
	Week  [hoursInWeek]cell
	Day   [hoursInDay]cell
	Total cell
	Off   [hoursInDay]cell    // what was not learnt since the hour was last as usual
	Odd   [hoursInWeek]uint16 // twice the week since 1970 in which the hour was last not as usual; one more: the week before too

	Level    float64 // logarithm
	LevelVar float64
	Slow     float64 // Level, averaged over slowMemory

	Now   hours
	Rest  hours // of the Sunday before, on a public holiday
	Shift int64 // hours by which the clock of the season has moved
	// Clock is the log likelihood ratio of the season an hour ahead and an hour
	// behind, each where the season falls and where it rises, decayed.
	Clock [2][2]float64
}

// hours are the means around a moment, worked out once an hour.
type hours struct {
	Hour int64                 // since 1970
	Bent bool                  // enough is known to tell a steep hour from one that was hardly seen
	Near [2*around + 1]float64 // means of the hours around it
	Edge [2*around + 1]float64 // the season where each of them begins, but for the outer two
}

func newBaseline() baseline {
	b := baseline{LevelVar: spreadLevel * spreadLevel}
	b.stale()
	return b
}

// stale makes the hours be worked out again: what they are made of changed.
func (b *baseline) stale() { b.Now.Hour, b.Rest.Hour = math.MinInt64, math.MinInt64 }

// begin makes a mean the usual one of a young baseline. What its hours were, and
// what was kept out of them, stays: a morning must not make it forget the night.
func (b *baseline) begin(mean cell) {
	b.Total, b.Level, b.LevelVar, b.Slow = mean, 0, spreadLevel*spreadLevel, 0
	b.stale()
}

// wing is how many hours before and after an hour are its part of the week.
const wing = 4

// mean is the count to expect in a tick in the middle of hour h (since 1970).
// phi is the dispersion of a tick.
func (b *baseline) mean(h int64, phi float64, shape func(unix int64) float64) float64 {
	var one [1]float64
	b.means(h, one[:], phi, shape)
	return one[0]
}

// means is mean of one hour after the other from h on, at most as many as hours holds.
func (b *baseline) means(h int64, out []float64, phi float64, shape func(unix int64) float64) {
	var days [2*around + 1 + 2*wing]float64
	g := (b.Total.Sum + 0.5) / (b.Total.N + 1)
	for i := range len(out) + 2*wing {
		days[i] = b.day(h-wing+int64(i), g, phi, shape)
	}
	for i := range out {
		out[i] = b.week(h+int64(i), phi, days[i:i+2*wing+1])
	}
}

// week is the mean of an hour of week; days are those of the hours of day around it.
func (b *baseline) week(h int64, phi float64, days []float64) float64 {
	d := days[wing]
	var sum, usual float64
	for i, day := range days {
		c := b.Week[mod(h-wing+int64(i)+b.Shift, hoursInWeek)]
		sum += c.Sum
		usual += c.N * day
	}
	k := (1 + phi*d) / (spreadPart * spreadPart)
	part := (sum + k) / (usual + k)
	k = (1/d + phi) / (spreadHour * spreadHour)
	return b.Week[mod(h+b.Shift, hoursInWeek)].toward(d*part, k)
}

// day is the mean of an hour of day.
func (b *baseline) day(h int64, g, phi float64, shape func(unix int64) float64) float64 {
	spread := spreadDay
	if shape != nil {
		if f := shape(h*3600 + 1800); f > 0 {
			g, spread = g*f, spreadChild
		}
	}
	return b.Day[mod(h+b.Shift, hoursInDay)].toward(g, (1/g+phi)/(spread*spread))
}

// season is the mean of a tick over a bin of so many seconds around a moment,
// without the level; ahead moves it by whole hours. In an hour it is the parabola
// between its edges that has the hour's mean, and never leaves what lies between
// them (the piecewise parabolic method: Colella and Woodward, Journal of
// Computational Physics 54, 1984); in the highest and the lowest hour, and for
// bins that reach over an hour, it runs straight from middle to middle.
func (t *hours) season(unix, width, ahead int64) float64 {
	i := hourOf(unix) - t.Hour + around + ahead
	in, half := float64(mod(unix, 3600))/3600, float64(width)/7200
	m, left, right := t.Near[i], t.Edge[i], t.Edge[i+1]
	if in < half || in+half > 1 {
		left, right = (t.Near[i-1]+m)/2, (m+t.Near[i+1])/2
	} else if steep := max(left, right) > steepHour*min(left, right); t.Bent && steep && (left < m) == (m < right) {
		return hump(m, left, right, in-half, in+half)
	}
	if in < 0.5 {
		return m*2*in + left*(1-2*in)
	}
	return m*(2-2*in) + right*(2*in-1)
}

// hump is the mean from one part of an hour to another.
func hump(m, left, right, from, to float64) float64 {
	rise := right - left
	bend := 6*m - 3*(left+right)
	switch { // too much bend for one way
	case rise*bend > rise*rise:
		left = 3*m - 2*right
		rise, bend = right-left, 3*(right-m)
	case rise*bend < -rise*rise:
		right = 3*m - 2*left
		rise, bend = right-left, 3*(left-m)
	}
	return left + (rise+bend)*(from+to)/2 - bend*(from*from+from*to+to*to)/3
}

// edge is what the season is between the second and the third of four hours: a
// cubic through their logarithms, or half way where it is flat.
func edge(m0, m1, m2, m3 float64) float64 {
	low, high := min(m1, m2), max(m1, m2)
	if high < flatEdge*low {
		return (m1 + m2) / 2
	}
	e := (7*math.Log(m1*m2) - math.Log(m0*m3)) / 12
	return min(max(math.Exp(e), low), high)
}

// refresh brings the hours to a moment; moments up to two hours away may be asked
// for afterwards.
func (t *hours) refresh(b *baseline, unix int64, phi float64, shape func(unix int64) float64) {
	h := hourOf(unix)
	if h == t.Hour {
		return
	}
	t.Hour, t.Bent = h, b.Total.N >= youngTicks
	b.means(h-around, t.Near[:], phi, shape)
	for i := 2; i < len(t.Near)-1; i++ {
		t.Edge[i] = (t.Near[i-1] + t.Near[i]) / 2
		if t.Bent {
			t.Edge[i] = edge(t.Near[i-2], t.Near[i-1], t.Near[i], t.Near[i+1])
		}
	}
}

// learn takes a bin that was as usual: x counts in n ticks around a moment,
// where s was the season's mean of a tick.
func (b *baseline) learn(unix int64, x, n, s, phi float64, shape func(unix int64) float64) {
	level := math.Exp(b.Level)
	h := hourOf(unix) + b.Shift
	x0 := x / level
	wide := max(1, n/ticksInHour) // a bin wider than an hour fills its hour alone
	if o := &b.Off[mod(h, hoursInDay)]; o.N > 0 {
		o.add(0, 0, max(0, o.N-n))
	}
	rare := wide * max(1, wide/12) // days are remembered twice as long, weeks for two years
	b.Week[mod(h, hoursInWeek)].add(x0, n, capHour*rare)
	b.Day[mod(h, hoursInDay)].add(x0, n, capDay*rare)
	whole := n
	if shape != nil { // a night alone says little about the mean, unless one knows that it was night
		if f := shape(unix); f > 0 {
			whole *= f
		}
	}
	b.Total.add(x0, whole, capTotal*wide)
	mu := s * level * n
	v := 1/mu + phi/n
	dev := x/mu - 1
	if lim := max(4*math.Sqrt(v+b.LevelVar), 3/mu); dev > lim {
		dev = lim
	}
	gain := b.LevelVar / (b.LevelVar + v)
	b.Level += gain * dev
	b.LevelVar *= 1 - gain
	b.Slow += (b.Level - b.Slow) * min(1, n/slowMemory)
}

// recurs is how many days in a row an hour of day may be abnormal.
const recurs = 3

// habitMost is how many times the usual a habit may be, but for chance: an outage in
// an hour that was a little odd a week ago is none, and begins none.
const habitMost = 2

// habit says whether an hour that is not as usual was not so a week ago either:
// what comes two weeks in a row, a match or a broadcast, is learnt from the second
// time on, and nothing older of that hour counts.
func (b *baseline) habit(h int64) bool {
	week, o := uint16((h-mod(h, hoursInWeek))/hoursInWeek), &b.Odd[mod(h, hoursInWeek)]
	switch *o / 2 {
	case week:
	case week - 1:
		*o = 2*week + 1
		b.Week[mod(h, hoursInWeek)] = cell{}
	default:
		*o = 2 * week
	}
	return *o%2 == 1
}

// reject takes a bin that was not as usual. An hour of day that is never as usual,
// and much the same each day, becomes what it is: otherwise an hour that was learnt
// wrongly, while little was known, would be wrong for ever. It says whether it did.
func (b *baseline) reject(unix int64, x, n float64) bool {
	h := hourOf(unix) + b.Shift
	x0 := x / math.Exp(b.Level)
	if usual := n * b.Now.season(unix, int64(n*tick), 0); x0 > habitMost*usual+2*math.Sqrt(habitMost*usual)+loneCount {
		b.Odd[mod(h, hoursInWeek)] = 0
	} else if b.habit(h) {
		b.Week[mod(h, hoursInWeek)].add(x0, n, capHour)
	}
	o := &b.Off[mod(h, hoursInDay)]
	if o.N > 0 && apart(x0, o.Sum/o.N*n) {
		*o = cell{} // surges, each of its own height
	}
	o.add(x0, n, capDay*max(1, n/ticksInHour))
	if o.N < recurs*max(ticksInHour, n) {
		return false
	}
	b.Day[mod(h, hoursInDay)] = *o
	for d := mod(h, hoursInDay); d < hoursInWeek; d += hoursInDay {
		b.Week[d] = cell{}
	}
	*o = cell{}
	b.stale()
	return true
}

// apart says whether two counts differ by more than twofold and their noise.
func apart(a, b float64) bool {
	low, high := min(a, b), max(a, b)
	return high > 2*low+3*math.Sqrt(low)+3
}

// lift is by how much the level lies below its average of the last days, at most
// half: after a holiday a usual day is no surge.
func (b *baseline) lift() float64 { return min(2, math.Exp(max(0, b.Slow-b.Level))) }

// pass lets n ticks go by: the level grows uncertain and returns to its mean.
func (b *baseline) pass(n float64) {
	days := n * tick / 86400
	f := math.Exp(-days / levelReturn)
	b.Level *= f
	b.LevelVar = b.LevelVar*f*f + levelDrift*levelDrift*days
	if lim := spreadLevel * spreadLevel; b.LevelVar > lim {
		b.LevelVar = lim
	}
}

// clockEvidence is the log likelihood ratio at which the season's clock is
// moved; clockMemory is how many ticks the evidence lasts.
const (
	clockEvidence = 10
	clockMemory   = 2 * 86400 / tick
)

// clock watches for the day on which people's clocks change: an hour ahead or
// behind then fits much better than the present one, both where the season
// rises and where it falls. (A level that is wrong fits better in one of them
// and worse in the other.) It says whether it moved.
func (b *baseline) clock(unix, width int64, x, n, phi float64) bool {
	level := math.Exp(b.Level) * n
	now, ahead, behind := b.Now.season(unix, width, 0), b.Now.season(unix, width, 1), b.Now.season(unix, width, -1)
	rising := 0
	if ahead > behind {
		rising = 1
	}
	r := 1 / (phi/n + b.LevelVar + modelError)
	for i, other := range [2]float64{ahead, behind} {
		e := &b.Clock[i]
		e[0] *= 1 - n/clockMemory
		e[1] *= 1 - n/clockMemory
		e[rising] += logRatio(x, now*level, other/now, r)
		if min(e[0], e[1]) > clockEvidence {
			b.Shift += int64(1 - 2*i)
			b.Clock = [2][2]float64{}
			b.stale()
			return true
		}
	}
	return false
}

// hourOf counts hours since 1970, downwards before it.
func hourOf(unix int64) int64 { return (unix - mod(unix, 3600)) / 3600 }

func mod(a, n int64) int64 { return ((a % n) + n) % n }
