package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"faultline"
	"faultline/internal/intake/scenario"
	"faultline/scenarios"
)

// Replay takes a scenario through the pure rooms, without journal, store or
// clock, and writes what each room made: one NDJSON file a room, every revision
// a line. Only what belongs to the scenario's day on is written; the history
// before it is what the rooms learn from.
//
// The same scenario gives the same bytes. Open gives the writer of a room's
// file: samples, readings, events, incidents or statuses.
func Replay(name string, c ChainConfig, open func(room string) (io.WriteCloser, error)) (Replayed, error) {
	s, err := scenario.Find(name, scenarios.Files)
	if err != nil {
		return Replayed{}, err
	}
	w := &roomFiles{open: open, files: map[string]*roomFile{}}
	c.Series.Services, c.Incident.Services, c.Incident.Catalogue = ids(s.Services), ids(s.Services), s.Services
	sum, err := replayInto(s, NewChain(c), w)
	return sum, errors.Join(err, w.close())
}

func ids(services []faultline.Service) []faultline.ServiceID {
	out := make([]faultline.ServiceID, len(services))
	for i := range services {
		out[i] = services[i].ID
	}
	return out
}

// Replayed counts what a replay made.
type Replayed struct {
	Scenario     string
	Notice       string
	Observations int
	Lines        map[string]int
	Incidents    []faultline.Incident // newest revisions, in the order of their ids' first
}

// rooms are the files of a replay, in the order of the data.
var rooms = []string{"samples", "readings", "events", "incidents", "statuses"}

func replayInto(s *scenario.Scenario, chain *Chain, w *roomFiles) (Replayed, error) {
	sum := Replayed{Scenario: s.Name, Notice: s.Notice, Lines: map[string]int{}}
	newest := map[string]int{} // incident → place in sum.Incidents
	for _, room := range rooms {
		if err := w.begin(room); err != nil {
			return sum, err
		}
	}
	for o := range s.All() {
		sum.Observations++
		out := chain.Step(o)
		if out.At.Before(s.Day) {
			continue
		}
		for _, i := range out.Incidents {
			if at, ok := newest[i.ID]; ok {
				sum.Incidents[at] = i
			} else {
				newest[i.ID] = len(sum.Incidents)
				sum.Incidents = append(sum.Incidents, i)
			}
		}
		if err := w.write(&out, s.Day, sum.Lines); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// roomFiles are the NDJSON files of a replay.
type roomFiles struct {
	open  func(string) (io.WriteCloser, error)
	files map[string]*roomFile
}

type roomFile struct {
	to  io.WriteCloser
	buf *bufio.Writer
	enc *json.Encoder
}

func (w *roomFiles) begin(room string) error {
	f, err := w.open(room)
	if err != nil {
		return fmt.Errorf("write %s: %w", room, err)
	}
	buf := bufio.NewWriterSize(f, 1<<16)
	w.files[room] = &roomFile{f, buf, json.NewEncoder(buf)}
	return nil
}

func (w *roomFiles) write(out *Output, day time.Time, lines map[string]int) error {
	var err error
	put := func(room string, v any) {
		if err == nil {
			lines[room]++
			err = w.files[room].enc.Encode(v)
		}
	}
	for i := range out.Samples {
		if v := &out.Samples[i]; !v.Start.Before(day) {
			put("samples", sampleRow{v.Series.String() + "@" + v.Start.Format(time.RFC3339), *v})
		}
	}
	for i := range out.Readings {
		put("readings", &out.Readings[i])
	}
	for i := range out.Events {
		put("events", &out.Events[i])
	}
	for i := range out.Incidents {
		put("incidents", &out.Incidents[i])
	}
	for i := range out.Statuses {
		put("statuses", &out.Statuses[i])
	}
	return err
}

func (w *roomFiles) close() error {
	var errs []error
	for _, room := range rooms {
		if f := w.files[room]; f != nil {
			errs = append(errs, f.buf.Flush(), f.to.Close())
		}
	}
	return errors.Join(errs...)
}

// FilesIn opens the rooms' files in a folder; with "" they go nowhere.
func FilesIn(dir string) func(room string) (io.WriteCloser, error) {
	if dir == "" {
		return func(string) (io.WriteCloser, error) { return discard{}, nil }
	}
	return func(room string) (io.WriteCloser, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		return os.Create(filepath.Join(dir, room+".ndjson"))
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }
