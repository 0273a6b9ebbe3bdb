package faultline_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"faultline"
)

// curve counts a stream of so many readings whose p is uniform to the power of
// 1/tilt, in stretches of eight; with echo each reading says again, that
// often, what the one before it in the stretch said.
func curve(seed uint64, n int, tilt, echo float64) *faultline.Curve {
	rnd := rand.New(rand.NewPCG(seed, 1))
	c := &faultline.Curve{N: n, Hits: make([]int, faultline.Decades), Squares: make([]int, faultline.Decades)}
	var hits [faultline.Decades]int
	logP := 0.0
	for i := range n {
		if i%8 == 0 {
			hits = [faultline.Decades]int{}
		}
		if i%8 == 0 || rnd.Float64() >= echo {
			logP = tilt * rnd.ExpFloat64() / math.Ln10
		}
		for k := range hits {
			if logP < float64(k+1) {
				break
			}
			c.Hits[k]++
			c.Squares[k] += 2*hits[k] + 1
			hits[k]++
		}
	}
	return c
}

// A stream whose p is right lies within its range in about 95 of 100 draws, also
// where readings of a stretch repeat each other; at 10⁻² and beyond, where most
// stretches have no hit.
func TestARightPLiesWithinItsRange(t *testing.T) {
	for _, echo := range []float64{0, 0.8} {
		inside, all := 0, 0
		for seed := range uint64(60) {
			c := curve(seed, 80_000, 1, echo)
			for k := 2; k <= 4; k++ {
				share, low, high := c.Often(k)
				if share < low || share > high {
					t.Fatalf("%v lies outside its own range %v to %v", share, low, high)
				}
				all++
				if should := math.Pow10(-k); low <= should && should <= high {
					inside++
				}
			}
		}
		if got := float64(inside) / float64(all); got < 0.90 {
			t.Errorf("echo %v: %.2f of the ranges hold the truth, want about 0.95", echo, got)
		}
	}
}

func TestAWrongPLiesOutside(t *testing.T) {
	for _, echo := range []float64{0, 0.8} {
		if _, low, _ := curve(1, 80_000, 1.5, echo).Often(3); low <= 1e-3 {
			t.Errorf("echo %v: p that comes ten times too often has a range from %v", echo, low)
		}
		if _, _, high := curve(1, 80_000, 0.7, echo).Often(2); high >= 1e-2 {
			t.Errorf("echo %v: p that comes too seldom has a range up to %v", echo, high)
		}
	}
}

func TestNothingSeenIsNoProof(t *testing.T) {
	c := &faultline.Curve{N: 1000, Hits: []int{100, 8, 0, 0, 0, 0}, Squares: []int{200, 32, 0, 0, 0, 0}}
	share, low, high := c.Often(3)
	if share != 0 || low != 0 || math.Abs(high-4*3.67/1000) > 0.0005 { // clumps of four, as before
		t.Errorf("%v, %v to %v", share, low, high)
	}
	if _, low, high := (&faultline.Curve{}).Often(1); low != 0 || high != 1 {
		t.Errorf("of nothing %v to %v is known", low, high)
	}
}

// The exact range of a Poisson mean (Garwood 1936) is met to two digits.
func TestARateHasItsRange(t *testing.T) {
	for n, want := range map[int][2]float64{0: {0, 3.69}, 1: {0.025, 5.57}, 10: {4.80, 18.39}} {
		rate, low, high := faultline.Rate(n, 10)
		if rate != float64(n)/10 || math.Abs(low*10-want[0]) > 0.05 || math.Abs(high*10-want[1]) > 0.05 {
			t.Errorf("%d: %v, %v to %v", n, rate, low, high)
		}
	}
	if _, low, high := faultline.Rate(3, 0); low != 0 || high != 0 {
		t.Error("a rate of no time")
	}
	q := faultline.Quality{Days: []int{96, 96, 480}}
	if got := q.Weeks(2); math.Abs(got-2.0/7) > 1e-9 || q.Weeks(90) != 1 {
		t.Errorf("%v and %v series-weeks", got, q.Weeks(90))
	}
}
