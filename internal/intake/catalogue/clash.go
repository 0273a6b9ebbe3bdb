package catalogue

import "faultline"

// A Clash is a name or alias of an operator's service by which a reader would
// find another service too, and could report the wrong one.
type Clash struct {
	Service int // place in the operator's list
	Alias   int // place among its aliases; −1: the name
	Word    string
	Other   faultline.ServiceID
	Shipped bool // the other one comes with the program
}

// Clashes lists those of the operator's services, in their order. Words are
// compared as readers type them: without case, accents and signs. Of two
// services with the same word the later one is named.
func Clashes(own []faultline.Service) (all []Clash) {
	shipped, mine := claims{}, claims{}
	for _, s := range Shipped() {
		shipped.service(s)
	}
	for _, s := range own {
		shipped.forget(s.ID) // overridden
	}
	for _, s := range own {
		mine.add(string(s.ID), s.ID)
	}
	for i, s := range own {
		for k, word := range append([]string{s.Name}, s.Aliases...) {
			c := Clash{Service: i, Alias: k - 1, Word: word}
			var taken bool
			if c.Other, taken = mine.by(word, s.ID); !taken {
				c.Other, c.Shipped = shipped.by(word, s.ID)
				taken = c.Shipped
			}
			if taken {
				all = append(all, c)
			}
			mine.add(word, s.ID)
		}
	}
	return all
}

// claims says which service a folded word belongs to.
type claims map[string]faultline.ServiceID

func (c claims) service(s faultline.Service) {
	c.add(string(s.ID), s.ID)
	c.add(s.Name, s.ID)
	for _, a := range s.Aliases {
		c.add(a, s.ID)
	}
}

// add lets a service have a word, if nobody has it yet.
func (c claims) add(word string, id faultline.ServiceID) {
	f := fold(word)
	if _, taken := c[f]; f != "" && !taken {
		c[f] = id
	}
}

func (c claims) forget(id faultline.ServiceID) {
	for w, of := range c {
		if of == id {
			delete(c, w)
		}
	}
}

// by says which service other than id has a word.
func (c claims) by(word string, id faultline.ServiceID) (faultline.ServiceID, bool) {
	other, taken := c[fold(word)]
	return other, taken && other != id
}
