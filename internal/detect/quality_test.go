package detect_test

import (
	"fmt"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect"
	"faultline/internal/detect/detecttest"
)

// quiet plays so many series of countries and days without a surge, whose noise
// is what the detector takes it for or, from its second half on, is of another
// size, and gives what the room counted.
func quiet(series, days int, then float64) faultline.Quality {
	r := detect.New(detect.Config{})
	end := monday
	for n := range series {
		s := gb
		s.Country = faultline.Country(fmt.Sprintf("%c%c", 'A'+n/26, 'A'+n%26))
		c := detecttest.Counts{Seed: uint64(n + 1), Start: monday, Width: 5 * time.Minute, Bins: days * 288, Base: 1, Season: 0.4, Size: 15, Drift: 0.05}
		samples := c.Samples(s)
		half := len(samples) / 2
		c.Size = then
		samples = append(samples[:half], c.Samples(s)[half:]...)
		end = samples[len(samples)-1].End()
		r.Step(samples)
	}
	return r.Quality(end)
}

func curveOf(q faultline.Quality, level faultline.Level, usual faultline.Class) faultline.Curve {
	for _, c := range q.Curves {
		if c.Level == level && c.Usual == usual {
			return c
		}
	}
	return faultline.Curve{}
}

// Quiet series are counted from their fourth day on, by what is usual, and hardly
// more often surprising than they say.
func TestTheRoomCountsHowOftenItIsSurprised(t *testing.T) {
	q := quiet(8, 20, 15)
	small, large := curveOf(q, faultline.InCountry, faultline.BelowTen), curveOf(q, faultline.World, faultline.BelowTen)
	if len(q.Curves) != 12 || large.N != 0 || small.N < 8*14*96 || small.N > 8*17*96 {
		t.Fatalf("%d curves, the world's of %d readings, countries' of %d", len(q.Curves), large.N, small.N)
	}
	for k := 2; k <= 4; k++ {
		should := []float64{0, 0.1, 0.01, 0.001, 0.0001}[k]
		if share, low, high := small.Often(k); low > 1.2*should {
			t.Errorf("p ≤ %v came in %v of the readings (%v to %v)", should, share, low, high)
		}
	}
	if q.Since != monday.AddDate(0, 0, -2) || q.Days[0] > 8 || q.Days[2] != 8*96 {
		t.Errorf("since %v, days %v", q.Since, q.Days[:4])
	}
	if weeks := q.Weeks(30); weeks < 8*16.9/7 || weeks > 8*17.1/7 {
		t.Errorf("%v series-weeks", weeks)
	}
}

// Noise that was not there when it was learnt makes p too small too often, and the
// room says so.
func TestTheRoomSaysThatItsPIsWrong(t *testing.T) {
	q := quiet(8, 20, 1)
	c := curveOf(q, faultline.InCountry, faultline.BelowTen)
	if share, low, high := c.Often(2); low <= 0.01 {
		t.Errorf("p ≤ 0.01 came in %v of %d readings (%v to %v)", share, c.N, low, high)
	}
}

// What an event holds is in no curve, though it was watched.
func TestAnEventIsInNoCurve(t *testing.T) {
	r := detect.New(detect.Config{})
	in := batches(9)
	play(t, r, in)
	q := r.Quality(in[len(in)-1][0].End())
	for _, c := range q.Curves {
		if c.Hits[4] > 0 {
			t.Errorf("%v %s: the surge is in the curve: %v", c.Level, c.Usual, c.Hits)
		}
	}
	if q.Weeks(30) < 2*5.9/7 || q.Weeks(30) > 2*6.1/7 {
		t.Errorf("%v series-weeks", q.Weeks(30))
	}
	if after := r.Quality(in[len(in)-1][0].End().Add(3 * day)); after.Days[0] != 0 || after.Days[4] != 2*96 {
		t.Errorf("three days later %v", after.Days[:6])
	}
}

// The first days are in no curve, although what is odd is told even then.
func TestAYoungSeriesIsInNoCurve(t *testing.T) {
	c := detecttest.Counts{Seed: 2, Start: monday, Width: 5 * time.Minute, Bins: 2 * 288, Base: 0.1}
	samples := c.Samples(gb)
	for i := 500; i < 503; i++ {
		samples[i] = detecttest.Sample(gb, samples[i].Start, 5*time.Minute, 6)
	}
	r, odd := detect.New(detect.Config{}), 0
	for _, reading := range r.Step(samples).Readings {
		if reading.Verdict == faultline.Odd {
			odd++
		}
	}
	q := r.Quality(samples[len(samples)-1].End())
	if sum := faultline.Together(q.Curves); odd == 0 || sum.N != 0 || q.Weeks(30) != 0 {
		t.Errorf("%d odd readings, %d counted, %v series-weeks", odd, sum.N, q.Weeks(30))
	}
}
