package windows_test

import (
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/detect/windows"
)

func TestWindowsOfAMinuteAndOfFive(t *testing.T) {
	if got, want := windows.Of(60), (windows.Layout{N: 6, Bins: [6]int{5, 10, 15, 30, 60, 120}, Ring: 240, Lag: 30, Slow: 30, Rate: 15}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := windows.Of(300), (windows.Layout{N: 6, Bins: [6]int{1, 2, 3, 6, 12, 24}, Ring: 48, Lag: 6, Slow: 6, Rate: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := windows.Of(3600), (windows.Layout{N: 4, Bins: [6]int{1, 2, 3, 6}, Ring: 12, Slow: 2, Rate: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestWindowsFitBinsOfAnyWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := windows.Of(rapid.Int64Range(1, 40*86400).Draw(t, "width in seconds"))
		longest := l.Bins[l.N-1]
		if longest > windows.Longest || l.Ring < 2*longest || l.Lag > longest || l.Rate < 1 || l.Slow > l.Ring {
			t.Fatalf("%+v", l)
		}
		for w := 1; w < l.N; w++ {
			if l.Bins[w] <= l.Bins[w-1] {
				t.Fatalf("windows of %v bins", l.Bins[:l.N])
			}
		}
	})
}
