package catalogue_test

import (
	"slices"
	"testing"

	"faultline"
	"faultline/internal/intake/catalogue"
)

func TestAWordOfTwoServicesIsAClash(t *testing.T) {
	service := func(id faultline.ServiceID, name string, aliases ...string) faultline.Service {
		return faultline.Service{ID: id, Name: name, Aliases: aliases}
	}
	for name, c := range map[string]struct {
		own  []faultline.Service
		want []catalogue.Clash
	}{
		"words of their own":                {[]faultline.Service{service("a-shop", "A shop", "ashop"), service("b-shop", "B shop")}, nil},
		"an alias that is another's id":     {[]faultline.Service{service("a-shop", "A"), service("b-shop", "B", "a-shop")}, []catalogue.Clash{{1, 0, "a-shop", "a-shop", false}}},
		"an alias that is a later one's id": {[]faultline.Service{service("b-shop", "B", "y", "a-shop"), service("a-shop", "A")}, []catalogue.Clash{{0, 1, "a-shop", "a-shop", false}}},
		"an alias that is another's name":   {[]faultline.Service{service("a-shop", "Café Müller"), service("b-shop", "B", "cafe muller")}, []catalogue.Clash{{1, 0, "cafe muller", "a-shop", false}}},
		"an alias that is another's alias":  {[]faultline.Service{service("a-shop", "A", "the shop"), service("b-shop", "B", "The Shop!")}, []catalogue.Clash{{1, 0, "The Shop!", "a-shop", false}}},
		"two of one name":                   {[]faultline.Service{service("a-shop", "Shop 1"), service("b-shop", "shop 1")}, []catalogue.Clash{{1, -1, "shop 1", "a-shop", false}}},
		"the alias of a shipped one":        {[]faultline.Service{service("a-shop", "A", "Twitter")}, []catalogue.Clash{{0, 0, "Twitter", "x", true}}},
		"a shipped one that is overridden":  {[]faultline.Service{service("x", "X", "Twitter"), service("birds", "Birds", "tweets")}, nil},
		"its own id and name as an alias":   {[]faultline.Service{service("a-shop", "A shop", "a-shop", "a shop")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := catalogue.Clashes(c.own); !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
