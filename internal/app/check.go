package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"faultline/internal/intake/catalogue"
	"faultline/internal/netinfo"
	"faultline/internal/settings"
)

// check looks at values that have the right kind and still cannot work. All of
// them are told, each with its place in the file.
func (c *Config) check() error {
	var f settings.Faults
	if err := CheckListen(c.Listen); err != nil {
		f.Say("listen", "%v", err)
	}
	c.Site.check(&f)
	c.Journal.check(&f)
	c.Incident.check(&f)
	c.Store.check(&f)
	c.Console.check(&f)
	c.checkServices(&f)
	checkContact(&f, "probe.contact", c.Probe.Contact)
	f.Take("", c.Probe.Validate())
	f.Take("intake.report", c.Intake.Report.Check())
	if c.Probe.Urgent > c.Probe.Interval && c.places.Sets("probe.urgent_interval") {
		f.Say("probe.urgent_interval", "%s is longer than probe.interval, %s: give at most that", settings.Show(c.Probe.Urgent), settings.Show(c.Probe.Interval))
	}
	return c.places.Locate(f)
}

// CheckListen says why nobody can listen on an address, or nil.
func CheckListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port: give an address such as 127.0.0.1:8080, or :8080 for all of this machine's", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: the port %q is not a number from 0 (any that is free) to 65535", address, port)
	}
	if strings.ContainsAny(host, "/@ ") {
		return fmt.Errorf("%q: %q is no host: give an address such as 127.0.0.1:8080, without a scheme", address, host)
	}
	return nil
}

// CheckJournal says why an address cannot be that of a journal, or nil. What it
// says holds no password.
func CheckJournal(addresses string) error {
	for one := range strings.SplitSeq(addresses, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil {
			return errors.New("is no address: give one as nats://nats.example.org:4222")
		}
		if u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" {
			return fmt.Errorf("%q: give an address as nats://nats.example.org:4222; the schemes are nats, tls, ws and wss", u.Redacted())
		}
		if err := checkPort(u); err != nil {
			return err
		}
	}
	return nil
}

func checkPort(u *url.URL) error {
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return fmt.Errorf("%q: the port is not a number from 1 to 65535", u.Redacted())
	}
	return nil
}

// check looks whether both can be printed as links.
func (s SiteConfig) check(f *settings.Faults) {
	u, err := url.Parse(s.Origin)
	switch {
	case s.Origin == "":
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Scheme+"://"+u.Host != s.Origin:
		f.Say("site.origin", "%q: give scheme and host only, as https://status.example.org", s.Origin)
	default:
		if err := checkPort(u); err != nil {
			f.Say("site.origin", "%v", err)
		}
	}
	checkContact(f, "site.contact", s.Contact)
}

// checkContact wants a mail address or a URL, or nothing.
func checkContact(f *settings.Faults, key, contact string) {
	if contact == "" {
		return
	}
	if strings.HasPrefix(contact, "https://") || strings.HasPrefix(contact, "http://") {
		if u, err := url.Parse(contact); err == nil && u.Host != "" && !strings.ContainsFunc(contact, unfitForLine) {
			return
		}
	} else if _, err := mail.ParseAddress(contact); err == nil && !strings.ContainsAny(contact, "<> ") {
		return
	}
	f.Say(key, "%q: give a mail address, as corrections@example.org, or a URL", contact)
}

func unfitForLine(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func (j JournalConfig) check(f *settings.Faults) {
	if j.URL != "" {
		if err := CheckJournal(j.URL); err != nil {
			f.Say("journal.url", "%v", err)
		}
	}
	settings.Between(f, "journal.replicas", j.Replicas, 1, 5)
	settings.Between(f, "journal.max_gb", j.MaxGB, 0.1, 1e6)
}

func (i IncidentConfig) check(f *settings.Faults) {
	const day = 24 * time.Hour
	settings.Between(f, "incident.recover_reports", i.RecoverReports, time.Minute, day)
	settings.Between(f, "incident.recover_checks", i.RecoverChecks, 1, 1000)
	settings.Between(f, "incident.resolve", i.Resolve, time.Minute, 7*day)
	settings.Between(f, "incident.reopen", i.Reopen, time.Minute, 30*day)
}

// Limits of what is kept. Rows younger than rowsLeast may not be archived yet.
const (
	rowsLeast   = 48 * time.Hour
	longest     = 100 * 365 * 24 * time.Hour
	forEver     = "for ever"
	onceArchive = "once it is in the archive"
)

func (s StoreConfig) check(f *settings.Faults) {
	settings.Between(f, "store.memory_mb", s.MemoryMB, 64, 1_000_000)
	settings.Between(f, "store.budget_gb", s.BudgetGB, 0.1, 1e6)
	settings.NothingOr(f, "store.journal_reports", onceArchive, s.JournalReports, time.Hour, longest)
	settings.NothingOr(f, "store.journal_measurements", onceArchive, s.JournalMeasurements, time.Hour, longest)
	settings.NothingOr(f, "store.journal_others", onceArchive, s.JournalOthers, time.Hour, longest)
	settings.NothingOr(f, "store.archive_reports", forEver, s.ArchiveReports, rowsLeast, longest)
	settings.NothingOr(f, "store.rows.reports", forEver, s.Rows.Reports, rowsLeast, longest)
	settings.NothingOr(f, "store.rows.measurements", forEver, s.Rows.Measurements, rowsLeast, longest)
	settings.NothingOr(f, "store.rows.minutes", forEver, s.Rows.Minutes, rowsLeast, longest)
}

func (c ConsoleConfig) check(f *settings.Faults) {
	if c.Operator != strings.TrimSpace(c.Operator) || strings.ContainsAny(c.Operator, "/|") || !printable(c.Operator, 1, 64) {
		f.Say("console.operator", "%q: give a name of 1 to 64 letters, without / and |: it stands in the public record", c.Operator)
	}
}

// printable says whether a text has so many characters that can be seen.
func printable(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= least && n <= most && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// checkServices looks at each service, and then at what they have in common.
func (c *Config) checkServices(f *settings.Faults) {
	ids := map[string]int{}
	for i, s := range c.Services {
		at := fmt.Sprintf("services[%d]", i)
		if err := catalogue.CheckID(s.ID); err != nil {
			f.Say(at+".id", "%v", err)
		}
		if first, twice := ids[string(s.ID)]; twice {
			f.Say(at+".id", "%q is there twice: services[%d] has it too", s.ID, first)
		} else {
			ids[string(s.ID)] = i
		}
		checkWords(f, at, s.Name, s.Category, s.Aliases)
		c.Probe.Listed(f, at+".targets", s.Targets)
		if err := catalogue.CheckParents(c.Services, &c.Services[i]); err != nil {
			f.Say(at+".parents", "%v", err)
		}
	}
	for _, x := range catalogue.Clashes(c.Services) {
		if !x.Shipped && ids[string(c.Services[x.Service].ID)] == x.Service {
			f.Say(wordKey(x), "%q is a word of the service %q too: a reader who looks for it finds two; choose another", x.Word, x.Other)
		}
	}
}

// checkWords looks at the names that people see and search by.
func checkWords(f *settings.Faults, at, name, category string, aliases []string) {
	word := func(key, text string, least int) {
		if text != strings.TrimSpace(text) || !printable(text, least, 100) {
			f.Say(key, "%q: give %d to 100 characters in one line, without spaces around", text, least)
		}
	}
	word(at+".name", name, 0)
	word(at+".category", category, 0)
	seen := map[string]bool{}
	for k, a := range aliases {
		key := fmt.Sprintf("%s.aliases[%d]", at, k)
		word(key, a, 1)
		if seen[a] {
			f.Say(key, "%q is there twice", a)
		}
		seen[a] = true
	}
}

func wordKey(x catalogue.Clash) string {
	if x.Alias < 0 {
		return fmt.Sprintf("services[%d].name", x.Service)
	}
	return fmt.Sprintf("services[%d].aliases[%d]", x.Service, x.Alias)
}

// Warnings are what works and is most likely not meant. A word that a service
// of the catalogue has is one: the catalogue grows with each version, and a new
// version must not refuse a file that the old one took.
func (c *Config) Warnings() (all []string) {
	for _, x := range catalogue.Clashes(c.Services) {
		if x.Shipped {
			all = append(all, c.places.Error(wordKey(x), fmt.Sprintf("%q is a word of the shipped service %q too: a reader who looks for it finds both; to change that one, give its id", x.Word, x.Other)).Error())
		}
	}
	return all
}

// CheckOptions looks at what New looks at, and at the files that the
// configuration names, without opening anything of the data folder.
func CheckOptions(o Options) error {
	if _, err := New(o); err != nil {
		return err
	}
	if file := o.Config.Geo.File; file != "" {
		if _, err := netinfo.Open(netinfo.Options{File: file}); err != nil {
			return o.Config.places.Error("geo.file", err.Error())
		}
	}
	return nil
}

// minToken is the shortest token of the console, in characters.
const minToken = 16

// consoleToken is the operator's token; "" turns the console off.
func (o *Options) consoleToken() (string, error) {
	if file := o.Config.Console.TokenFile; file != "" {
		token, err := readToken(file)
		if err != nil {
			return "", o.Config.places.Error("console.token_file", err.Error())
		}
		return token, nil
	}
	if o.ConsoleToken != "" && len(o.ConsoleToken) < minToken {
		return "", fmt.Errorf("FAULTLINE_CONSOLE_TOKEN holds fewer than %d characters: choose a long random one", minToken)
	}
	return o.ConsoleToken, nil
}

// readToken reads a token from a file that not everybody may read or write.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s does not exist: write a long random token to it, or remove the key to turn the console off", file)
	}
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s may not be read by this user: make it theirs (chown)", file)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", file)
	case info.Mode().Perm()&0o006 != 0:
		return "", fmt.Errorf("%s is open to every user of this machine (mode %04o): chmod 600 it, and write a new token if others use the machine", file, info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if len(token) < minToken || strings.ContainsFunc(token, unfitForLine) {
		return "", fmt.Errorf("%s does not hold one line of %d characters or more: write a long random token to it", file, minToken)
	}
	return token, nil
}
