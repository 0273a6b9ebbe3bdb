package nbscan

import (
	"math"

	"faultline"
)

// people is how many reporters and networks stand behind a window, as far as
// that can be told. What single bins hold adds up to an upper bound, since the
// same person speaks again in a later bin; the sets of their hashes estimate
// how many there are.
func people(t *total) (reporters, networks int) {
	return min(t.Reporters, int(math.Ceil(t.Sum)), counted(t.People)), min(t.Networks, counted(t.Nets))
}

// counted estimates how many hashes a set of 64 bits was made of (linear
// counting: Whang, Vander-Zanden and Taylor, ACM TODS 15, 1990); without limit
// where the set is unknown or too full to say.
func counted(b faultline.Bits) int {
	if n := b.Least(); n > 0 && n <= 56 {
		return int(math.Round(-64 * math.Log1p(-float64(n)/64)))
	}
	return math.MaxInt
}

// enough says whether so many people of so many networks stand behind a window.
// Networks must certainly be so many. People may be a few bits short, since some
// share a bit: of twenty people twelve bits or more are set but once in 20,000
// times, and of five all five but for 15 in 100: then the sixth counts.
func (t *total) enough(reporters, networks int) bool {
	few := (50*reporters - reporters*reporters + 49) / 50
	return min(t.Reporters, int(math.Ceil(t.Sum))) >= reporters && t.Networks >= networks &&
		(t.People == 0 || t.People.Least() >= few) && (t.Nets == 0 || t.Nets.Least() >= networks)
}
