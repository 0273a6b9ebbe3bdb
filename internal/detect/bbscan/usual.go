package bbscan

import "math"

// belief is what is thought of a number.
type belief struct{ Mean, Var float64 }

// usual knows the usual share: a level and an offset for each hour of day (UTC), both
// logarithms of odds. A bin lies between the middles of two hours and is told by
// both. Hours of which little is known are near the level, since that is what is
// thought of them before.
type usual struct {
	Level belief
	Hours [24]belief
}

// What is thought before anything is known, as standard deviations of the logarithm
// of the odds; how fast it changes.
const (
	spreadLevel = 2.0   // with mean 0 this is a Beta(1/2, 1/2) share
	spreadHour  = 0.5   // an hour of day against the level
	drift       = 0.06  // of the level, in a day
	forgets     = 120.0 // days after which an hour's offset is forgotten
	farthest    = 20.0  // of a logit: two failures in a billion
)

func newUsual() usual {
	u := usual{Level: belief{0, spreadLevel * spreadLevel}}
	for h := range u.Hours {
		u.Hours[h].Var = spreadHour * spreadHour
	}
	return u
}

// shares are the share whose odds have that logarithm, and what remains of 1.
func shares(logit float64) (p, q float64) {
	odds := math.Exp(logit)
	return odds / (1 + odds), 1 / (1 + odds)
}

// between is the two hours that a moment lies between, and by how much each counts.
func between(unix int64) (h [2]int64, part [2]float64) {
	hour, in := (unix-mod(unix, 3600))/3600, float64(mod(unix, 3600))/3600
	next := hour - 1
	if in >= 0.5 {
		next, in = hour+1, 1-in
	}
	return [2]int64{mod(hour, 24), mod(next, 24)}, [2]float64{0.5 + in, 0.5 - in}
}

func mod(a, n int64) int64 { return ((a % n) + n) % n }

// at is what is usual at a moment, and the variance of that.
func (u *usual) at(unix int64, wide bool) (logit, doubt float64) {
	logit, doubt = u.Level.Mean, u.Level.Var
	if !wide {
		hours, part := between(unix)
		for i, h := range hours {
			logit += part[i] * u.Hours[h].Mean
			doubt += part[i] * part[i] * u.Hours[h].Var
		}
	}
	return min(max(logit, -farthest), farthest), doubt
}

// learn takes k of n around a moment, where phi is the dispersion of a bin: so many
// tries say no more than fewer independent ones. The share that is expected is a Beta
// law of the same mean and about the same variance; what it has become after k of n
// tells the parts by how much to move, each as far as it is doubted.
func (u *usual) learn(unix int64, wide bool, k, n, phi float64) {
	f, v := u.at(unix, wide)
	p, q := shares(f)
	less := 1 / (1 + n*phi*p*q)
	yes, no := 1/(q*v), 1/(p*v)
	yes, no = yes+k*less, no+(n-k)*less
	move := (math.Log(yes/no) - f) / v
	shrink := (1 - min(1, (1/yes+1/no)/v)) / v
	u.Level.move(1, move, shrink)
	if wide {
		return
	}
	hours, part := between(unix)
	for i, h := range hours {
		u.Hours[h].move(part[i], move, shrink)
	}
}

// move is the linear Bayes step of a part of which the sum was seen.
func (b *belief) move(part, move, shrink float64) {
	c := part * b.Var
	b.Mean += c * move
	b.Var -= c * c * shrink
}

// pass lets days go by.
func (u *usual) pass(days float64) {
	u.Level.Var = min(u.Level.Var+drift*drift*days, spreadLevel*spreadLevel)
	f := math.Exp(-days / forgets)
	for h := range u.Hours {
		b := &u.Hours[h]
		b.Mean *= f
		b.Var = b.Var*f*f + (1-f*f)*spreadHour*spreadHour
	}
}
