// Package catalogue is the list of services that people may report: well-known
// ones that ship with the program, and the operator's own, which add to them
// or override them.
//
// In: the operator's services. Out: a service by its id, and by whatever a
// person types: a name, an alias, a host name, an address copied from a
// browser, in any case, without accents, with one slip of the finger.
//
// Promises: a [Catalogue] is safe for concurrent use; [Catalogue.Set] replaces
// all of it at once, so a reader sees the old list or the new one. The same
// list and the same query give the same answer in the same order. Ids are
// checked here ([CheckID]): they stand in addresses for ever.
//
// Shipped services have no probe targets: what is probed is for the operator
// to say. Some say what carries them, where that is publicly certain; the file
// has the sources.
package catalogue

import (
	"bytes"
	"cmp"
	_ "embed" // for the shipped list
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"faultline"
)

//go:embed services.csv
var shippedCSV []byte

// Catalogue is the services of the moment.
type Catalogue struct{ now atomic.Pointer[index] }

// New makes a catalogue of the shipped services and the operator's.
func New(own ...faultline.Service) (*Catalogue, error) {
	c := &Catalogue{}
	if err := c.Set(own); err != nil {
		return nil, err
	}
	return c, nil
}

// Set replaces the operator's services. A service with the id of a shipped one
// overrides the fields that it gives. On an error nothing changes.
func (c *Catalogue) Set(own []faultline.Service) error {
	list, err := merge(Shipped(), own)
	if err != nil {
		return err
	}
	c.now.Store(newIndex(list))
	return nil
}

// Get gives a service by its id.
func (c *Catalogue) Get(id faultline.ServiceID) (faultline.Service, bool) {
	x := c.now.Load()
	i, ok := x.byID[id]
	if !ok {
		return faultline.Service{}, false
	}
	return x.list[i], true
}

// Known gives the catalogue's own copy of an id, so that a caller that holds
// the id as bytes need not keep or copy them.
func (c *Catalogue) Known(id []byte) (faultline.ServiceID, bool) {
	x := c.now.Load()
	i, ok := x.byID[faultline.ServiceID(id)]
	if !ok {
		return "", false
	}
	return x.list[i].ID, true
}

// All lists the services by name. The slice is the caller's; what is in it is
// shared and must not be changed.
func (c *Catalogue) All() []faultline.Service { return slices.Clone(c.now.Load().list) }

// Len is the number of services.
func (c *Catalogue) Len() int { return len(c.now.Load().list) }

// Shipped gives the services that come with the program, in the order of the
// file.
func Shipped() []faultline.Service {
	list, err := parse(shippedCSV)
	if err == nil {
		err = errors.Join(addParents(list, parentsCSV), addNetworks(list, networksCSV))
	}
	if err != nil {
		panic("shipped catalogue: " + err.Error()) // a test reads it; it is part of the binary
	}
	return list
}

// parse reads lines of id,name,category,aliases.
func parse(b []byte) ([]faultline.Service, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comment, r.FieldsPerRecord = '#', 4
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	list := make([]faultline.Service, len(rows))
	for i, row := range rows {
		s := faultline.Service{ID: faultline.ServiceID(row[0]), Name: row[1], Category: row[2]}
		if row[3] != "" {
			s.Aliases = strings.Split(row[3], "|")
		}
		if err := CheckID(s.ID); err != nil {
			return nil, err
		}
		list[i] = s
	}
	return list, nil
}

// merge puts the operator's services over the shipped ones, sorted by name.
func merge(list, own []faultline.Service) ([]faultline.Service, error) {
	at := make(map[faultline.ServiceID]int, len(list)+len(own))
	for i, s := range list {
		at[s.ID] = i
	}
	mine := map[faultline.ServiceID]bool{}
	for _, s := range own {
		if err := CheckID(s.ID); err != nil {
			return nil, err
		}
		if mine[s.ID] {
			return nil, fmt.Errorf("service %q is there twice: give each service once", s.ID)
		}
		mine[s.ID] = true
		if i, ok := at[s.ID]; ok {
			list[i] = override(list[i], s)
			continue
		}
		at[s.ID] = len(list)
		list = append(list, override(faultline.Service{Name: string(s.ID)}, s))
	}
	slices.SortFunc(list, func(a, b faultline.Service) int {
		return cmp.Or(cmp.Compare(fold(a.Name), fold(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

func override(s, with faultline.Service) faultline.Service {
	s.ID = with.ID
	if with.Name != "" {
		s.Name = with.Name
	}
	if len(with.Aliases) > 0 {
		s.Aliases = slices.Clone(with.Aliases)
	}
	if with.Category != "" {
		s.Category = with.Category
	}
	s.Targets = slices.Clone(with.Targets)
	carried(&s, &with)
	return s
}
