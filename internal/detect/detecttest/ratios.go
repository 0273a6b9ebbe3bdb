package detecttest

import (
	"math"
	"time"

	"faultline"
)

// Ratios describes a made-up series of successes of n. The same description gives
// the same samples on every machine's replay of it.
type Ratios struct {
	Seed  uint64
	Start time.Time
	Width time.Duration
	Bins  int
	Tries float64 // mean number in a bin, by day as much as at night
	Even  bool    // exactly so many, as a schedule of checks does
	Share float64 // usual share of successes
	// The odds vary: by the day (at most that logarithm up and down), by noise of that
	// standard deviation, which is the same for five minutes and correlates by Echo
	// from one five minutes to the next, and by a drift, in a day.
	Season, Noise, Echo, Drift float64
	Falls                      []Fall
}

// A Fall takes so many points (0 to 1) off the share between two moments; a negative
// one adds them.
type Fall struct {
	From, To time.Time
	Points   float64
}

// Samples makes the series.
func (c Ratios) Samples(s faultline.Series) []faultline.Sample {
	r := &random{state: (&random{state: c.Seed}).next()}
	out := make([]faultline.Sample, 0, c.Bins)
	usual, level, noise := math.Log(c.Share/(1-c.Share)), 0.0, 0.0
	day, tick := -1, int64(-1)
	for i := range c.Bins {
		at := c.Start.Add(time.Duration(i) * c.Width)
		if at.YearDay() != day {
			day = at.YearDay()
			level = 0.97*level + c.Drift*r.normal()
		}
		if t := at.Unix() / 300; t != tick {
			tick = t
			noise = c.Echo*noise + math.Sqrt(1-c.Echo*c.Echo)*c.Noise*r.normal()
		}
		hour := float64(at.Hour()) + float64(at.Minute())/60
		logit := usual + level + noise - c.Season*math.Sin((hour-9)/24*2*math.Pi)
		p := 1 / (1 + math.Exp(-logit))
		for _, f := range c.Falls {
			if !at.Before(f.From) && at.Before(f.To) {
				p = min(max(p-f.Points, 0), 1)
			}
		}
		n := c.Tries
		if !c.Even {
			n = r.poisson(n)
		}
		out = append(out, RatioSample(s, at, c.Width, r.binomial(n, p), n))
	}
	return out
}

// RatioSample is a bin in which k of n succeeded.
func RatioSample(s faultline.Series, at time.Time, width time.Duration, k, n float64) faultline.Sample {
	return faultline.Sample{
		Series: s, Start: at, Width: faultline.Seconds(width), Value: k, N: n, Complete: 1, Revision: 1,
		Origin: faultline.Simulated, Last: faultline.Position{Frame: uint64(at.Unix()/int64(width.Seconds()) + 1)},
	}
}

// binomial draws the successes of n tries; of more than a thousand, about.
func (r *random) binomial(n, p float64) float64 {
	if n > 1000 {
		return min(max(math.Round(n*p+math.Sqrt(n*p*(1-p))*r.normal()), 0), n)
	}
	k := 0.0
	for range int(n) {
		if r.float() < p {
			k++
		}
	}
	return k
}
