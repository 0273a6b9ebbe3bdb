package report

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxBatch is how many reports an array may hold.
const maxBatch = 100

// scanner reads the one shape of JSON (RFC 8259) that the API takes: an object
// of strings and one boolean, or an array of such objects. It is written out
// because it sits on the hot path and because it is stricter than
// encoding/json: names are compared exactly, a name may come once, bytes that
// are no UTF-8 are refused, and an error names its field. Fuzzed against
// encoding/json.
type scanner struct {
	b []byte
	i int
}

// parseJSON reads a body. Drafts point into it.
func parseJSON(b []byte) (drafts []draft, batch bool, p *Problem) {
	s := &scanner{b: b}
	switch s.peek() {
	case '{':
		var d draft
		if p = s.object(&d); p == nil {
			drafts = []draft{d}
		}
	case '[':
		batch = true
		drafts, p = s.array()
	case 0:
		return nil, false, bad(ReasonMalformed, "", "the body is empty: send a JSON object, as {\"service\":\"x\",\"symptom\":\"cannot_load\",\"surface\":\"web\"}")
	default:
		return nil, false, bad(ReasonMalformed, "", "the body is not a JSON object or an array of objects")
	}
	if p == nil && s.peek() != 0 {
		p = bad(ReasonMalformed, "", "something follows the JSON value at byte %d: send one value", s.i)
	}
	return drafts, batch, p
}

// peek skips white space and gives the next byte, 0 at the end. A body with a
// zero byte in that place is refused by whatever reads it next.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		case 0:
			return 1
		default:
			return c
		}
	}
	return 0
}

// eat takes the next byte if it is c.
func (s *scanner) eat(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

func (s *scanner) malformed(want string) *Problem {
	return bad(ReasonMalformed, "", "the JSON breaks off or is wrong at byte %d: %s expected", s.i, want)
}

func (s *scanner) array() ([]draft, *Problem) {
	s.i++ // the bracket
	if s.peek() == ']' {
		return nil, wrong(ReasonBatch, "", "the array is empty: send 1 to %d reports", maxBatch)
	}
	var drafts []draft
	for {
		if len(drafts) == maxBatch {
			return nil, wrong(ReasonBatch, "", "the array holds more than %d reports: send them in several requests", maxBatch)
		}
		if s.peek() != '{' {
			return nil, s.malformed("an object")
		}
		var d draft
		if p := s.object(&d); p != nil {
			return nil, p.within(len(drafts))
		}
		drafts = append(drafts, d)
		if s.eat(']') {
			return drafts, nil
		}
		if !s.eat(',') {
			return nil, s.malformed("a comma or ]")
		}
	}
}

func (s *scanner) object(d *draft) *Problem {
	s.i++ // the brace
	if s.eat('}') {
		return nil
	}
	var seen [6]bool
	for {
		if s.peek() != '"' {
			return s.malformed("a name in quotes")
		}
		name, p := s.text()
		if p != nil {
			return p
		}
		if !s.eat(':') {
			return s.malformed("a colon")
		}
		if p := s.member(d, name, &seen); p != nil {
			return p
		}
		if s.eat('}') {
			return nil
		}
		if !s.eat(',') {
			return s.malformed("a comma or }")
		}
	}
}

// fieldNames are the members of a report, in the order of draft.field.
var fieldNames = [6]string{"service", "symptom", "surface", "since", "country", "works"}

// field gives where the text field number i is kept.
func (d *draft) field(i int) *[]byte {
	return [5]*[]byte{&d.service, &d.symptom, &d.surface, &d.since, &d.country}[i]
}

// fieldNumber finds a field by its name, or gives -1.
func fieldNumber(name []byte) int {
	for i, n := range fieldNames {
		if string(name) == n {
			return i
		}
	}
	return -1
}

func unknownField(name []byte) *Problem {
	p := bad(ReasonUnknownField, "", "a report has no field %s: it has service, symptom, surface, since, works and country", quoted(name))
	p.Field = string(name[:min(len(name), 64)])
	return p
}

func (s *scanner) member(d *draft, name []byte, seen *[6]bool) *Problem {
	i := fieldNumber(name)
	if i < 0 {
		return unknownField(name)
	}
	if seen[i] {
		return bad(ReasonMalformed, fieldNames[i], "%s is there twice", fieldNames[i])
	}
	seen[i] = true
	c := s.peek()
	switch {
	case c == 'n' && s.word("null"):
		return nil // as if it had been left out
	case i == 5 && c == 't' && s.word("true"):
		d.works = true
		return nil
	case i == 5 && c == 'f' && s.word("false"):
		return nil
	case i < 5 && c == '"':
		v, p := s.text()
		*d.field(i) = v
		return p
	case i == 5:
		return bad(ReasonType, fieldNames[i], "%s wants true or false", fieldNames[i])
	}
	return bad(ReasonType, fieldNames[i], "%s wants a text in quotes", fieldNames[i])
}

// word takes a literal name.
func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return false
	}
	s.i += len(w)
	return true
}

// text reads a string; without escapes it is a part of the body.
func (s *scanner) text() ([]byte, *Problem) {
	start, plain := s.i, true
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.unquoted(start, plain)
		case c == '\\':
			plain = false
			s.i++
		case c < ' ':
			return nil, s.malformed("no control character in a text, but an escape")
		}
	}
	s.i = len(s.b)
	return nil, s.malformed("the end of a text")
}

func (s *scanner) unquoted(start int, plain bool) ([]byte, *Problem) {
	raw := s.b[start:s.i]
	if !utf8.Valid(raw) {
		return nil, bad(ReasonMalformed, "", "a text before byte %d is not UTF-8", s.i)
	}
	if plain {
		return raw[1 : len(raw)-1 : len(raw)-1], nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, bad(ReasonMalformed, "", "a text before byte %d has a wrong escape", s.i)
	}
	return []byte(text), nil
}
