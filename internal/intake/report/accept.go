package report

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"faultline"
)

const (
	maxBody = 64 << 10
	// appendTimeout bounds how long a request waits for the journal, a second
	// more or less. The append goes on when the client leaves: half of an
	// acknowledgement helps nobody.
	appendTimeout = 20 * time.Second
	retryFull     = 30 * time.Second
	retryBusy     = time.Second
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// request is what the checks before the body found out.
type request struct {
	*http.Request
	now    time.Time
	client netip.Addr
	key    uint64 // of the Idempotency-Key, 0 for none
}

// buffers hold bodies while they are parsed.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (h *Handler) fromJSON(w http.ResponseWriter, r *http.Request) (ids []faultline.Position, batch bool, p *Problem) {
	q, p := h.open(r, jsonType)
	if p != nil {
		return nil, false, p
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	if p := readBody(w, r, buf); p != nil {
		return nil, false, p
	}
	drafts, batch, p := parseJSON(buf.Bytes())
	if p != nil {
		return nil, batch, p
	}
	ids, p = h.accept(q, drafts, batch)
	return ids, batch, p
}

func (h *Handler) fromForm(w http.ResponseWriter, r *http.Request) *Problem {
	q, p := h.open(r, formType)
	if p != nil {
		return p
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	if p := readBody(w, r, buf); p != nil {
		return p
	}
	d, p := parseForm(buf.Bytes(), r.PathValue("slug"), q.now)
	if p != nil {
		return p
	}
	if _, p = h.accept(q, []draft{*d}, false); p != nil && p.Reason == ReasonService {
		p.Status, p.Title = http.StatusNotFound, http.StatusText(http.StatusNotFound)
	}
	return p
}

// open checks all that can be checked before the body is read.
func (h *Handler) open(r *http.Request, contentType string) (*request, *Problem) {
	if r.Method != http.MethodPost {
		return nil, refusal(http.StatusMethodNotAllowed, ReasonMethod, "", "reports are sent with POST")
	}
	client, proxied, p := h.client(r)
	if cross := h.crossSite(r, proxied); cross != nil {
		return nil, cross
	}
	if p != nil {
		return nil, p
	}
	q := &request{Request: r, now: h.Now().UTC(), client: client}
	if p := h.afford(q, 1); p != nil {
		return nil, p
	}
	if p := checkType(r, contentType); p != nil {
		return nil, p
	}
	if p := h.admit(); p != nil {
		return nil, p
	}
	q.key, p = idempotencyKey(r)
	return q, p
}

func checkType(r *http.Request, want string) *Problem {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return refusal(http.StatusUnsupportedMediaType, ReasonContentType, "Content-Type", "the content type is %s: send %s", quoted(r.Header.Get("Content-Type")), want)
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return refusal(http.StatusUnsupportedMediaType, ReasonContentType, "Content-Encoding", "the body is encoded as %s: send it plain", quoted(e))
	}
	return nil
}

// admit asks the disk budget. The cause is for the operator, not the reader.
func (h *Handler) admit() *Problem {
	if h.Admit == nil {
		return nil
	}
	if err := h.Admit(); err != nil {
		h.complain(h.Now(), "reports refused: no room on disk", err)
		return later(http.StatusServiceUnavailable, ReasonBudget, retryFull, "there is no room for more reports at the moment: try again later")
	}
	return nil
}

// afford takes n reports from the allowance of the client's network.
func (h *Handler) afford(q *request, n int) *Problem {
	wait, ok := h.limits.take(network(q.client), n, q.now)
	if ok {
		return nil
	}
	return later(http.StatusTooManyRequests, ReasonRate, wait, "too many reports come from your network: try again in %s s", seconds(wait))
}

// idempotencyKey reads the header: 1 to 255 visible ASCII characters.
func idempotencyKey(r *http.Request) (uint64, *Problem) {
	values := r.Header["Idempotency-Key"]
	if len(values) == 0 {
		return 0, nil
	}
	key := values[0]
	ok := len(values) == 1 && len(key) >= 1 && len(key) <= 255
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return 0, bad(ReasonIdempotencyKey, "Idempotency-Key", "the idempotency key is not one text of 1 to 255 visible ASCII characters: send, for example, a UUID")
	}
	return hashKey(key), nil
}

func tooLarge() *Problem {
	return refusal(http.StatusRequestEntityTooLarge, ReasonTooLarge, "", "the body is larger than %d bytes", maxBody)
}

func readBody(w http.ResponseWriter, r *http.Request, buf *bytes.Buffer) *Problem {
	if r.ContentLength > maxBody {
		return tooLarge()
	}
	buf.Reset()
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return tooLarge()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return bad(ReasonMalformed, "", "the body breaks off")
	}
	return bad(ReasonGone, "", "the body did not arrive")
}

// accept makes reports of drafts and appends them, all or none.
func (h *Handler) accept(q *request, drafts []draft, batch bool) ([]faultline.Position, *Problem) {
	if len(drafts) > 1 {
		if p := h.afford(q, len(drafts)-1); p != nil {
			return nil, p
		}
	}
	obs := make([]*faultline.Observation, len(drafts))
	for i := range drafts {
		r, p := h.report(&drafts[i])
		if p != nil {
			return nil, at(p, i, batch)
		}
		r.Key = q.key
		obs[i] = &faultline.Observation{At: q.now, Received: q.now, Origin: faultline.Measured, Payload: r}
	}
	if q.key == 0 {
		return h.store(q, obs, batch)
	}
	return h.storeOnce(q, obs, batch)
}

// at names the report of an array that a problem is about.
func at(p *Problem, i int, batch bool) *Problem {
	if batch {
		return p.within(i)
	}
	return p
}

// storeOnce is store for a request with an idempotency key.
func (h *Handler) storeOnce(q *request, obs []*faultline.Observation, batch bool) ([]faultline.Position, *Problem) {
	sum := h.receipts.sumAll(obs)
	ids, err := h.receipts.begin(q.Context(), q.key, sum, len(obs), q.now)
	switch {
	case errors.Is(err, errReused):
		return nil, wrong(ReasonKeyReused, "Idempotency-Key", "this idempotency key was used for another report: send a new key with a new report")
	case errors.Is(err, errUnsure):
		return nil, later(http.StatusServiceUnavailable, ReasonUnsure, retryBusy, "it is not known yet whether the first attempt was kept: try again with the same key")
	case err != nil:
		return nil, later(http.StatusServiceUnavailable, ReasonGone, retryBusy, "the request ended while the first attempt was under way: try again with the same key")
	case ids != nil:
		h.retried.Inc()
		return ids, nil
	}
	var p *Problem
	defer func() { // also on a panic: others may be waiting
		h.receipts.land(q.key, sum, ids, p != nil && p.Reason == ReasonUnsure, h.Now())
	}()
	ids, p = h.store(q, obs, batch)
	return ids, p
}

// store completes the reports with place and hashes, and appends them. This is
// the last place that knows the address.
func (h *Handler) store(q *request, obs []*faultline.Observation, batch bool) ([]faultline.Position, *Problem) {
	place := h.Lookup(q.client)
	disagreements := 0
	for i, o := range obs {
		r := o.Payload.(*faultline.Report)
		if p := checkSince(r, q.now); p != nil {
			return nil, at(p, i, batch)
		}
		if settle(r, place) {
			disagreements++
		}
		r.Reporter, r.Network = h.Keys.Hash(q.now, r.Service, q.client)
	}
	if p := h.append(q, obs); p != nil {
		return nil, p
	}
	h.accepted.Add(float64(len(obs)))
	h.disagree.Add(float64(disagreements))
	ids := make([]faultline.Position, len(obs))
	for i, o := range obs {
		ids[i] = o.Position
	}
	return ids, nil
}

// settle puts the looked-up place into a report and says whether the stated
// country was another. Where no table knows the address, what was stated stays.
func settle(r *faultline.Report, place faultline.Place) (disagree bool) {
	stated := r.Country
	r.Place = place
	if place.Country == faultline.UnknownCountry && stated != "" {
		r.Country = stated
		return false
	}
	return stated != "" && stated != place.Country
}

func (h *Handler) append(q *request, obs []*faultline.Observation) *Problem {
	err := h.Append(h.patience.context(), obs...)
	if err == nil {
		return nil
	}
	const status = http.StatusServiceUnavailable
	switch {
	case errors.Is(err, ErrFull):
		return later(status, ReasonFull, retryFull, "there is no room for more reports at the moment: try again later")
	case errors.Is(err, ErrBusy):
		return later(status, ReasonBusy, retryBusy, "very many people report at the moment: try again in a second")
	}
	h.complain(q.now, "report not appended to the journal", err)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return later(status, ReasonUnsure, retryBusy, "it is not known whether the report was kept: try again, with the same Idempotency-Key if you sent one")
	}
	return later(status, ReasonJournal, retryBusy, "the report could not be kept: try again")
}

// patience is how long appends wait. Those that begin in the same second share
// one context: a timer for each request would cost as much as the wait itself.
type patience struct {
	mu    sync.Mutex
	begun time.Time
	ctx   context.Context //nolint:containedctx // it is a bound on time, of no request in particular
}

func (p *patience) context() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || time.Since(p.begun) >= time.Second {
		ctx, cancel := context.WithTimeout(context.Background(), appendTimeout)
		context.AfterFunc(ctx, cancel)
		p.ctx, p.begun = ctx, time.Now()
	}
	return p.ctx
}

// complain logs a fault of our own, at most once in ten seconds: in a crowd
// the counter says how often.
func (h *Handler) complain(now time.Time, message string, err error) {
	last := h.complained.Load()
	if n := now.Unix(); n-last >= 10 && h.complained.CompareAndSwap(last, n) {
		h.Logger.LogAttrs(context.Background(), slog.LevelError, message, slog.String("error", err.Error())) //nolint:sloglint // the callers' messages are constant
	}
}

// writeIDs answers 202 with {"id":"0-1-0"} or {"ids":["0-1-0","0-1-1"]}.
func writeIDs(w http.ResponseWriter, ids []faultline.Position, batch bool) {
	var buf [96]byte
	b := buf[:0]
	if batch {
		b = append(b, `{"ids":[`...)
		for i, id := range ids {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), id.String()...), '"')
		}
		b = append(b, "]}\n"...)
	} else {
		b = append(append(append(b, `{"id":"`...), ids[0].String()...), "\"}\n"...)
	}
	head := w.Header()
	head["Content-Type"] = jsonHeader
	head["Cache-Control"] = noStore
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(b) // a client that is gone can ask again with its key
}

// Header values that never change, shared by all answers.
var (
	jsonHeader = []string{jsonType}
	noStore    = []string{"no-store"}
)
