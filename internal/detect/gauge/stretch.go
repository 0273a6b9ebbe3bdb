package gauge

// stretch is the last values of a series, newest first, and their sums in
// blocks of 4 and of 12, which several views share.
type stretch struct {
	Values  [longest]float64
	N       int32
	Fours   [longest / 4]float64
	Twelves [longest / 12]float64
}

const longest = 96 // bins that are looked back at

func (s *stretch) add(x float64) {
	copy(s.Values[1:], s.Values[:longest-1])
	s.Values[0] = x
	s.N = min(s.N+1, longest)
	for i := range s.Fours {
		four := s.Values[4*i : 4*i+4]
		s.Fours[i] = four[0] + four[1] + four[2] + four[3]
	}
	for i := range s.Twelves {
		s.Twelves[i] = s.Fours[3*i] + s.Fours[3*i+1] + s.Fours[3*i+2]
	}
}

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
		return s.Values[i]
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
