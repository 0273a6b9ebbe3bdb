package live

import (
	"slices"
	"time"

	"faultline"
)

const (
	minute    = time.Minute
	dayLength = 24 * time.Hour
	minutes   = int(dayLength / minute)

	// Step is the width of a Bin: nothing narrower is published.
	Step = 5 * time.Minute
	// Bins is how many of them the model holds of each series.
	Bins   = int(dayLength / Step)
	perBin = int(Step / minute)
)

// Bin is five minutes of a series of reports.
type Bin struct {
	Start    time.Time
	Value    float64           // effective problem reports
	Expected float64           // what is usual then; meaningless without Band
	Low      float64           // 5 % quantile of what is usual
	High     float64           // 95 %
	Complete float64           // share of the five minutes in which somebody listened
	Band     bool              // whether Expected, Low and High are known
	Verdict  faultline.Verdict // of the newest reading in the bin; empty without Band
}

// Known says whether the bin can be read: below half, silence is not zero.
func (b Bin) Known() bool { return b.Complete >= 0.5 }

// Few says whether the bin holds somebody, but too few people to be printed.
func (b Bin) Few() bool { return b.Value > 0 && b.Value < MinReporters }

// Ratio is how many times the usual number the bin holds; ok is false where
// there is no usual number or the bin is unknown.
func (b Bin) Ratio() (r float64, ok bool) {
	if !b.Band || !b.Known() || b.Expected <= 0 {
		return 0, false
	}
	return b.Value / b.Expected, true
}

// MinReporters is the fewest effective reporters that are ever published.
const MinReporters = 3

// cell is one minute of a series.
type cell struct {
	at       int32 // minutes since 1970, so that an old lap is seen as such
	revision int32
	value    float32
	complete float32
}

// band is what was usual around one bin.
type band struct {
	at                  int32 // bins since 1970
	expected, low, high float32
	verdict             uint8 // index into verdicts
}

// verdicts are what a band remembers of a reading. The last is for all others.
var verdicts = [...]faultline.Verdict{faultline.Usual, faultline.Odd, faultline.Surging, faultline.Dropping, faultline.CannotTell}

func verdictIndex(v faultline.Verdict) uint8 {
	if i := slices.Index(verdicts[:], v); i >= 0 {
		return uint8(i)
	}
	return uint8(len(verdicts) - 1)
}

// reports is a series of reports: a ring of minutes and one of bands.
type reports struct {
	cells [minutes]cell
	bands [Bins]band
	sum   float64   // since it came, for choosing whom to let go
	last  time.Time // end of the newest minute
	read  faultline.Reading
}

func minuteOf(t time.Time) int32 { return int32(max(t.Unix(), 0) / 60) }
func binOf(t time.Time) int32    { return minuteOf(t) / int32(perBin) }

func startOf(bin int32) time.Time { return time.Unix(int64(bin)*int64(Step/time.Second), 0).UTC() }

// settle is how long after its end a bin is shown: by then its last minute is
// closed (series waits 15 s, heartbeats come every 10 s).
const settle = 30 * time.Second

// sample takes a minute, or a later revision of it.
func (r *reports) sample(s *faultline.Sample) {
	at := minuteOf(s.Start)
	c := &r.cells[at%int32(minutes)]
	if c.at > at || (c.at == at && c.revision > int32(s.Revision)) {
		return
	}
	*c = cell{at, int32(s.Revision), float32(s.Value), float32(s.Complete)}
	r.sum += s.Value
	if e := s.End(); e.After(r.last) {
		r.last = e
	}
}

// reading takes what is usual. Low and High belong to the reading's own width;
// for five minutes the distance from the middle grows or shrinks with the
// square root of the time, as the noise of independent minutes does.
func (r *reports) reading(rd *faultline.Reading) {
	if rd.At.Before(r.read.At) {
		return
	}
	r.read = *rd
	w := time.Duration(rd.Width)
	if w <= 0 || rd.Verdict == faultline.CannotTell && rd.High == 0 {
		return
	}
	k := float64(Step) / float64(w)
	e := rd.Expected * k
	low := e - (rd.Expected-rd.Low)*root(k)
	high := e + (rd.High-rd.Expected)*root(k)
	at := binOf(rd.At.Add(-time.Nanosecond))
	r.bands[at%int32(Bins)] = band{at, float32(e), float32(max(low, 0)), float32(high), verdictIndex(rd.Verdict)}
}

// bins gives the last 24 hours up to now, oldest first; the newest bin is the
// last whole one.
func (r *reports) bins(now time.Time) []Bin {
	end := binOf(now.Add(-settle))
	if now.Unix() < int64(dayLength/time.Second)*2 {
		return nil
	}
	out := make([]Bin, 0, Bins)
	for at := end - int32(Bins); at < end; at++ {
		out = append(out, r.bin(at))
	}
	return out
}

func (r *reports) bin(at int32) Bin {
	b := Bin{Start: startOf(at)}
	for m := at * int32(perBin); m < (at+1)*int32(perBin); m++ {
		if c := &r.cells[m%int32(minutes)]; c.at == m && m > 0 {
			b.Value += float64(c.value)
			b.Complete += float64(c.complete) / float64(perBin)
		}
	}
	b.Value, b.Complete = faultline.Round(b.Value, 2), faultline.Round(b.Complete, 3)
	if d := &r.bands[at%int32(Bins)]; d.at == at && at > 0 {
		b.Band, b.Verdict = true, verdicts[d.verdict]
		b.Expected, b.Low, b.High = faultline.Round(float64(d.expected), 2), faultline.Round(float64(d.low), 2), faultline.Round(float64(d.high), 2)
	}
	return b
}
