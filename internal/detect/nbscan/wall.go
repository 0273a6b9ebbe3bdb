package nbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/calendar"
)

// wall is the clock by which the season runs. It is looked up when an hour or a
// day is over, not for each bin; nothing of it needs to be in a snapshot.
type wall struct {
	place *calendar.Place // nil: UTC, and what people's clocks do is learnt
	span  calendar.Span
	date  int64 // the day that today is about
	today calendar.Day
}

func wallOf(s faultline.Series, c *Config) wall {
	w := wall{place: c.Place, date: math.MinInt64}
	if s.Country != "" && w.place == nil {
		w.place = calendar.Of(s.Country)
	}
	return w
}

// local is what the wall clock shows, as seconds since 1970 by that clock.
func (w *wall) local(unix int64) int64 {
	if w.place == nil {
		return unix
	}
	if !w.span.Holds(unix) {
		w.span = w.place.Span(unix)
	}
	return unix + w.span.Offset
}

// utc is the moment at which the wall clock shows a local time, by the offset of
// the moment that local was asked about last.
func (w *wall) utc(local int64) time.Time { return time.Unix(local-w.span.Offset, 0).UTC() }

// day says what is special about the date of a local time.
func (w *wall) day(local int64) calendar.Day {
	if w.place == nil {
		return 0
	}
	if date := (local - mod(local, 86400)) / 86400; date != w.date {
		w.date, w.today = date, w.place.Day(date)
	}
	return w.today
}

// local is the wall clock's time in the middle of a bin. Bins wider than an hour
// are dates, and stay where they are when clocks change.
func (d *Detector) local(back int) int64 {
	if d.lay.wide {
		return d.middle(back)
	}
	return d.wall.local(d.middle(back))
}

// special is what is special about the newest bin's day. While little is known
// it is a day like others: there may be no other to learn from.
func (d *Detector) special() calendar.Day {
	switch {
	case d.young() || d.st.Width > 86400:
		return 0
	case d.lay.wide:
		return d.wall.day(d.local(0)) &^ calendar.ClockChange
	}
	return d.wall.day(d.local(0))
}

// refresh brings the baseline's hours to the bin that is back bins old, and those
// of a Sunday if its day is to be held against one.
func (d *Detector) refresh(back int) {
	b, local := &d.st.Base, d.local(back)
	b.Now.refresh(b, local, d.phiTick(), d.shapeAt)
	if d.special()&calendar.Holiday != 0 {
		b.Rest.refresh(b, local-86400*daysToSunday(local), d.phiTick(), d.shapeAt)
	}
}

// daysToSunday is how many days before the date of a local time a Sunday was.
func daysToSunday(local int64) int64 { return mod((local-mod(local, 86400))/86400-3, 7) }

// usual is the least and the most that may be usual for a tick of the newest
// bin. On a public holiday people may behave as on the Sunday before it or as
// on any such day; on the day of a clock change, by the clock of an hour ago or
// of the next one. On other days it is one number.
func (d *Detector) usual(today calendar.Day) (least, most float64) {
	b, local := &d.st.Base, d.local(0)
	least = b.Now.season(local, d.st.Width, 0)
	most = least
	also := func(s float64) { least, most = min(least, s), max(most, s) }
	if today&calendar.Holiday != 0 {
		also(b.Rest.season(local-86400*daysToSunday(local), d.st.Width, 0))
	}
	if today&calendar.ClockChange != 0 {
		also(b.Now.season(local, d.st.Width, 1))
		also(b.Now.season(local, d.st.Width, -1))
	}
	return least, most
}
