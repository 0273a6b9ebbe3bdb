package calendar

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/netinfo"
)

func unix(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func number(t *testing.T, date string) int64 { return unix(t, date+"T00:00:00Z") / 86400 }

func TestOffsetsAreThoseOfTheWallClock(t *testing.T) {
	for _, c := range []struct {
		country faultline.Country
		at      string
		minutes int64
	}{
		{"GB", "2025-03-30T00:59:59Z", 0},
		{"GB", "2025-03-30T01:00:00Z", 60},
		{"GB", "2025-10-26T00:59:59Z", 60},
		{"GB", "2025-10-26T01:00:00Z", 0},
		{"DE", "2025-03-10T12:00:00Z", 60},
		{"US", "2025-03-09T06:59:59Z", -5 * 60},
		{"US", "2025-03-09T07:00:00Z", -4 * 60},
		{"AU", "2025-04-05T15:59:59Z", 11 * 60}, // south of the equator summer ends in April
		{"AU", "2025-04-05T16:00:00Z", 10 * 60},
		{"JP", "2025-07-01T00:00:00Z", 9 * 60},
		{"IN", "2025-01-01T00:00:00Z", 5*60 + 30},
		{"NP", "2025-01-01T00:00:00Z", 5*60 + 45},
		{"BR", "2018-12-01T00:00:00Z", -2 * 60}, // the last summer with another clock
		{"BR", "2025-12-01T00:00:00Z", -3 * 60},
		{"XK", "2025-07-01T00:00:00Z", 2 * 60},
	} {
		at := unix(t, c.at)
		s := Of(c.country).Span(at)
		if s.Offset != c.minutes*60 || !s.Holds(at) {
			t.Errorf("%s at %s: %+v, want %d minutes", c.country, c.at, s, c.minutes)
		}
	}
}

func TestASpanReachesFromOneChangeOfTheClockToTheNext(t *testing.T) {
	s := Of("GB").Span(unix(t, "2025-06-01T00:00:00Z"))
	want := Span{unix(t, "2025-03-30T01:00:00Z"), unix(t, "2025-10-26T01:00:00Z"), 3600}
	if s != want || s.Holds(s.From-1) || !s.Holds(s.From) || !s.Holds(s.Until-1) || s.Holds(s.Until) {
		t.Errorf("%+v, want %+v", s, want)
	}
	if s := Of("JP").Span(0); s.Holds(unix(t, "1940-01-01T00:00:00Z")) || !s.Holds(unix(t, "2100-01-01T00:00:00Z")) {
		t.Errorf("Japan in 1970: %+v, want no end", s)
	}
}

func TestDays(t *testing.T) {
	for _, c := range []struct {
		country    faultline.Country
		date, name string
		want       Day
	}{
		{"GB", "2025-03-10", "an ordinary Monday", 0},
		{"GB", "2025-04-18", "Good Friday hangs on Easter", Holiday},
		{"GB", "2025-04-21", "so does Easter Monday", Holiday},
		{"GB", "2021-12-28", "Boxing Day fell on a Sunday", Holiday},
		{"GB", "2025-03-30", "clocks go forward", ClockChange},
		{"GB", "2025-03-31", "and are not touched the day after", 0},
		{"GB", "2025-10-26", "clocks go back", ClockChange},
		{"GR", "2025-04-21", "Easter of the orthodox churches", Holiday},
		{"GR", "2024-04-01", "Easter Monday of the others", 0},
		{"DE", "2025-10-03", "a fixed date", Holiday},
		{"US", "2025-11-27", "the fourth Thursday", Holiday},
		{"US", "2026-07-03", "free for the Saturday after it", Holiday},
		{"US", "2025-03-09", "clocks go forward", ClockChange},
		{"JP", "2025-03-20", "the equinox", Holiday},
		{"JP", "2025-03-30", "clocks are never touched", 0},
		{"AU", "2025-10-05", "clocks go forward in spring", ClockChange},
		{"AU", "2025-04-25", "Anzac Day", Holiday},
		{"CL", "2025-09-07", "clocks go forward at midnight itself", ClockChange},
		{"CL", "2025-09-06", "not the day before it", 0},
		{"DE", "2024-03-31", "Easter Sunday is on no list, the clock is", ClockChange},
		{"IN", "2025-01-26", "a holiday that is not known", 0},
	} {
		if got := Of(c.country).Day(number(t, c.date)); got != c.want {
			t.Errorf("%s, %s (%s): %b, want %b", c.country, c.date, c.name, got, c.want)
		}
	}
}

func TestWhoseHolidaysAreKnownIsSaid(t *testing.T) {
	if !Of("GB").KnowsHolidays() || Of("IN").KnowsHolidays() {
		t.Errorf("GB %v, IN %v; want true, false", Of("GB").KnowsHolidays(), Of("IN").KnowsHolidays())
	}
}

// A list whose days lie at midnight of the machine's zone would move by a day
// where that midnight does not exist.
func TestHolidaysDoNotHangOnTheMachinesZone(t *testing.T) {
	Of("GB")
	for country, days := range lists() {
		for _, h := range days {
			for year := 2020; year < 2040; year++ {
				if at, _ := h.Calc(year); !at.IsZero() && at.Location() != time.UTC {
					t.Fatalf("%s, %s of %d lies in %s", country, h.Name, year, at.Location())
				}
			}
		}
	}
}

// Every country that an address can be in has a clock, but for two without people.
func TestEachCountryHasAClock(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			c, ok := netinfo.Country(string([]rune{a, b}))
			if !ok || c == faultline.UnknownCountry {
				continue
			}
			p := Of(c)
			if (p == nil) != (c == "BV" || c == "HM") {
				t.Errorf("%s: %v", c, p)
			}
			n++
		}
	}
	if n != 250 || len(zoneOf()) != 248 {
		t.Errorf("%d countries, %d clocks", n, len(zoneOf()))
	}
}

func TestUnknownPlaces(t *testing.T) {
	if Of("ZZ") != nil || Of("") != nil {
		t.Error("an unknown country has a clock")
	}
	if _, err := In("Europe/Atlantis"); err == nil {
		t.Error("an unknown zone has a clock")
	}
	if p, err := In("America/Los_Angeles"); err != nil || p.Span(0).Offset != -8*3600 {
		t.Errorf("Los Angeles: %v, %v", p, err)
	}
	if p, err := In("UTC"); err != nil || p.Span(0).Offset != 0 || p.Day(20000) != 0 {
		t.Errorf("UTC: %v, %v", p, err)
	}
}
