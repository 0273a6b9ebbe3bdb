package series_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/series"
)

// The same person and network in many minutes is still one; the sums say many.
func TestBitsSayHowManySpokeAtLeast(t *testing.T) {
	f := newFeed(t, series.Config{})
	for i := range 3 {
		f.at(time.Duration(20*i)*time.Minute+time.Second, report("GB", 2856, 7, 70))
	}
	f.at(61*time.Minute, report("GB", 2856, 8, 80))
	f.at(61*time.Minute, report("DE", 3320, 9, 90))
	f.until(65 * time.Minute)
	for name, want := range map[string]int{"reports/x": 3, "reports/x/GB": 2, "reports/x/GB/AS2856": 2, "reports/x/DE": 1} {
		people, networks, sum := f.bits(name)
		if people != want || networks != want {
			t.Errorf("%s: at least %d people of %d networks, want %d", name, people, networks, want)
		}
		if name == "reports/x/GB" && sum != 4 {
			t.Errorf("%d networks in sum, want 4", sum)
		}
	}
}

func (f *feed) bits(name string) (people, networks, sum int) {
	var p, n faultline.Bits
	for _, s := range f.samples {
		if s.Series.String() == name {
			p |= s.ReporterBits
			n |= s.NetworkBits
			sum += s.Networks
		}
	}
	return p.Least(), n.Least(), sum
}
