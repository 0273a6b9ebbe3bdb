package detector

import (
	"hash/fnv"
	"strconv"
	"time"

	"faultline"
)

// EventID names an event by its content: the detector and its version, the
// series, the direction, and the Unix second at which it was opened.
func EventID(by string, s faultline.Series, kind faultline.EventKind, opened int64) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(by + " " + s.String() + " " + string(kind) + " " + strconv.FormatInt(opened, 10)))
	return string(kind) + "-" + Unix(opened).Format("20060102T1504") + "-" + strconv.FormatUint(h.Sum64(), 36)
}

// Unix is a Unix second as UTC.
func Unix(s int64) time.Time { return time.Unix(s, 0).UTC() }

// origins have codes so that a snapshot is of fixed size; 0 is none.
var origins = [...]faultline.Origin{"", faultline.Reconstructed, faultline.Simulated, faultline.Measured}

// OriginCode is the place of an origin in a snapshot.
func OriginCode(o faultline.Origin) uint8 {
	for i, known := range origins {
		if o == known {
			return uint8(i)
		}
	}
	return 0
}

// OriginOf is the origin of a code.
func OriginOf(code uint8) faultline.Origin { return origins[code&3] }
