// Package windows says how the windows of a scan fall on bins of one width.
//
// In: the width of a bin. Out: lengths in bins. It promises that the same width
// gives the same layout, and that the lengths of the windows rise. Bins of up to
// five minutes are scanned by windows of 5 to 120 minutes, wider ones by 1, 2, 3
// and 6 of them. Bins narrower than a minute are scanned by as many as bins of a
// minute: over less time.
package windows

// Most is how many windows a scan has at most.
const Most = 6

// Longest is the longest window in bins.
const Longest = 120

// Layout is how windows fall on bins. All lengths are in bins.
type Layout struct {
	N    int       // windows in use
	Bins [Most]int // of each, rising
	Ring int       // kept: twice the longest window
	Lag  int       // that wait before they are learnt from: half an hour
	Slow int       // of the quiet time that ends an event: half an hour, two at least
	Rate int       // of the rate that readers are shown: a quarter of an hour
}

// Of is the layout for bins of a width in seconds, 1 at least.
func Of(width int64) Layout {
	var l Layout
	for _, b := range lengths(width) {
		if l.N == 0 || b > l.Bins[l.N-1] {
			l.Bins[l.N] = b
			l.N++
		}
	}
	longest := l.Bins[l.N-1]
	within := func(seconds int64, least int) int { return max(least, min(longest, int(seconds/width))) }
	l.Ring, l.Lag, l.Slow, l.Rate = 2*longest, within(1800, 0), within(1800, 2), within(900, 1)
	return l
}

func lengths(width int64) []int {
	if width > 300 {
		return []int{1, 2, 3, 6}
	}
	all := []int{5, 10, 15, 30, 60, 120} // minutes
	for i, minutes := range all {
		all[i] = max(1, int((int64(minutes)*60+width/2)/max(width, 60)))
	}
	return all
}
