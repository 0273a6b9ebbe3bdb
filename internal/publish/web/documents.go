package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"faultline"
	"faultline/internal/publish/live"
)

type docPage struct {
	Body template.HTML
	Name string
}

// docTarget is a Markdown document of the program: what you read is the
// version that runs. Links between documents become links between pages; the
// twin is the text as it was written.
func (s *Site) docTarget(args []string, form string, _ faultline.Country) (target, bool) {
	file := strings.TrimSuffix(strings.Join(args, "/"), "/")
	if file == "" {
		file = "index"
	}
	if !strings.HasSuffix(file, ".md") {
		file += ".md"
	}
	if s.d.Docs == nil || !fs.ValidPath(file) {
		return target{}, false
	}
	if _, err := fs.Stat(s.d.Docs, file); err != nil {
		return target{}, false
	}
	of := func(f func(*live.View, string, []byte) ([]byte, error)) draw {
		return func(v *live.View) ([]byte, error) {
			src, err := fs.ReadFile(s.d.Docs, file)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, errGone
			}
			if err != nil {
				return nil, fmt.Errorf("read document %s: %w", file, err)
			}
			return f(v, file, src)
		}
	}
	return forms{html: of(s.drawDoc), json: of(s.docJSON)}.target(form)
}

func (s *Site) drawDoc(v *live.View, file string, src []byte) ([]byte, error) {
	body, err := markdown(src)
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", file, err)
	}
	body = s.docLinks(body, path.Dir(file))
	return s.page("doc", frame{Title: docTitle(src), Nav: "docs", Path: docPath(file), Twin: docPath(file) + ".json", Now: v.At, Data: docPage{template.HTML(body), file}}) //nolint:gosec // our own documents; raw HTML in them is not let through
}

// docPath is the address of a document's page, without base.
func docPath(file string) string {
	if file == "index.md" {
		return "/docs"
	}
	return "/docs/" + strings.TrimSuffix(file, ".md")
}

func docTitle(src []byte) string {
	first, _, _ := strings.Cut(string(src), "\n")
	if title, ok := strings.CutPrefix(first, "# "); ok {
		return strings.TrimSpace(title)
	}
	return "Documents"
}

// jsonDocument is an entry of the list of documents.
type jsonDocument struct {
	Address string `json:"address"`
	Title   string `json:"title"`
}

// docDoc is the twin of a document.
type docDoc struct {
	head
	File      string         `json:"file"`
	Text      string         `json:"text"`
	Documents []jsonDocument `json:"documents"`
}

func (s *Site) docJSON(v *live.View, file string, src []byte) ([]byte, error) {
	all, err := s.documents()
	if err != nil {
		return nil, err
	}
	h := s.head(v, docTitle(src))
	h.Licence = "Apache-2.0" // as the program is, whose part they are
	return encode(docDoc{h, file, string(src), all})
}

// documents lists all of them in the order of their addresses.
func (s *Site) documents() (all []jsonDocument, err error) {
	err = fs.WalkDir(s.d.Docs, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".md") {
			return err
		}
		src, err := fs.ReadFile(s.d.Docs, file)
		all = append(all, jsonDocument{s.d.Base + docPath(file) + ".json", docTitle(src)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	slices.SortFunc(all, func(a, b jsonDocument) int { return strings.Compare(a.Address, b.Address) })
	return all, nil
}

func markdown(src []byte) ([]byte, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var b bytes.Buffer
	if err := md.Convert(src, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// docLinks turns href="../howto/operate.md#x" into the page's address.
func (s *Site) docLinks(body []byte, dir string) []byte {
	const mark = `href="`
	var out bytes.Buffer
	for {
		i := bytes.Index(body, []byte(mark))
		if i < 0 {
			out.Write(body)
			return out.Bytes()
		}
		out.Write(body[:i+len(mark)])
		body = body[i+len(mark):]
		end := bytes.IndexByte(body, '"')
		if end < 0 {
			out.Write(body)
			return out.Bytes()
		}
		out.WriteString(s.docLink(string(body[:end]), dir))
		body = body[end:]
	}
}

func (s *Site) docLink(href, dir string) string {
	file, fragment, has := strings.Cut(href, "#")
	if strings.Contains(file, ":") || !strings.HasSuffix(file, ".md") {
		return href
	}
	to := s.d.Base + "/docs/" + strings.TrimSuffix(path.Join(dir, file), ".md")
	if has {
		to += "#" + fragment
	}
	return to
}

type dataPage struct {
	Retention   []Retention
	Attribution []string
}

func (s *Site) drawData(v *live.View) ([]byte, error) {
	return s.page("data", frame{Title: "Data: what is kept, and how to get it", Nav: "data", Path: "/data", Twin: "/data.json", Now: v.At, Data: dataPage{Retention: s.d.Retention, Attribution: s.d.Attribution}})
}

type jsonRetention struct {
	What    string `json:"what"`
	Kept    string `json:"kept"`
	Licence string `json:"licence"`
}

// dataDoc is the twin of the page about data.
type dataDoc struct {
	head
	Retention   []jsonRetention `json:"retention"`
	Attribution []string        `json:"attribution"`
}

func (s *Site) dataJSON(v *live.View) ([]byte, error) {
	rows := []jsonRetention{}
	for _, r := range s.d.Retention {
		rows = append(rows, jsonRetention(r))
	}
	return encode(dataDoc{s.head(v, "Data"), rows, nonNil(s.d.Attribution)})
}

// correction is something that was said and taken back, or changed by a person.
type correction struct {
	ended
	Change faultline.Change
	Note   *faultline.Note
	Text   string
}

type correctionsPage struct {
	Corrections []correction
	Contact     string
	Href        string // of the contact
}

// corrections lists retractions, merges and what operators did, newest first.
func corrections(v *live.View) (out []correction) {
	for _, log := range v.Incidents {
		i := log.Now()
		e := ended{i, name(v, i.Service), v.At}
		for _, c := range i.Changes {
			if c.To == faultline.Retracted || !strings.Contains(c.By, "/") { // rules have versions, people have not
				out = append(out, correction{ended: e, Change: c, Text: c.Why})
			}
		}
		for k := range i.Notes {
			n := i.Notes[k]
			out = append(out, correction{ended: e, Change: faultline.Change{At: n.At, By: n.By}, Note: &n, Text: n.Text})
		}
	}
	sortCorrections(out)
	return out[:min(len(out), 300)]
}

func (s *Site) drawCorrections(v *live.View) ([]byte, error) {
	return s.page("corrections", frame{Title: "Corrections", Nav: "corrections", Path: "/corrections", Twin: "/corrections.json", Now: v.At, Data: correctionsPage{corrections(v), s.d.Contact, contactHref(s.d.Contact)}})
}

type jsonCorrection struct {
	At       string          `json:"at"`
	By       string          `json:"by"`
	Incident string          `json:"incident"`
	To       faultline.State `json:"to,omitempty"`
	Text     string          `json:"text"`
}

// correctionsDoc is the twin of the page of corrections.
type correctionsDoc struct {
	head
	Corrections []jsonCorrection `json:"corrections"`
}

func (s *Site) correctionsJSON(v *live.View) ([]byte, error) {
	rows := []jsonCorrection{}
	for _, c := range corrections(v) {
		rows = append(rows, jsonCorrection{c.Change.At.UTC().Format("2006-01-02T15:04:05Z"), c.Change.By, c.I.ID, c.Change.To, c.Text})
	}
	return encode(correctionsDoc{s.head(v, "Corrections"), rows})
}

// contactHref makes a mail address a link; a URL is one.
func contactHref(contact string) string {
	if contact == "" || strings.Contains(contact, "://") {
		return contact
	}
	return "mailto:" + contact
}

func sortCorrections(list []correction) {
	slices.SortStableFunc(list, func(a, b correction) int { return b.Change.At.Compare(a.Change.At) })
}
