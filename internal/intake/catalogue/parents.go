package catalogue

import (
	"bytes"
	_ "embed" // for the shipped lists
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"

	"faultline"
)

//go:embed parents.csv
var parentsCSV []byte

//go:embed networks.csv
var networksCSV []byte

// How a parent is known.
const (
	knownShipped  = "catalogue"
	knownOperator = "operator"
)

// relations is what a parent may be to a service.
var relations = []string{"cdn", "cloud", "dns", "network", "platform"}

// addParents reads lines of service,parent,as,source into the list. The source
// is for who maintains the file: without one a line is not taken.
func addParents(list []faultline.Service, b []byte) error {
	return eachRow(b, 4, func(row []string) error {
		s, parent := find(list, row[0]), find(list, row[1])
		if s == nil || parent == nil || s == parent || row[3] == "" || !slices.Contains(relations, row[2]) {
			return fmt.Errorf("%q: want two services of the list, one of %v, and a source", row, relations)
		}
		s.Parents = append(s.Parents, faultline.Parent{ID: parent.ID, As: row[2], Known: knownShipped})
		return nil
	})
}

// addNetworks reads lines of service,asn into the list.
func addNetworks(list []faultline.Service, b []byte) error {
	return eachRow(b, 2, func(row []string) error {
		s := find(list, row[0])
		n, err := strconv.ParseUint(row[1], 10, 32)
		if s == nil || err != nil || n == 0 {
			return fmt.Errorf("%q: want a service of the list and the number of a network", row)
		}
		s.ASNs = append(s.ASNs, faultline.ASN(n))
		return nil
	})
}

func eachRow(b []byte, fields int, take func([]string) error) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comment, r.FieldsPerRecord = '#', fields
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	for _, row := range rows {
		if err := take(row); err != nil {
			return err
		}
	}
	return nil
}

func find(list []faultline.Service, id string) *faultline.Service {
	for i := range list {
		if string(list[i].ID) == id {
			return &list[i]
		}
	}
	return nil
}

// carried puts the operator's word about what carries a service over what is
// shipped: an own list replaces the shipped one.
func carried(s *faultline.Service, with *faultline.Service) {
	if len(with.Parents) > 0 {
		s.Parents = slices.Clone(with.Parents)
		for i := range s.Parents {
			if s.Parents[i].Known == "" {
				s.Parents[i].Known = knownOperator
			}
		}
	}
	if len(with.ASNs) > 0 {
		s.ASNs = slices.Clone(with.ASNs)
	}
}

// CheckParents says what is wrong with the parents of an operator's service:
// one that is no service here, itself, or a relation that nobody knows.
func CheckParents(own []faultline.Service, s *faultline.Service) error {
	known := Shipped()
	for _, p := range s.Parents {
		switch {
		case p.ID == s.ID:
			return fmt.Errorf("%q is named as its own parent: name what carries it", p.ID)
		case find(known, string(p.ID)) == nil && find(own, string(p.ID)) == nil:
			return fmt.Errorf("parent %q is no service: add it to services, or use the id of a shipped one", p.ID)
		case p.As != "" && !slices.Contains(relations, p.As):
			return fmt.Errorf("parent %q: as %q: want one of %v, or nothing", p.ID, p.As, relations)
		}
	}
	return nil
}
