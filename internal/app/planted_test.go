package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/journal"
)

// reader is somebody whose address must not be found, with a twin who does the
// same from elsewhere: four bytes turn up by chance in a few megabytes of
// compressed data, those of both twins in one file do not.
type reader struct {
	address, twin netip.Addr
	direct        bool // connects from there; the others come through a proxy
}

var readers = []reader{
	{netip.MustParseAddr("81.2.69.142"), netip.MustParseAddr("217.69.3.219"), false},
	{netip.MustParseAddr("2a02:26f0:dead:be5f:1234:5678:9abc:def0"), netip.MustParseAddr("2a01:e0a:cafe:f0ad:8765:4321:fedc:ba98"), false},
	{netip.MustParseAddr("127.77.88.99"), netip.MustParseAddr("127.166.55.44"), true},
}[:2+connectsFromAnywhere]

// Only Linux has all of 127.0.0.0/8 on its loopback interface.
var connectsFromAnywhere = map[string]int{"linux": 1}[runtime.GOOS]

// writings lists how an address, or the network it lies in, could be written
// down. Thin ones are so short that chance writes them too. Letters are lower
// case.
func writings(a netip.Addr) (sure, thin []string) {
	raw := a.AsSlice()
	mapped := a.As16()
	sure = []string{
		hex.EncodeToString(raw), separated(raw, "%02x", ":"), separated(raw, "%02x", " "), separated(raw, "0x%02x", ", "),
		separated(raw, "%d", " "), separated(raw, "%d", ","), string(mapped[:]), string(reversed(mapped[:])), hex.EncodeToString(reversed(raw)),
		strings.ToLower(base64.StdEncoding.EncodeToString(raw)), strings.ToLower(base64.StdEncoding.EncodeToString(mapped[:])[:20]),
	}
	if a.Is4() {
		network := []byte{raw[0], raw[1], raw[2], 0}
		sure = append(sure, fmt.Sprintf("%d.%d.%d.", raw[0], raw[1], raw[2]), fmt.Sprintf("%d.%d.%d.%d", raw[3], raw[2], raw[1], raw[0]),
			fmt.Sprintf("%x:%x", raw[:2], raw[2:]), hex.EncodeToString(network))
		for _, b := range [][]byte{raw, network} {
			sure = append(sure, decimal(uint64(binary.BigEndian.Uint32(b))), decimal(uint64(binary.LittleEndian.Uint32(b))))
			thin = append(thin, string(b), string(reversed(b)))
		}
		return sure, thin
	}
	sure = append(sure, a.StringExpanded()[:17], url.QueryEscape(a.StringExpanded()[:17]), hex.EncodeToString(raw[:7]), string(raw[:7]), string(reversed(raw[:7])))
	for _, half := range [][]byte{raw[:8], raw[8:]} {
		sure = append(sure, string(half), string(reversed(half)), decimal(binary.BigEndian.Uint64(half)), decimal(binary.LittleEndian.Uint64(half)))
	}
	return sure, thin
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func separated(raw []byte, format, by string) string {
	parts := make([]string, len(raw))
	for i, b := range raw {
		parts[i] = fmt.Sprintf(format, b)
	}
	return strings.Join(parts, by)
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// finds lists the writings of a reader's address that are in a text.
func (r reader) finds(text []byte) (found []string) {
	lower := lowered(text)
	sure, thin := writings(r.address)
	twinSure, twinThin := writings(r.twin)
	for _, w := range slices.Concat(sure, twinSure) {
		if bytes.Contains(text, []byte(w)) || bytes.Contains(lower, []byte(w)) {
			found = append(found, w)
		}
	}
	for i, w := range thin {
		if bytes.Contains(text, []byte(w)) && bytes.Contains(text, []byte(twinThin[i])) {
			found = append(found, w)
		}
	}
	return found
}

// lowered makes ASCII letters small and leaves every other byte alone.
func lowered(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// corpus is everything that the program left or said, by where it was.
type corpus map[string][]byte

func (c corpus) add(where string, text []byte) { c[where] = append(c[where], text...) }

func (c corpus) clean(t *testing.T) {
	t.Helper()
	for where, text := range c {
		for _, r := range readers {
			for _, w := range r.finds(text) {
				at := max(bytes.Index(text, []byte(w)), 0)
				t.Errorf("%s holds %q of %s: …%q…", where, w, r.address, text[max(0, at-40):min(len(text), at+len(w)+40)])
			}
		}
	}
}

func TestTheSearchForAnAddressFindsIt(t *testing.T) {
	for _, r := range readers {
		sure, thin := writings(r.address)
		_, twin := writings(r.twin)
		for _, w := range sure {
			if len(r.finds([]byte("…"+w+"…"))) == 0 || len(r.finds([]byte("…"+strings.ToUpper(w)+"…"))) == 0 && w == strings.ToLower(w) && strings.ToUpper(w) != w && isText(w) {
				t.Errorf("%q of %s is not found", w, r.address)
			}
		}
		for i := range thin {
			if len(r.finds([]byte(thin[i]+"…"+twin[i]))) == 0 {
				t.Errorf("%q of %s is not found", thin[i], r.address)
			}
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "careless"), []byte("a line about "+readers[1].address.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := corpus{}
	c.folder(t, dir)
	if len(readers[1].finds(c["file careless"])) == 0 {
		t.Error("an address in a file is not found")
	}
}

func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' || r < ' ' }) < 0
}

// Readers report, are refused and read pages; then all that the program wrote
// or said is searched for them.
func TestNoReadersAddressIsLeftAnywhere(t *testing.T) {
	t.Parallel()
	left := corpus{}
	var logged lines
	target := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(target.Close)
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Probe.Interval, c.Probe.Urgent = time.Second, time.Second
	c.Intake.Report.TrustedProxies = proxies("127.0.0.1/32")
	c.Intake.Report.RatePerMinute, c.Intake.Report.Burst = 1, 9
	p := runApp(t, Options{Config: c, Log: logged.logger(), Watch: []string{target.URL}, ConsoleToken: consoleToken})
	id := slug(strings.TrimPrefix(target.URL, "http://"))
	v := &visits{program: p, left: left, service: string(id)}
	stream := v.listen()
	v.report()
	p.waitState(id, "possible")
	v.crawl()
	v.malformed()
	v.exports()
	stream()
	left.add("metrics", p.get("/metrics"))
	p.stop()
	left.add("log", []byte(logged.String()))
	left.folder(t, p.dir)
	left.later(t, p.dir, c)
	if len(left) < 40 || len(left["log"]) == 0 || len(left["events"]) == 0 {
		t.Errorf("only %d places were searched, %d bytes of log, %d of events", len(left), len(left["log"]), len(left["events"]))
	}
	left.clean(t)
}

// visits is what readers do.
type visits struct {
	*program
	left    corpus
	service string
}

// each does a thing once for each planted address.
func (v *visits) each(do func(*http.Client, netip.Addr, bool)) {
	for _, r := range readers {
		for _, a := range []netip.Addr{r.address, r.twin} {
			d := net.Dialer{}
			if r.direct {
				d.LocalAddr = &net.TCPAddr{IP: a.AsSlice()}
			}
			transport := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
			do(&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, a, r.direct)
		}
	}
}

// send sends a request from an address, keeps the answer, and gives its status.
func (v *visits) send(c *http.Client, from netip.Addr, direct bool, method, path, contentType, body string) int {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if !direct {
		req.Header.Set("X-Forwarded-For", from.String())
		req.Header.Set("X-Real-IP", from.String())
		req.Header.Set("Forwarded", "for="+from.String())
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	resp, err := c.Do(req)
	if err != nil {
		v.t.Fatalf("%s from %s: %v", path, from, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	var head bytes.Buffer
	_ = resp.Header.Write(&head)
	v.left.add("answer "+method+" "+path, append(head.Bytes(), b...))
	return resp.StatusCode
}

// report files good and bad reports from each address, until there are too many.
func (v *visits) report() {
	v.t.Helper()
	const js, form = "application/json", "application/x-www-form-urlencoded"
	good := fmt.Sprintf(`{"service":%q,"symptom":"cannot_load","surface":"web"}`, v.service)
	seen := map[int]int{}
	v.each(func(c *http.Client, a netip.Addr, direct bool) {
		for _, r := range []struct{ path, kind, body string }{
			{"/api/v1/reports", js, good},
			{"/s/" + v.service + "/report", form, "symptom=slow&surface=app"},
			{"/api/v1/reports", js, good},
			{"/api/v1/reports", js, "[" + good + "," + good + "]"},
			{"/api/v1/reports", js, strings.Replace(good, "cannot_load", "bored", 1)},
			{"/api/v1/reports", js, good[:20]},
			{"/s/" + v.service + "/report", form, "symptom=bored&surface=app"},
			{"/api/v1/reports", "text/plain", good},
			{"/api/v1/reports", js, good},
			{"/s/" + v.service + "/report", form, "symptom=slow&surface=app"},
			{"/api/v1/reports", js, good},
		} {
			seen[v.send(c, a, direct, http.MethodPost, r.path, r.kind, r.body)]++
		}
	})
	for _, status := range []int{http.StatusAccepted, http.StatusSeeOther, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType, http.StatusTooManyRequests} {
		if seen[status] < 2*len(readers) {
			v.t.Errorf("%d answers %d, want one for each address at least: %v", seen[status], status, seen)
		}
	}
}

var links = regexp.MustCompile(`(?:href|src)="(/[^"#?]*)`)

// crawl reads every page that a reader can reach, from each address in turn.
func (v *visits) crawl() {
	v.t.Helper()
	pages := []string{"/", "/index.json", "/feed.atom", "/possible.atom", "/services.json", "/readyz", "/healthz", "/s/" + v.service + ".json", "/s/" + v.service + ".atom", "/console/", "/no-such-page", "/i/no-such-incident"}
	known := map[string]bool{}
	for n := 0; n < len(pages) && n < 60; n++ {
		path := pages[n]
		if known[path] {
			continue
		}
		known[path] = true
		v.each(func(c *http.Client, a netip.Addr, direct bool) { v.send(c, a, direct, http.MethodGet, path, "", "") })
		for _, m := range links.FindAllSubmatch(v.left["answer GET "+path], -1) {
			pages = append(pages, string(m[1]))
		}
	}
	if len(known) < 20 {
		v.t.Errorf("only %d pages were found: %v", len(known), known)
	}
}

// malformed sends what is hardly HTTP, with the address in it.
func (v *visits) malformed() {
	v.t.Helper()
	v.each(func(_ *http.Client, a netip.Addr, direct bool) {
		d := net.Dialer{}
		forwarded := "X-Forwarded-For: " + a.String() + "\r\n"
		if direct {
			d.LocalAddr, forwarded = &net.TCPAddr{IP: a.AsSlice()}, ""
		}
		for _, text := range []string{
			"BOGUS\r\n\r\n", "GET / HTTP/9.9\r\n" + forwarded + "\r\n", "GET / HTTP/1.1\r\n" + forwarded + "\r\n",
			"POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n" + forwarded + "\r\n{",
			"POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n" + forwarded + "\r\nzz\r\n",
		} {
			conn, err := d.DialContext(v.t.Context(), "tcp", strings.TrimPrefix(v.url, "http://"))
			if err != nil {
				v.t.Fatal(err)
			}
			_, _ = io.WriteString(conn, text) // the server may have closed it
			_ = conn.(*net.TCPConn).CloseWrite()
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			answer, _ := io.ReadAll(conn)
			conn.Close()
			v.left.add("answers to malformed requests", answer)
		}
	})
}

// listen opens an event stream from each address; what it gives ends them and
// keeps what was said.
func (v *visits) listen() (stop func()) {
	ctx, cancel := context.WithCancel(v.t.Context())
	said := make(chan []byte)
	n := 0
	v.each(func(c *http.Client, a netip.Addr, direct bool) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/events", nil)
		if err != nil {
			v.t.Fatal(err)
		}
		if !direct {
			req.Header.Set("X-Forwarded-For", a.String())
		}
		resp, err := c.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			v.t.Fatalf("events: %v %v", resp, err)
		}
		n++
		go func() {
			defer resp.Body.Close()
			var b bytes.Buffer
			_, _ = bufio.NewReader(resp.Body).WriteTo(&b) // ends with ctx
			said <- b.Bytes()
		}()
	})
	return func() {
		cancel()
		for range n {
			v.left.add("events", <-said)
		}
	}
}

// exports asks for all that the operator may have.
func (v *visits) exports() {
	v.t.Helper()
	waitFor(v.t, 30*time.Second, func() error { // the store takes them with the next heartbeat
		if v.exported() == 0 {
			return fmt.Errorf("no reports in the export")
		}
		return nil
	})
	for _, kind := range ExportKinds() {
		for _, format := range []string{"ndjson", "csv"} {
			path := "/console/export?kind=" + kind + "&format=" + format
			req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url+path, nil)
			if err != nil {
				v.t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+consoleToken)
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				v.t.Fatalf("%s: %v %v", path, resp, err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || kind == "reports" && len(b) == 0 {
				v.t.Errorf("%s: %d bytes, %v", path, len(b), err)
			}
			v.left.add("export "+path, b)
		}
	}
}

// folder adds every file as it lies there.
func (c corpus) folder(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		c["file "+name] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// later opens the folder some hours later: the hour goes to the archive, the
// journal's frames and the store's rows are read through their own codecs.
func (c corpus) later(t *testing.T, dir string, config Config) {
	t.Helper()
	a, err := OpenOffline(t.Context(), Options{Config: config, Dir: dir, Log: quiet(), Version: "test", Now: func() time.Time { return time.Now().Add(3 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	reports := 0
	err = a.journal.Read(t.Context(), partition, 1, func(f *journal.Frame) error {
		for i := range f.Records {
			o := &f.Records[i]
			b, err := json.Marshal(o)
			if err != nil {
				return err
			}
			c.add("journal", fmt.Appendf(b, "%+v\n", o.Payload))
			if r, ok := o.Payload.(*faultline.Report); ok {
				reports++
				for _, n := range []uint64{r.Reporter, r.Network, r.Key} {
					c.add("journal", binary.LittleEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n), n))
				}
			}
		}
		return nil
	})
	if err != nil || reports == 0 {
		t.Errorf("%d reports in the journal, %v", reports, err)
	}
	if err := a.journal.ReadRecords(t.Context(), func(r faultline.Record) error {
		c.add("control log", fmt.Appendf(nil, "%+v %s\n", r, r.Body))
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := a.keeper.keep(t.Context()); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	c.folder(t, dir)
	c.rows(t, dir)
}

// rows adds every row of the store and of the archive as text.
func (c corpus) rows(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(dir, "store", "faultline.duckdb")+"?access_mode=READ_ONLY")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range rowsOf(t, db, "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'") {
		c.add("rows of "+table, []byte(strings.Join(rowsOf(t, db, "SELECT * FROM "+table), "\n")))
	}
	files, err := filepath.Glob(filepath.Join(dir, "archive", "*", "*", "*.parquet"))
	if err != nil || len(files) == 0 || len(c["rows of reports"]) == 0 || len(c["rows of states"]) == 0 {
		t.Errorf("%d files in the archive, %d bytes of reports, %d of states, %v", len(files), len(c["rows of reports"]), len(c["rows of states"]), err)
	}
	for _, f := range files {
		c.add("rows of "+filepath.Base(f), []byte(strings.Join(rowsOf(t, db, "SELECT * FROM read_parquet('"+f+"')"), "\n")))
	}
}
