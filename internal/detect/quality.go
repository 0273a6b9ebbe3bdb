package detect

import (
	"encoding/binary"
	"fmt"
	"time"

	"faultline"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/nbscan"
)

// watched is a series with its detector, and what it showed lately.
type watched struct {
	detector.Detector
	stretch calibrate.Stretch
}

// count takes a reading of reports into the room's record of itself. Series of
// symptoms and surfaces, which hold the same reports once more, are not counted.
func (r *Room) count(w *watched, x *faultline.Reading) {
	if x.Series.Metric != faultline.MetricReports || x.Series.Level.What() {
		return
	}
	open := x.Verdict == faultline.Surging || x.Verdict == faultline.Dropping
	told := x.Verdict != faultline.CannotTell && x.Age >= nbscan.Young // the p of a young series is not calibrated
	r.record.Tick(&w.stretch, x.At.Unix(), classOf(x), x.LogP, told, open)
}

// classOf is the place of a reading's class: by level, and by the usual number in
// a quarter of an hour.
func classOf(x *faultline.Reading) int {
	size, usual := 0, x.Expected
	if w := time.Duration(x.Width); w > 0 {
		usual *= float64(15*time.Minute) / float64(w)
	}
	for _, limit := range []float64{0.1, 1, 10} {
		if usual >= limit {
			size++
		}
	}
	return int(min(x.Series.Level, faultline.InASN))*len(faultline.Classes()) + size
}

// Quality is what the room counted about itself up to a moment.
func (r *Room) Quality(at time.Time) faultline.Quality {
	q := faultline.Quality{At: at, Days: r.record.Watched(at.Unix())}
	for class := range calibrate.Classes {
		sizes := faultline.Classes()
		sum, since := r.record.Sum(class)
		if q.Since.IsZero() || !since.IsZero() && since.Before(q.Since) {
			q.Since = since
		}
		c := faultline.Curve{Level: faultline.Level(class / len(sizes)), Usual: sizes[class%len(sizes)], N: int(sum.N)}
		for k := range sum.Hits {
			c.Hits, c.Squares = append(c.Hits, int(sum.Hits[k])), append(c.Squares, int(sum.Squares[k]))
		}
		q.Curves = append(q.Curves, c)
	}
	return q
}

// appendFixed writes something of fixed size, little endian, behind its length.
func appendFixed(b []byte, what any) ([]byte, error) {
	b = binary.LittleEndian.AppendUint32(b, uint32(binary.Size(what)))
	b, err := binary.Append(b, binary.LittleEndian, what)
	if err != nil {
		return nil, fmt.Errorf("snapshot detect: %w", err)
	}
	return b, nil
}

// readFixed reads it into a pointer, and gives what is behind it.
func readFixed(b []byte, into any) (rest []byte, err error) {
	piece, rest, err := part(b)
	if err != nil {
		return nil, err
	}
	if n, err := binary.Decode(piece, binary.LittleEndian, into); err != nil || n != len(piece) {
		return nil, fmt.Errorf("restore detect: %d bytes of %T are not whole", len(piece), into)
	}
	return rest, nil
}
