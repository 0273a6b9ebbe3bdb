package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"faultline"
	"faultline/internal/netinfo"
	"faultline/internal/publish/live"
)

// country reads the country that a query asks for, or "" if it asks for none.
// What is no country is refused, on every address: an answer for the world must
// not be taken for a country's. Other parameters (those of trackers) mean
// nothing here and are left alone.
func (s *Site) country(query string) (faultline.Country, *Problem) {
	q, err := url.ParseQuery(query)
	typed, asked := q["country"]
	if err != nil && strings.Contains(query, "country") {
		return "", &Problem{http.StatusBadRequest, refusedQuery, "country", "We can’t read this address", "Something after the question mark is not written as addresses are. Write ?country=GB, or leave it out for the world."}
	}
	if !asked {
		return "", nil
	}
	if len(typed) > 1 {
		return "", &Problem{http.StatusBadRequest, refusedQuery, "country", "One country at a time", "The address asks for several. Write ?country=GB, or leave it out for the world."}
	}
	if c, ok := netinfo.Country(typed[0]); ok {
		return c, nil
	}
	if c := faultline.Country(strings.ToUpper(typed[0])); s.counted(c) {
		return c, nil
	}
	return "", noCountry(typed[0])
}

// counted says whether some service has numbers of a country that is on no list
// (any more): an operator's own table may name one.
func (s *Site) counted(c faultline.Country) bool {
	return c.Valid() && slices.ContainsFunc(s.d.View().Services, func(svc *live.Service) bool { return svc.Country(c) != nil })
}

func noCountry(typed string) *Problem {
	p := &Problem{Status: http.StatusBadRequest, Reason: refusedCountry, Field: "country", Title: "There is no country “" + shortened(typed) + "”"}
	p.Detail = "Countries are named by two letters (ISO 3166-1), as in ?country=GB. Leave it out for the world."
	if typed == "" {
		p.Title = "No country is named"
	}
	if c := netinfo.MeantCountry(typed); c != "" {
		p.Detail = "Did you mean ?country=" + string(c) + "? " + p.Detail
	}
	return p
}

// shortened cuts what somebody typed to what a headline takes, in valid UTF-8.
func shortened(typed string) string {
	typed = strings.ToValidUTF8(typed, "�")
	if r := []rune(typed); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return typed
}

// notByCountry refuses a country where an address has numbers of the world only.
func notByCountry(c faultline.Country) *Problem {
	return &Problem{http.StatusBadRequest, refusedNoFilter, "country", "This address can’t be had for one country", "A service’s page and its JSON can, as in /s/NAME?country=" + string(c) + ", and an incident’s CSV. Leave ?country=" + string(c) + " off to see this one for the world."}
}
