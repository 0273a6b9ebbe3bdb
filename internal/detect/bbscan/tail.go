package bbscan

import "math"

// law is the beta-binomial law of a count: each time n are tried, with a chance
// that is drawn from Beta(a, b) (Skellam, "A probability distribution derived from
// the binomial distribution", JRSS B 10, 1948). a and b are at least 1, so that
// its logarithm is concave.
type law struct {
	n, a, b float64
	p, q    float64 // of the negative binomials that it is made of
	norm    float64
}

// lawOf is the law of n tries of which a share p, and not q, is usual. The
// logarithm of the odds varies by phi: ρ is about phi·p·q.
func lawOf(n, p, q, phi float64) law {
	phi = min(max(phi, 1e-12), 1)
	return newLaw(n, 1/(phi*q), 1/(phi*p))
}

func newLaw(n, a, b float64) law {
	l := law{n: n, a: a, b: b, p: (a + b) / (a + b + n), q: n / (a + b + n)}
	l.norm = logNB(n, a+b, l.p, l.q)
	return l
}

// flip is the law of what remains of n.
func (l *law) flip() law {
	return law{n: l.n, a: l.b, b: l.a, p: l.p, q: l.q, norm: l.norm}
}

// upperLogP is −log10 P(X ≥ x), lowerLogP of P(X ≤ x). x need not be whole.
func (l *law) upperLogP(x float64) float64 { return max(0, -l.logUpper(x)/math.Ln10) }

func (l *law) lowerLogP(x float64) float64 {
	f := l.flip()
	return f.upperLogP(l.n - x)
}

// logUpper is the natural logarithm of P(X ≥ x) for x up to n. Below the mean it
// is what the other tail leaves.
func (l *law) logUpper(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x*(l.a+l.b) <= l.n*l.a:
		f := l.flip()
		return math.Log1p(-min(1, math.Exp(f.logBeyond(l.n-x+1))))
	}
	return l.logBeyond(x)
}

// Terms are added one by one, unless their logarithm changes so slowly that an
// integral stands for their sum: its slope and its bend are less than these. The
// last fewTerms up to n are always added, since laws may end there with a corner.
const (
	slowly   = 0.05
	straight = 1e-4
	fewTerms = 400
)

// logBeyond is logUpper for x above the mean. Where x is no more than the mean
// plus one, as the other tail asks for, the terms may still rise.
func (l *law) logBeyond(x float64) float64 {
	if x > l.n {
		return math.Inf(-1)
	}
	if l.n-x > 2*fewTerms && math.Abs(l.step(x)) < slowly && l.bend(x) < straight {
		return l.logPMF(x) + math.Log(l.integral(x))
	}
	return l.logPMF(x) + math.Log(l.sum(x))
}

// step is the logarithm of P(x+1)/P(x).
func (l *law) step(x float64) float64 { return math.Log(l.ratio(x)) }

func (l *law) ratio(x float64) float64 {
	return (l.n - x) * (x + l.a) / ((x + 1) * (l.n - x - 1 + l.b))
}

// enough is the part of a sum that may be left out.
const enough = 1e-13

// sum is P(X ≥ x)/P(x), term by term until what is left, were it to fall no faster
// any more, is nothing.
func (l *law) sum(x float64) float64 {
	sum, term := 1.0, 1.0
	for ; x+1 <= l.n; x++ {
		r := l.ratio(x)
		term *= r
		sum += term
		if r < 1 && term*r < enough*sum*(1-r) {
			break
		}
	}
	return sum
}

// fall is by how much the logarithm falls in a panel, of which enough make all.
const fall = 10

// integral is P(X ≥ x)/P(x) by Gauss and Legendre's rule and the first terms of
// Euler and Maclaurin's for midpoints (Abramowitz and Stegun 25.4.30, 23.1.30).
func (l *law) integral(x float64) float64 {
	ref := l.logPMF(x)
	sum := l.edge(x, ref)
	for l.n-x > fewTerms {
		slope := max(0, -l.step(x))
		width := 2 * fall / (slope + math.Sqrt(slope*slope+2*fall*l.bend(x)))
		to := x + math.Ceil(min(width, (l.n-x)/2))
		part := l.panel(x-0.5, to-0.5, ref)
		sum += part
		if x = to; part < enough*sum {
			return sum
		}
	}
	rest := math.Exp(l.logPMF(x) - ref)
	return sum - l.edge(x, ref) + rest*l.sum(x)
}

// bend is minus the second derivative of the logarithm at x.
func (l *law) bend(x float64) float64 { return max(0, l.step(x-1)-l.step(x)) }

// edge is what the sum from x on holds more than the integral from x−½ on.
func (l *law) edge(x, ref float64) float64 {
	g1, g2 := l.step(x-1), (l.step(x)-l.step(x-2))/2
	return math.Exp(l.logPMF(x-0.5)-ref) * (g1/24 - 7.0/5760*(g1*g1*g1+3*g1*g2))
}

// nodes of Gauss and Legendre's rule of 16 points, and their weights.
var nodes = [...]struct{ at, weight float64 }{
	{0.0950125098376374402, 0.1894506104550684963},
	{0.2816035507792589132, 0.1826034150449235889},
	{0.4580167776572273863, 0.1691565193950025382},
	{0.6178762444026437484, 0.1495959888165767321},
	{0.7554044083550030339, 0.1246289712555338720},
	{0.8656312023878317439, 0.0951585116824927848},
	{0.9445750230732325761, 0.0622535239386478929},
	{0.9894009349916499326, 0.0271524594117540949},
}

func (l *law) panel(from, to, ref float64) float64 {
	mid, half, sum := (from+to)/2, (to-from)/2, 0.0
	for _, g := range nodes {
		sum += g.weight * (math.Exp(l.logPMF(mid-half*g.at)-ref) + math.Exp(l.logPMF(mid+half*g.at)-ref))
	}
	return half * sum
}

// logPMF is the logarithm of the probability of x: that of two negative binomial
// counts, x and n−x, given that they add up to n. Their common chance cancels; it
// is chosen such that all three lie near their means, where nothing large is
// subtracted (Loader, "Fast and accurate computation of binomial probabilities",
// 2000, whose deviance and Stirling parts these are).
func (l *law) logPMF(x float64) float64 {
	return logNB(x, l.a, l.p, l.q) + logNB(l.n-x, l.b, l.p, l.q) - l.norm
}

// logNB is the logarithm of the probability of x failures before the size-th
// success, of which each has the chance p, and not q.
func logNB(x, size, p, q float64) float64 {
	if x <= 0 {
		return size * logOf(p, q)
	}
	n := size + x
	return stirling(n) - stirling(size) - stirling(x) - deviance(size, n*p) - deviance(x, n*q) +
		0.5*math.Log(size/(2*math.Pi*x*n))
}

// logOf is log p, where p + q = 1.
func logOf(p, q float64) float64 {
	if q < 0.5 {
		return math.Log1p(-q)
	}
	return math.Log(p)
}

// deviance is x·log(x/m) + m − x without loss of digits where they are alike.
func deviance(x, m float64) float64 {
	d := x - m
	if math.Abs(d) >= 0.1*(x+m) {
		return x*math.Log(x/m) - d
	}
	v := d / (x + m)
	sum, e := d*v, 2*x*v
	for j := 3.0; j < 100; j += 2 { // each term is a hundredth of the one before, at most
		e *= v * v
		next := sum + e/j
		if next == sum {
			break
		}
		sum = next
	}
	return sum
}

// stirling is by how much log Γ(x+1) lies above Stirling's formula.
func stirling(x float64) float64 {
	if x <= 15 {
		g, _ := math.Lgamma(x + 1)
		return g - (x+0.5)*math.Log(x) + x - 0.5*math.Log(2*math.Pi)
	}
	y := 1 / (x * x)
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-y/1188)*y)*y)*y) / x
}
