package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"faultline"
	"faultline/internal/publish/live"
)

// Console is what the operator's console needs. A site without one has none.
type Console struct {
	// Operators maps a name to a token. Names go into the public record; tokens
	// are compared in constant time and never printed.
	Operators map[string]string
	// Do appends a command to the journal and returns when it is durable.
	Do func(ctx context.Context, c faultline.Command) error
	// Secure says that readers come over HTTPS, so that the session's cookie is
	// never sent without it.
	Secure bool
	// Domain-separated key of the sessions: made at start, so a restart ends them.
	once    sync.Once
	secret  [32]byte
	limiter *rate.Limiter
}

const (
	sessionCookie = "faultline_console"
	sessionTime   = 12 * time.Hour
	// formLimit bounds a form of the console, in bytes.
	formLimit = 16 << 10
	// textLimit bounds what an operator writes, in bytes: it is published.
	textLimit = 2000
)

// minToken is the shortest token that is accepted, in characters.
const minToken = 16

// Check says what is wrong with the console's settings.
func (c *Console) Check() error {
	if c.Do == nil {
		return errors.New("console: Do is missing")
	}
	for name, token := range c.Operators {
		if name == "" || strings.ContainsAny(name, "/\n|") {
			return fmt.Errorf("console: operator name %q: want letters, no slash: it stands in the public record", name)
		}
		if len(token) < minToken {
			return fmt.Errorf("console: the token of %s is shorter than %d characters: make a longer one", name, minToken)
		}
	}
	return nil
}

func (c *Console) start() {
	c.once.Do(func() {
		_, _ = rand.Read(c.secret[:]) // never fails (crypto/rand)
		c.limiter = rate.NewLimiter(rate.Every(2*time.Second), 10)
	})
}

// who finds the operator of a token. Every token is compared, whether or not
// one before it fits.
func (c *Console) who(token string) (name string, ok bool) {
	given := sha256.Sum256([]byte(token))
	for n, t := range c.Operators {
		want := sha256.Sum256([]byte(t))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			name, ok = n, true
		}
	}
	return name, ok
}

func (c *Console) sign(parts ...string) string {
	m := hmac.New(sha256.New, c.secret[:])
	m.Write([]byte(strings.Join(parts, "\x00"))) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// session makes the value of the cookie: name, end, nonce, signature.
func (c *Console) session(name string, now time.Time) string {
	var nonce [12]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	body := base64.RawURLEncoding.EncodeToString([]byte(name)) + "." + fmt.Sprint(now.Add(sessionTime).Unix()) + "." + hex.EncodeToString(nonce[:])
	return body + "." + c.sign("session", body)
}

// operator reads a session's cookie.
func (c *Console) operator(r *http.Request, now time.Time) (name, session string, ok bool) {
	k, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", "", false
	}
	i := strings.LastIndexByte(k.Value, '.')
	if i < 0 || subtle.ConstantTimeCompare([]byte(k.Value[i+1:]), []byte(c.sign("session", k.Value[:i]))) != 1 {
		return "", "", false
	}
	parts := strings.Split(k.Value[:i], ".")
	var end int64
	if len(parts) != 3 {
		return "", "", false
	}
	if _, err := fmt.Sscan(parts[1], &end); err != nil || now.Unix() >= end {
		return "", "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || c.Operators[string(b)] == "" {
		return "", "", false // the name was taken off the list
	}
	return string(b), k.Value, true
}

// csrf is the token that the session's forms carry.
func (c *Console) csrf(session string) string { return c.sign("csrf", session) }

// console serves /console: a form to log in, or what an operator can do.
func (s *Site) console(w http.ResponseWriter, r *http.Request, path string) {
	c := s.d.Console
	c.start()
	name, session, ok := c.operator(r, s.d.Clock())
	switch {
	case r.Method == http.MethodPost && !sameOrigin(r):
		s.refuse(w, r, Problem{http.StatusForbidden, refusedOrigin, "", "This came from another site", "Open the console itself and try again."})
	case r.Method == http.MethodPost && path == "/console/login":
		s.login(w, r)
	case r.Method == http.MethodPost && path == "/console/logout":
		s.logout(w, r)
	case r.Method == http.MethodPost && path == "/console/do":
		s.act(w, r, name, session, ok)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.wrongMethod(w, r, path)
	case path == "/console":
		http.Redirect(w, r, s.d.Base+"/console/", http.StatusSeeOther)
	case path != "/console/":
		s.notFound(w, r)
	case !ok:
		s.now(w, r, http.StatusOK, "login", frame{Title: "Operator’s console", Private: true})
	default:
		s.now(w, r, http.StatusOK, "console", frame{Title: "Operator’s console", Private: true, Data: s.consolePage(name, session, r.URL.Query().Get("done"))})
	}
}

// sameOrigin says whether a form was sent by our own page. Browsers always
// say where a POST comes from; what says nothing is refused here.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && u.Host == r.Host
}

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	c := s.d.Console
	if !c.limiter.Allow() {
		w.Header().Set("Retry-After", "10")
		s.refuse(w, r, Problem{http.StatusTooManyRequests, refusedRate, "", "Too many tries", "Wait ten seconds and try again."})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	name, ok := c.who(r.PostFormValue("token"))
	if !ok {
		s.d.Logger.Warn("console: wrong token")
		s.refuse(w, r, Problem{http.StatusForbidden, refusedToken, "", "That token is not known", "Take it from the file or the environment variable in which it was set."})
		return
	}
	s.cookie(w, c.session(name, s.d.Clock()), int(sessionTime/time.Second))
	s.d.Logger.Info("console: operator logged in", slog.String("operator", name))
	http.Redirect(w, r, s.d.Base+"/console/", http.StatusSeeOther)
}

func (s *Site) logout(w http.ResponseWriter, r *http.Request) {
	s.cookie(w, "", -1)
	http.Redirect(w, r, s.d.Base+"/console/", http.StatusSeeOther)
}

// cookie sets the operator's session; readers never get one.
func (s *Site) cookie(w http.ResponseWriter, value string, seconds int) {
	secure(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: value, Path: s.d.Base + "/console", MaxAge: seconds, HttpOnly: true, Secure: s.d.Console.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// act carries out one action.
func (s *Site) act(w http.ResponseWriter, r *http.Request, name, session string, ok bool) {
	if !ok {
		s.refuse(w, r, Problem{http.StatusForbidden, refusedToken, "", "You are not logged in", "Log in at the console and try again."})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(s.d.Console.csrf(session))) != 1 {
		s.refuse(w, r, Problem{http.StatusForbidden, refusedCSRF, "", "This form is not from this session", "Open the console again and repeat it."})
		return
	}
	cmd := faultline.Command{
		Operator: name, Action: faultline.Action(r.PostFormValue("action")), Incident: strings.TrimSpace(r.PostFormValue("incident")),
		Into: strings.TrimSpace(r.PostFormValue("into")), Service: faultline.ServiceID(r.PostFormValue("service")), Text: strings.TrimSpace(r.PostFormValue("text")),
	}
	if why := wrong(s.d.View(), &cmd); why != "" {
		s.refuse(w, r, Problem{http.StatusUnprocessableEntity, refusedAction, "", "This can’t be done", why})
		return
	}
	if err := s.d.Console.Do(r.Context(), cmd); err != nil {
		s.d.Logger.Error("console: command was not kept", slog.String("action", string(cmd.Action)), slog.Any("error", err))
		s.refuse(w, r, Problem{http.StatusServiceUnavailable, refusedAction, "", "The command was not kept", "Nothing has changed. Try again; the log says why."})
		return
	}
	s.d.Logger.Info("console: command accepted", slog.String("operator", name), slog.String("action", string(cmd.Action)), slog.String("incident", cmd.Incident))
	secure(w.Header())
	http.Redirect(w, r, s.d.Base+"/console/?done="+url.QueryEscape(string(cmd.Action)), http.StatusSeeOther)
}

// wrong says why a command makes no sense, or nothing. Fields that the action
// does not use are emptied.
func wrong(v *live.View, c *faultline.Command) string {
	if !c.Action.Valid() {
		return "No such action."
	}
	if len(c.Text) > textLimit {
		return fmt.Sprintf("The text is longer than %d characters.", textLimit)
	}
	if c.Text == "" {
		return "Say why: the reason is published with it."
	}
	if c.Action == faultline.NewNormal {
		c.Incident, c.Into = "", ""
		if !c.Service.Valid() || v.Service(c.Service) == nil {
			return "No such service."
		}
		return ""
	}
	c.Service = ""
	if v.Incident(c.Incident) == nil {
		return "No such incident."
	}
	if c.Action != faultline.Merge {
		c.Into = ""
		return ""
	}
	if c.Into == c.Incident {
		return "An incident can’t be merged into itself."
	}
	into := v.Incident(c.Into)
	switch {
	case into == nil:
		return "The incident to merge into is not there."
	case into.Now().Service != v.Incident(c.Incident).Now().Service:
		return "The two incidents are of different services."
	}
	return ""
}

type consolePage struct {
	Operator, CSRF, Done string
	Incidents            []ended
	Services             []*live.Service
	Log                  []live.Command
}

func (s *Site) consolePage(operator, session, done string) consolePage {
	v := s.d.View()
	p := consolePage{Operator: operator, CSRF: s.d.Console.csrf(session), Services: v.Services, Log: v.Commands[:min(len(v.Commands), 100)]}
	if faultline.Action(done).Valid() {
		p.Done = done
	}
	for _, log := range v.Incidents[:min(len(v.Incidents), 60)] {
		p.Incidents = append(p.Incidents, ended{log.Now(), name(v, log.Now().Service), v.At})
	}
	return p
}
