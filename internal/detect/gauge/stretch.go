package gauge

// stretch is the last values of a series, newest first by of, and their sums in
// blocks, which several views share.
type stretch struct {
	Values [longest]float64
	Next   int32
	N      int32
	quarter
}

// quarter holds sums of neighbouring values: of 4 and of 12 bins.
type quarter struct {
	Fours   [longest / 4]float64
	Twelves [longest / 12]float64
}

const longest = 96 // bins that are looked back at

func (s *stretch) add(x float64) {
	s.Values[s.Next] = x
	s.Next = (s.Next + 1) % longest
	s.N = min(s.N+1, longest)
	for i := range s.Fours {
		at := 4 * int32(i)
		s.Fours[i] = s.of(at) + s.of(at+1) + s.of(at+2) + s.of(at+3)
	}
	for i := range s.Twelves {
		s.Twelves[i] = s.Fours[3*i] + s.Fours[3*i+1] + s.Fours[3*i+2]
	}
}

// of is the value i bins before the newest.
func (s *stretch) of(i int32) float64 { return s.Values[(s.Next-1-i+2*longest)%longest] }

// mean is the mean of n bins, from the newest but skip; both are multiples of 12.
func (s *stretch) mean(skip, n int) float64 {
	sum := 0.0
	for i := skip / 12; i < (skip+n)/12; i++ {
		sum += s.Twelves[i]
	}
	return sum / float64(n)
}

// block is the mean of the i-th block of size 1, 4 or 12 bins, back from the newest.
func (s *stretch) block(i, size int) float64 {
	switch size {
	case 1:
		return s.of(int32(i))
	case 4:
		return s.Fours[i] / 4
	}
	return s.Twelves[i] / 12
}

// pace is a mean that forgets: of all there was at first, of about memory
// values later.
type pace struct{ Mean, N float64 }

func (p *pace) add(x, memory float64) {
	p.N = min(p.N+1, memory)
	p.Mean += (x - p.Mean) / p.N
}

const (
	memory = 2000 // bins that make what is usual: a week of five minutes
	start  = 50   // bins before outliers are cut
	outlie = 5    // usual deviations at which they are
)

// addCut takes a deviation, which is never negative; an outlier counts as outlie usual ones.
func (p *pace) addCut(dev float64) {
	if p.N > start {
		dev = min(dev, outlie*p.Mean)
	}
	p.add(dev, memory)
}

// times is x in means; 0 while the mean is 0.
func (p *pace) times(x float64) float64 {
	if p.Mean <= 0 {
		return 0
	}
	return x / p.Mean
}
