// Package calendar knows what a wall clock shows in a country and on which days
// its people stay at home.
//
// In: a country, or the name of a time zone, and moments. Out: the offset from
// UTC, and what kind of day it is there. Both are the same on every machine:
// the zones are those that the program was built with (zones.zip, from the tz
// database) and never the machine's own, and nothing here asks a clock.
//
// It does not know: the zones within a country (one stands for all), holidays
// of single regions, school holidays, and any holiday of a country that is not
// in holidays.go; of those it says so.
package calendar

import (
	"archive/zip"
	"bytes"
	_ "embed" // for the zones
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"

	"faultline"
)

// build's comment says how a newer file is made.
//
//go:embed zones.zip
var shipped []byte

// Place is somewhere with one wall clock. It may be used from several
// goroutines at once.
type Place struct {
	zone     *time.Location
	holidays *cal.Calendar // nil: none is known
}

// places are the countries that have a clock.
var places = func() map[faultline.Country]func() *Place {
	cal.DefaultLoc = time.UTC // days are dates, whatever the machine's zone
	all := map[faultline.Country]func() *Place{}
	for country, zone := range zoneOf() {
		all[country] = sync.OnceValue(func() *Place {
			p, err := In(zone)
			if err != nil {
				panic(fmt.Sprintf("calendar: %v: zones.zip is not what build made", err))
			}
			p.holidays = holidaysOf(country)
			return p
		})
	}
	return all
}()

// zoneOf is the name of each country's zone.
func zoneOf() map[faultline.Country]string {
	words := strings.Fields(mainZones)
	all := make(map[faultline.Country]string, len(words)/2)
	for i := 0; i < len(words); i += 2 {
		all[faultline.Country(words[i])] = words[i+1]
	}
	return all
}

// Of is the place that stands for a country; nil if its clock is not known.
func Of(c faultline.Country) *Place {
	if p := places[c]; p != nil {
		return p()
	}
	return nil
}

// In is a place in an IANA zone that is named for a place, or in UTC. No holidays
// of it are known: a zone is no country.
func In(zone string) (*Place, error) {
	if zone == "UTC" {
		return &Place{zone: time.UTC}, nil
	}
	archive, err := zip.NewReader(bytes.NewReader(shipped), int64(len(shipped)))
	if err != nil {
		return nil, err
	}
	f, err := archive.Open(zone)
	if err != nil {
		return nil, fmt.Errorf("no time zone is called %q: write one as in Europe/Berlin", zone)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	loc, err := time.LoadLocationFromTZData(zone, data)
	return &Place{zone: loc}, err
}

// Zone is the place's time zone.
func (p *Place) Zone() *time.Location { return p.zone }

// KnowsHolidays says whether any holiday of the place is known.
func (p *Place) KnowsHolidays() bool { return p.holidays != nil }

// A Span is a stretch of time in which a clock is not touched: from From until
// before Until, Unix seconds, it shows Offset seconds more than UTC.
type Span struct{ From, Until, Offset int64 }

// Holds says whether a moment lies in the span.
func (s *Span) Holds(unix int64) bool { return s.From <= unix && unix < s.Until }

// Span is the one that holds a moment.
func (p *Place) Span(unix int64) Span {
	at := time.Unix(unix, 0).In(p.zone)
	_, offset := at.Zone()
	s := Span{From: math.MinInt64, Until: math.MaxInt64, Offset: int64(offset)}
	from, until := at.ZoneBounds()
	if !from.IsZero() {
		s.From = from.Unix()
	}
	if !until.IsZero() {
		s.Until = until.Unix()
	}
	return s
}

// Day is what is special about a date.
type Day uint8

// Kinds of days; a day may be both.
const (
	Holiday     Day = 1 << iota // a public holiday, or the working day that is free for it
	ClockChange                 // the clock was put forward or back in the night before its noon
)

// Day says what is special about the day that is so many days after 1 January
// 1970 by the place's own dates.
func (p *Place) Day(number int64) Day {
	var d Day
	date := time.Unix(number*86400, 0).UTC()
	if p.holidays != nil {
		if actual, observed, _ := p.holidays.IsHoliday(date); actual || observed {
			d = Holiday
		}
	}
	if p.atNoon(date) != p.atNoon(date.AddDate(0, 0, -1)) {
		d |= ClockChange
	}
	return d
}

// atNoon is the offset at noon of a date: clocks are touched by night, in some
// countries at midnight itself.
func (p *Place) atNoon(date time.Time) int {
	_, offset := time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, p.zone).Zone()
	return offset
}
