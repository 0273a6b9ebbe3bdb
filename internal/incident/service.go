package incident

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"faultline"
)

// service is what is known of one service. Exported fields are the snapshot.
type service struct {
	ID      faultline.ServiceID
	Current string                     // id of the incident that is open or ended last
	Weak    map[string]faultline.Event // open events that do not count yet
	Days    map[string]int             // incidents that began on a day; ids are never used again
	World   view                       // of the reports
	Odd     map[string]time.Time       // series that are odd, since their newest reading
	Views   map[string]*view           // of vantages, by series
	// Sometimes are the open events of checks that fail now and then, by series.
	Sometimes map[string]faultline.Event `json:",omitempty"`
	Script    script
	Works     []working // "works for me" by minute, oldest first; minutes with none are missing
	Shares    []moment  // of users who are hit, oldest first; moments that cannot tell are missing
	Said      []telling // by what fails, oldest first; kept as long as Shares
	// UsualWhat is how many reports a second are usual of each symptom and surface.
	UsualWhat [whats]float64
	Status    faultline.Status
	Origin    faultline.Origin

	touched bool
}

// view is the newest reading of a series, and how its checks went.
type view struct {
	Series  faultline.Series
	At      time.Time
	Width   time.Duration
	Verdict faultline.Verdict
	Reason  string
	Up      bool      // the newest check that could tell succeeded
	OKs     int       // successful checks in a row
	Fails   int       // failed ones in a row; a second attempt is not another
	Failed  time.Time // newest failed check
	Refused time.Time // newest check that the service refused to answer
	Usual   float64   // of reports: how many a second are
	Value   float64   // of reports: how many came over Width
	Settled bool      // of reports: what is usual is believed
}

func newService(id faultline.ServiceID) *service {
	return &service{
		ID: id, Weak: map[string]faultline.Event{}, Days: map[string]int{},
		Odd: map[string]time.Time{}, Views: map[string]*view{}, Sometimes: map[string]faultline.Event{}, Origin: faultline.Measured,
	}
}

// maxViews bounds the vantage series of a service.
const maxViews = 10_000

// read takes one reading.
func (r *Room) read(x *faultline.Reading) {
	s := r.service(x.Series.Service)
	s.touched, s.Origin = true, x.Origin
	switch {
	case x.Series.Level == faultline.AtVantage:
		s.look(x)
	case x.Series.Level == faultline.World:
		s.World = crowd(x)
		s.Script.look(x, r.now)
	case x.Series.Level.What():
		s.hearUsual(x)
	}
	if x.Series.Level != faultline.AtVantage {
		r.odd(s, x)
	}
	if rec := r.current(s); rec != nil && rec.open() && x.Verdict != faultline.CannotTell {
		rec.hear(x)
	}
}

// crowd is the view of the world's reports.
func crowd(x *faultline.Reading) view {
	return view{
		Series: x.Series, At: x.At, Width: time.Duration(x.Width), Verdict: x.Verdict, Reason: x.Reason,
		Usual: faultline.Round(x.Expected/max(1, time.Duration(x.Width).Seconds()), 9), Value: x.Value, Settled: time.Duration(x.Age) >= believed,
	}
}

// look keeps the newest check of a vantage.
func (s *service) look(x *faultline.Reading) {
	key := x.Series.String()
	v := s.Views[key]
	if v == nil {
		if len(s.Views) >= maxViews {
			return
		}
		v = &view{}
		s.Views[key] = v
	}
	v.Series, v.At, v.Width, v.Verdict, v.Reason = x.Series, x.At, time.Duration(x.Width), x.Verdict, x.Reason
	if x.Verdict == faultline.CannotTell {
		if x.Reason == string(faultline.RefusedToUs) {
			v.Refused = x.At
		}
		return
	}
	if v.Up = x.Value > 0; v.Up {
		v.OKs, v.Fails = v.OKs+1, 0
		return
	}
	if !x.At.Equal(v.Failed) {
		v.Fails++
	}
	v.OKs, v.Failed = 0, x.At
}

// hear notes that the series of an event could tell.
func (rec *record) hear(x *faultline.Reading) {
	for _, t := range rec.Events {
		if t.Event.Series == x.Series {
			t.Heard = latest(t.Heard, x.At)
		}
	}
}

// odd keeps the series whose newest reading is odd but made no incident. What
// people say must be more surprising than that: there are nine series of it.
func (r *Room) odd(s *service, x *faultline.Reading) {
	unusual := x.Verdict == faultline.Odd || x.Verdict == faultline.Surging || x.LogP >= r.cfg.OddLogP && x.Verdict != faultline.Dropping && x.Value > x.Expected
	if x.Series.Level.What() && x.LogP < r.cfg.OddLogP+shared(x.Series.Level) {
		unusual = false
	}
	if unusual && x.Verdict != faultline.CannotTell && x.Reporters >= r.cfg.OddReporters {
		s.Odd[x.Series.String()] = x.At
	} else if len(s.Odd) > 0 {
		delete(s.Odd, x.Series.String())
	}
}

// isOdd forgets series that fell silent.
func (r *Room) isOdd(s *service) bool {
	maps.DeleteFunc(s.Odd, func(_ string, at time.Time) bool { return r.now.Sub(at) > r.cfg.Fresh })
	return len(s.Odd) > 0
}

// fresh says whether the vantage was heard within three of its intervals.
func (v *view) fresh(now time.Time) bool {
	return now.Sub(v.At) <= max(3*v.Width, 2*time.Minute)
}

// healthy says whether the vantage can tell now.
func (v *view) healthy(now time.Time) bool { return v.Verdict != faultline.CannotTell && v.fresh(now) }

// views lists the vantages in the order of their series, without those that
// were not heard for a day.
func (r *Room) views(s *service) []*view {
	maps.DeleteFunc(s.Views, func(_ string, v *view) bool { return r.now.Sub(v.At) > 24*time.Hour })
	list := make([]*view, 0, len(s.Views))
	for _, key := range slices.Sorted(maps.Keys(s.Views)) {
		list = append(list, s.Views[key])
	}
	return list
}

// newID is SLUG-DATE for the day's first incident, then SLUG-DATE-2 and so on.
func (s *service) newID(onset time.Time) string {
	day := onset.UTC().Format(time.DateOnly)
	s.Days[day]++
	id := string(s.ID) + "-" + day
	if n := s.Days[day]; n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	s.forgetDays(onset)
	return id
}

// forgetDays drops days to which no onset can belong any more.
func (s *service) forgetDays(onset time.Time) {
	oldest := onset.UTC().AddDate(-1, 0, 0).Format(time.DateOnly)
	maps.DeleteFunc(s.Days, func(day string, _ int) bool { return day < oldest })
}
