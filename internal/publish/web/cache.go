package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"faultline/internal/publish/live"
)

// cacheLimit bounds how many pages are kept drawn. Only addresses that exist
// come in; beyond the limit a page is drawn for each request.
const cacheLimit = 4096

// errGone says that a page is no longer there.
var errGone = errors.New("no such page")

// rendered is a page as it is sent. It never changes.
type rendered struct {
	body, gz                    []byte
	etag                        string
	contentType, length, gzLen  []string
	etagHeader, control, robots []string
	version                     uint64 // of the view it was drawn from
}

// draw makes a page's bytes from a view.
type draw func(*live.View) ([]byte, error)

// entry is an address whose page is kept.
type entry struct {
	key         string
	draw        draw
	contentType string
	robots      bool // may be indexed
	mu          sync.Mutex
	tick        atomic.Int64 // until which the page is good
	drawn       atomic.Int64 // tick at which it was drawn
	page        atomic.Pointer[rendered]
}

type cache struct {
	m sync.Map // string → *entry
	n atomic.Int64
}

func (c *cache) get(key string) *entry {
	if e, ok := c.m.Load(key); ok {
		return e.(*entry)
	}
	return nil
}

// put keeps e if there is room, and gives the entry that is kept.
func (c *cache) put(e *entry) *entry {
	if c.n.Load() >= cacheLimit {
		return e
	}
	kept, loaded := c.m.LoadOrStore(e.key, e)
	if !loaded {
		c.n.Add(1)
	}
	return kept.(*entry)
}

func (c *cache) drop(key string) {
	if _, loaded := c.m.LoadAndDelete(key); loaded {
		c.n.Add(-1)
	}
}

// maxTicks is how long a page stays although nothing changed: history moves on.
const maxTicks = 12

// serve sends a kept page, drawing it if its tick is over and something
// changed. While one request draws, the others get the page as it was.
func (s *Site) serve(w http.ResponseWriter, r *http.Request, e *entry) {
	now := s.d.Clock().UnixNano() / int64(Tick)
	p := e.page.Load()
	if p != nil && e.tick.Load() >= now {
		s.d.Metrics.hits.Inc()
		s.send(w, r, p)
		return
	}
	fresh, err := s.refresh(e, p, now)
	switch {
	case errors.Is(err, errGone):
		s.cache.drop(e.key)
		s.notFound(w, r)
	case err != nil:
		s.d.Logger.Error("page could not be drawn", slog.String("path", r.URL.Path), slog.Any("error", err))
		s.refuse(w, r, Problem{http.StatusInternalServerError, refusedRender, "", "This page could not be drawn", "The fault is ours and was logged. Try again in a moment."})
	default:
		s.send(w, r, fresh)
	}
}

func (s *Site) refresh(e *entry, old *rendered, now int64) (*rendered, error) {
	if old == nil {
		e.mu.Lock()
	} else if !e.mu.TryLock() {
		return old, nil
	}
	defer e.mu.Unlock()
	if p := e.page.Load(); p != nil && e.tick.Load() >= now {
		return p, nil
	}
	v := s.d.View()
	if old != nil && old.version == v.Version && now-e.drawn.Load() < maxTicks {
		e.tick.Store(now)
		return old, nil
	}
	body, err := e.draw(v)
	if err != nil {
		return nil, err
	}
	s.d.Metrics.renders.Inc()
	p := s.pack(body, e.contentType, e.robots)
	p.version = v.Version
	e.page.Store(p)
	e.drawn.Store(now)
	e.tick.Store(now)
	return p, nil
}

// pack compresses a page and prepares its headers.
func (s *Site) pack(body []byte, contentType string, robots bool) *rendered {
	p := &rendered{body: body, contentType: []string{contentType}, control: []string{"max-age=5, stale-while-revalidate=30"}}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, 6) // the level is a valid one
	_, _ = z.Write(body)               // into memory
	_ = z.Close()
	p.gz = b.Bytes()
	sum := sha256.Sum256(body)
	p.etag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	p.etagHeader = []string{p.etag}
	p.length, p.gzLen = []string{strconv.Itoa(len(body))}, []string{strconv.Itoa(len(p.gz))}
	if !robots {
		p.robots = []string{"noindex"}
	}
	return p
}

var (
	gzipHeader = []string{"gzip"}
	varyHeader = []string{"Accept-Encoding"}
)

// send writes a page, or 304 if the reader has it.
func (s *Site) send(w http.ResponseWriter, r *http.Request, p *rendered) {
	h := w.Header()
	secure(h)
	h["Etag"], h["Cache-Control"], h["Vary"] = p.etagHeader, p.control, varyHeader
	if p.robots != nil {
		h["X-Robots-Tag"] = p.robots
	}
	if m := r.Header["If-None-Match"]; len(m) > 0 && matches(m[0], p.etag) {
		s.d.Metrics.notModified.Inc()
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = p.contentType
	body, length := p.body, p.length
	if p.gz != nil && acceptsGzip(r.Header["Accept-Encoding"]) {
		h["Content-Encoding"] = gzipHeader
		body, length = p.gz, p.gzLen
	}
	h["Content-Length"] = length
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader who left is no error
	}
}

// matches compares weakly (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	if header == "*" {
		return true
	}
	want := strings.TrimPrefix(etag, "W/")
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == want {
			return true
		}
	}
	return false
}

func acceptsGzip(header []string) bool {
	if len(header) == 0 {
		return false
	}
	for one := range strings.SplitSeq(header[0], ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		if name == "gzip" {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
