package detecttest

import (
	"math"
	"time"

	"faultline"
)

// Counts describes a made-up series of report counts. The same description
// gives the same samples on every machine's replay of it.
type Counts struct {
	Seed  uint64
	Start time.Time
	Width time.Duration
	Bins  int
	// Base is the mean count per five minutes; Season the strength of the day,
	// 0 to 1; Weekend the factor on Saturdays and Sundays.
	Base, Season, Weekend float64
	// Night is the share of the day's mean that is left by night. If it is given,
	// the day does not swing as Season says: it is level, between a morning that
	// rises from a hundredth to nearly all of it in three hours around seven, and
	// an evening that falls half as fast.
	Night float64
	// Zone is where the clock hangs that the day follows; nil: UTC.
	Zone *time.Location
	// Size is the negative binomial size of a tick of five minutes: small is
	// noisy. 0: Poisson.
	Size float64
	// Echo is the correlation of the noise from tick to tick, 0 to 1.
	Echo float64
	// Drift is the standard deviation of a day's change of log level.
	Drift float64
	// Spikes is the mean number of lone bins a week in which one burst of
	// SpikeSize counts arrives at once: a script, a retry storm, a glitch.
	Spikes, SpikeSize float64
	Surges            []Disturbance
}

// A Disturbance multiplies or adds to the mean between two moments.
type Disturbance struct {
	From, To time.Time
	Add      float64       // counts per five minutes at the top
	Rise     time.Duration // until it holds 1 − 1/e of them; 0: five minutes
	Factor   float64       // 0: leave; 0.1: a drop to a tenth
}

// Samples makes the series.
func (c Counts) Samples(s faultline.Series) []faultline.Sample {
	// Seeds one after the other are streams one after the other, not the same one shifted.
	r := &random{state: (&random{state: c.Seed}).next()}
	out := make([]faultline.Sample, 0, c.Bins)
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	level, noise := 0.0, 1.0
	perTick := c.Width.Minutes() / 5
	day := -1
	for i := range c.Bins {
		at := c.Start.Add(time.Duration(i) * c.Width).In(c.Zone)
		if at.YearDay() != day {
			day = at.YearDay()
			level = 0.97*level + c.Drift*r.normal()
		}
		if c.Size > 0 && at.Unix()%300 < int64(c.Width.Seconds()) {
			fresh := r.gamma(c.Size) / c.Size
			noise = c.Echo*noise + (1-c.Echo)*fresh
		}
		mean := c.mean(at) * math.Exp(level) * noise
		for _, d := range c.Surges {
			mean = d.apply(at, mean)
		}
		x := r.poisson(mean * perTick)
		if c.Spikes > 0 && r.float() < c.Spikes*c.Width.Hours()/168 {
			x += r.poisson(c.SpikeSize)
		}
		out = append(out, Sample(s, at.UTC(), c.Width, x))
	}
	return out
}

func (c Counts) mean(at time.Time) float64 {
	h := float64(at.Hour()) + float64(at.Minute())/60
	m := c.Base * math.Exp(1.4*c.Season*math.Sin((h-9)/24*2*math.Pi))
	if c.Night > 0 {
		m = c.Base * (c.Night + (1-c.Night)/(1+math.Exp(-3*(h-7)))/(1+math.Exp(-1.5*(22-h))))
	}
	if d := at.Weekday(); c.Weekend > 0 && (d == time.Saturday || d == time.Sunday) {
		m *= c.Weekend
	}
	return m
}

func (d Disturbance) apply(at time.Time, mean float64) float64 {
	if at.Before(d.From) || !at.Before(d.To) {
		return mean
	}
	if d.Factor > 0 {
		mean *= d.Factor
	}
	rise := d.Rise
	if rise == 0 {
		rise = 5 * time.Minute
	}
	return mean + d.Add*(1-math.Exp(-at.Sub(d.From).Minutes()/rise.Minutes()-1/rise.Minutes()))
}

// Sample is a bin of x reports, each by a person in a network of their own.
func Sample(s faultline.Series, at time.Time, width time.Duration, x float64) faultline.Sample {
	n := int(x)
	out := faultline.Sample{
		Series: s, Start: at, Width: faultline.Seconds(width), Value: x, N: x, Raw: n, Reporters: n, Networks: n,
		Complete: 1, Revision: 1, Origin: faultline.Simulated, Last: faultline.Position{Frame: uint64(at.Unix()/int64(width.Seconds()) + 1)},
	}
	for i := range min(n, 64) {
		out.NetworkBits.Add(64 + uint64(i) + uint64(at.Unix()/60))
	}
	return out
}

// random is splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

func (r *random) normal() float64 {
	return math.Sqrt(-2*math.Log(1-r.float())) * math.Cos(2*math.Pi*r.float())
}

// gamma is a gamma variate of mean k (Marsaglia and Tsang, ACM TOMS 26, 2000).
func (r *random) gamma(k float64) float64 {
	if k < 1 {
		return r.gamma(k+1) * math.Pow(r.float(), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.normal()
		v := 1 + c*x
		if v = v * v * v; v > 0 && math.Log(r.float()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func (r *random) poisson(mean float64) float64 {
	if mean > 500 {
		return max(0, math.Round(mean+math.Sqrt(mean)*r.normal()))
	}
	n, p := 0.0, r.float()
	for term, sum := math.Exp(-mean), math.Exp(-mean); p > sum && n < 5000; sum += term {
		n++
		term *= mean / n
	}
	return n
}
