package catalogue

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"faultline"
)

// index is a list of services and the words they are found by.
type index struct {
	list  []faultline.Service
	byID  map[faultline.ServiceID]int
	hosts map[string]int
	terms []term
}

// term is one folded name of a service.
type term struct {
	text    string
	runes   []rune
	service int
}

func newIndex(list []faultline.Service) *index {
	x := &index{list: list, byID: make(map[faultline.ServiceID]int, len(list)), hosts: map[string]int{}}
	for i, s := range list {
		x.byID[s.ID] = i
		x.addTerm(string(s.ID), i)
		x.addTerm(s.Name, i)
		for _, a := range s.Aliases {
			x.addHost(a, i)
			x.addTerm(a, i)
		}
		for _, t := range s.Targets {
			x.addHost(t.URL, i)
		}
	}
	return x
}

func (x *index) addTerm(text string, service int) {
	if f := fold(text); f != "" {
		x.terms = append(x.terms, term{f, []rune(f), service})
	}
}

// addHost makes a service known by a host; the first in the list that claims
// it keeps it.
func (x *index) addHost(text string, service int) {
	if h := host(text); h != "" {
		if _, taken := x.hosts[h]; !taken {
			x.hosts[h] = service
		}
	}
}

// How well a term fits a query, from best to worst.
const (
	exact = iota
	beginning
	wordBeginning
	inside
	slip
	noFit
)

// maxQuery bounds what one search may cost, in bytes.
const maxQuery = 200

// Search finds services by what a person typed or pasted, the best first, at
// most limit of them (0: all that fit). An address or host name finds the
// service it belongs to, and its subdomains do too.
func (c *Catalogue) Search(query string, limit int) []faultline.Service {
	x := c.now.Load()
	if len(query) > maxQuery {
		query = strings.ToValidUTF8(query[:maxQuery], "")
	}
	if i, ok := x.byHost(host(query)); ok {
		return []faultline.Service{x.list[i]}
	}
	found := x.rank(fold(query), slip)
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	out := make([]faultline.Service, len(found))
	for i, at := range found {
		out[i] = x.list[at]
	}
	return out
}

// Nearest lists the ids that a wrong id may have been meant to be, at most
// three.
func (c *Catalogue) Nearest(id string) []faultline.ServiceID {
	var out []faultline.ServiceID
	for _, s := range c.Search(id, 3) {
		out = append(out, s.ID)
	}
	return out
}

// byHost finds a host or the nearest domain above it.
func (x *index) byHost(h string) (int, bool) {
	for h != "" {
		if i, ok := x.hosts[h]; ok {
			return i, true
		}
		_, h, _ = strings.Cut(h, ".")
	}
	return 0, false
}

// rank lists the services that fit no worse than worst: by fit, then by how
// little of the name is left over, then by the list's order.
func (x *index) rank(query string, worst int) []int {
	if query == "" {
		return nil
	}
	type hit struct{ fit, rest, service int }
	best, q := map[int]hit{}, []rune(query)
	for _, t := range x.terms {
		h := hit{t.fits(query, q), len(t.runes) - len(q), t.service}
		if h.fit > worst {
			continue
		}
		if old, ok := best[t.service]; !ok || h.fit < old.fit || h.fit == old.fit && h.rest < old.rest {
			best[t.service] = h
		}
	}
	hits := make([]hit, 0, len(best))
	for _, h := range best {
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.fit, b.fit), cmp.Compare(a.rest, b.rest), cmp.Compare(a.service, b.service))
	})
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.service
	}
	return out
}

func (t *term) fits(query string, q []rune) int {
	switch i := strings.Index(t.text, query); {
	case t.text == query:
		return exact
	case i == 0:
		return beginning
	case i > 0 && strings.Contains(t.text, " "+query):
		return wordBeginning
	case i > 0 && len(q) >= 3:
		return inside
	}
	if len(q) >= 4 && oneSlip(t.runes, q) {
		return slip
	}
	return noFit
}

// oneSlip says whether one insertion, deletion, replacement or swap of two
// neighbours makes b of a.
func oneSlip(a, b []rune) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	for len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return len(a) <= 1 || swapped
}

// ascii are letters that have no decomposition and that keyboards lack.
var ascii = strings.NewReplacer("ß", "ss", "ø", "o", "ł", "l", "æ", "ae", "œ", "oe", "đ", "d", "ı", "i", "&", " and ", "+", " plus ")

// fold makes spellings comparable: lower case, no accents (Unicode NFKD without
// marks), and one space for whatever is neither letter nor digit.
func fold(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(ascii.Replace(strings.ToLower(s))) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(unicode.ToLower(r))
		default:
			space = true
		}
	}
	return b.String()
}

// host is the host name in an address or a bare host name, else "". Words and
// sentences are no hosts: those have a dot inside and no space.
func host(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || strings.ContainsFunc(s, unicode.IsSpace) || !utf8.ValidString(s) {
		return ""
	}
	scheme := strings.Contains(s, "://")
	if !scheme {
		s = "//" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	h := strings.TrimPrefix(strings.Trim(u.Hostname(), "."), "www.")
	if !scheme && !strings.Contains(h, ".") {
		return ""
	}
	return h
}
