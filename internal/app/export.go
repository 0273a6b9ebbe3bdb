package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/store"
	"faultline/internal/telemetry"
)

// ExportKinds are the kinds of records that can be exported.
func ExportKinds() []string {
	return []string{"reports", "measurements", "samples", "events", "incidents"}
}

// exported rows: an id first, then what the record holds. A report's hashes of
// reporter and network never leave.
type (
	reportRow struct {
		ID       faultline.Position `json:"id"`
		At       time.Time          `json:"at"`
		Received time.Time          `json:"received"`
		Origin   faultline.Origin   `json:"origin"`
		faultline.Report
	}
	measurementRow struct {
		ID       faultline.Position `json:"id"`
		At       time.Time          `json:"at"`
		Received time.Time          `json:"received"`
		Origin   faultline.Origin   `json:"origin"`
		faultline.Measurement
	}
	sampleRow struct {
		ID string `json:"id"`
		faultline.Sample
	}
)

// export writes all records of a kind through put.
func export(ctx context.Context, s store.Reader, kind string, f store.Filter, put func(any) error) error {
	switch kind {
	case "reports":
		f.Kind = faultline.KindReport
		return s.Observations(ctx, f, func(o *faultline.Observation) error {
			return put(reportRow{o.Position, o.At, o.Received, o.Origin, *o.Payload.(*faultline.Report)})
		})
	case "measurements":
		f.Kind = faultline.KindMeasurement
		return s.Observations(ctx, f, func(o *faultline.Observation) error {
			return put(measurementRow{o.Position, o.At, o.Received, o.Origin, *o.Payload.(*faultline.Measurement)})
		})
	case "samples":
		return s.Samples(ctx, f, func(v *faultline.Sample) error {
			return put(sampleRow{v.Series.String() + "@" + v.Start.Format(time.RFC3339), *v})
		})
	case "events":
		return exportRecords[faultline.Event](ctx, s, faultline.RecordEvent, f, put)
	case "incidents":
		return exportRecords[faultline.Incident](ctx, s, faultline.RecordIncident, f, put)
	}
	return fmt.Errorf("unknown kind %q: choose one of %s", kind, strings.Join(ExportKinds(), ", "))
}

func exportRecords[T any](ctx context.Context, s store.Reader, kind faultline.RecordKind, f store.Filter, put func(any) error) error {
	records, err := s.Records(ctx, store.RecordFilter{Kind: kind, Service: f.Service, Since: f.Since})
	if err != nil {
		return err
	}
	for i := range records {
		var v T
		if err := json.Unmarshal(records[i].Body, &v); err != nil {
			return fmt.Errorf("record %s: %w", records[i].ID, err)
		}
		if err := put(v); err != nil {
			return err
		}
	}
	return nil
}

// exporter serves GET /console/export and /console/explain to those who may read
// the data folder.
type exporter struct {
	store   store.Reader
	tokens  []string // any of them is enough; empty ones are not
	refused *telemetry.Refusals
}

func newExporter(s store.Reader, r prometheus.Registerer, tokens ...string) *exporter {
	return &exporter{store: s, tokens: tokens, refused: telemetry.NewRefusals(r, "export", "Exports and explanations refused, by reason.", "unauthorized", "bad_time", "bad_kind", "unknown_id", "store")}
}

// refuse answers with a problem document and counts it.
func (e *exporter) refuse(w http.ResponseWriter, status int, reason, detail string) {
	e.refused.Inc(reason)
	problem(w, status, reason, detail)
}

func (e *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.allowed(r) {
		e.refuse(w, http.StatusUnauthorized, "unauthorized", "an export needs the token of the console, or to run on the same data folder")
		return
	}
	q := r.URL.Query()
	if kind := q.Get("kind"); !slices.Contains(ExportKinds(), kind) {
		e.refuse(w, http.StatusBadRequest, "bad_kind", fmt.Sprintf("kind %q: choose one of %s", kind, strings.Join(ExportKinds(), ", ")))
		return
	}
	f := store.Filter{Service: faultline.ServiceID(q.Get("service"))}
	if since := q.Get("since"); since != "" {
		var err error
		if f.Since, err = time.Parse(time.RFC3339, since); err != nil {
			e.refuse(w, http.StatusBadRequest, "bad_time", fmt.Sprintf("since %q: give a time such as 2025-03-10T14:00:00Z", since))
			return
		}
	}
	put, flush := ndjsonWriter(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	if q.Get("format") == "csv" {
		put, flush = csvWriter(w)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	}
	// The body may be long and has begun when something fails: a trailer says so.
	w.Header().Set("Trailer", "X-Faultline-Error")
	if err := errors.Join(export(r.Context(), e.store, q.Get("kind"), f, put), flush()); err != nil {
		w.Header().Set("X-Faultline-Error", err.Error())
	}
}

func (e *exporter) allowed(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	for _, t := range e.tokens {
		if ok && t != "" && subtle.ConstantTimeCompare([]byte(given), []byte(t)) == 1 {
			return true
		}
	}
	return false
}

func ndjsonWriter(w io.Writer) (put func(any) error, flush func() error) {
	enc := json.NewEncoder(w)
	return enc.Encode, func() error { return nil }
}

// csvWriter writes a header from the first row's fields. What is not a plain
// value is JSON in its cell.
func csvWriter(w io.Writer) (put func(any) error, flush func() error) {
	out := csv.NewWriter(w)
	var columns []string
	put = func(v any) error {
		if columns == nil {
			columns = jsonColumns(v)
			if err := out.Write(columns); err != nil {
				return err
			}
		}
		row, err := jsonCells(v, columns)
		if err != nil {
			return err
		}
		return out.Write(row)
	}
	return put, func() error { out.Flush(); return out.Error() }
}

// problem writes an RFC 9457 problem document.
func problem(w http.ResponseWriter, status int, reason, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	//nolint:errcheck,errchkjson // the client went away
	json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "reason": reason})
}

// The local token proves that a command may read the data folder: it stands in
// a file that only the owner can read, and is new with each start.
func localTokenPath(dir string) string { return filepath.Join(dir, "secret", "local-token") }

// LocalToken reads it; empty when there is none.
func LocalToken(dir string) string {
	b, err := os.ReadFile(localTokenPath(dir))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func newLocalToken(dir string) (string, error) {
	token := make([]byte, 24)
	rand.Read(token)
	text := hex.EncodeToString(token)
	path := localTokenPath(dir)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("write local token: %w", err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write local token: %w", err)
	}
	return text, nil
}
