package words

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"faultline"
)

// Duration writes a length of time in the two largest units that matter.
func Duration(d time.Duration) string {
	m := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d < time.Minute:
		return "less than a minute"
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case m < 48*60:
		return join(fmt.Sprintf("%d h", m/60), m%60, "min")
	}
	return join(fmt.Sprintf("%d days", m/1440), m%1440/60, "h")
}

func join(head string, rest int, unit string) string {
	if rest == 0 {
		return head
	}
	return fmt.Sprintf("%s %d %s", head, rest, unit)
}

// Count writes a whole number with thousands set off.
func Count(v float64) string {
	s := strconv.FormatFloat(math.Round(math.Abs(v)), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// People writes a number of reports; fewer than three are never printed.
func People(v float64) string {
	switch {
	case v <= 0:
		return "no"
	case v < 3:
		return "fewer than 3"
	}
	return Count(v)
}

// Plural joins a count and a noun.
func Plural(v float64, one, many string) string {
	if math.Round(v) == 1 {
		return "1 " + one
	}
	return Count(v) + " " + many
}

// Times writes a ratio: whole from ten on, one decimal below.
func Times(r float64) string {
	if r >= 10 {
		return Count(r) + " ×"
	}
	return strconv.FormatFloat(faultline.Round(r, 1), 'f', 1, 64) + " ×"
}

// Range writes what is usual: "25 to 85". Numbers below three are not printed.
func Range(low, high float64) string {
	if high < 3 {
		return "fewer than 3"
	}
	if low < 3 {
		return "up to " + Count(high)
	}
	return Count(low) + " to " + Count(high)
}

// Clock writes a time of day in UTC, with the day if it is another than now's.
func Clock(t, now time.Time) string {
	if t = t.UTC(); sameDay(t, now) {
		return t.Format("15:04") + " UTC"
	}
	return t.Format("2 Jan 2006, 15:04") + " UTC"
}

// sameDay says whether two moments are of one day in UTC.
func sameDay(a, b time.Time) bool {
	return a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}

// Country is a country's English name (CLDR).
func Country(c faultline.Country) string {
	if c == faultline.UnknownCountry || !c.Valid() {
		return "an unknown country"
	}
	r, err := language.ParseRegion(string(c))
	if err != nil {
		return string(c)
	}
	if name := display.English.Regions().Name(r); name != "" {
		return name
	}
	return string(c)
}

// articles are the countries that English gives one.
const articles = " US GB NL PH AE BS GM CF CD CG DO KM MH MV SB SC "

// The is a country's name inside a sentence: "the United Kingdom".
func The(c faultline.Country) string {
	if strings.Contains(articles, " "+string(c)+" ") {
		return "the " + Country(c)
	}
	return Country(c)
}

var numerals = [...]string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}

// Small writes a small number as a word.
func Small(n int) string {
	if n >= 0 && n < len(numerals) {
		return numerals[n]
	}
	return strconv.Itoa(n)
}

// Percent writes a share, 0 to 1; what is less than one in a hundred says so.
func Percent(share float64) string {
	percent := math.Round(share * 100)
	if share > 0 && percent < 1 {
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", percent)
}

// failures are the failures' names in plain words.
var failures = map[faultline.Failure]string{
	faultline.ConnectionRefused: "the connection is refused", faultline.ConnectionReset: "the connection is cut",
	faultline.DNSNXDomain: "the name does not exist", faultline.DNSServFail: "the name servers fail", faultline.DNSRefused: "the name servers refuse to answer",
	faultline.DNSNoAnswer: "the name has no address", faultline.DNSTemporary: "the name cannot be looked up", faultline.EOFError: "the connection is closed early",
	faultline.GenericTimeout: "there is no answer in time", faultline.HostUnreachable: "the host cannot be reached", faultline.NetworkUnreachable: "the network cannot be reached",
	faultline.NetworkDown: "the network is down", faultline.SSLInvalidCertificate: "the certificate is not valid", faultline.SSLInvalidHostname: "the certificate is for another name",
	faultline.SSLUnknownAuthority: "nobody we trust signed the certificate", faultline.SSLFailedHandshake: "encryption cannot be set up",
	faultline.HTTPServerError: "the server answers with an error", faultline.HTTPClientError: "the server refuses the request", faultline.HTTPInvalid: "the answer is not HTTP",
	faultline.TooManyRedirects: "the address redirects in circles", faultline.RefusedToUs: "the service refuses to talk to us", faultline.AddressForbidden: "the address may not be probed",
	faultline.AssertionFailed: "the answer is not what it should be", faultline.ProbeFault: "our own probe failed",
}

// Failure says how a check failed.
func Failure(f faultline.Failure) string {
	if w, ok := failures[f]; ok {
		return w
	}
	return "the check fails"
}

// ops are the steps of a check in plain words.
var ops = map[faultline.Op]string{
	faultline.OpResolve: "while looking up the name", faultline.OpConnect: "while connecting", faultline.OpTLS: "while setting up encryption",
	faultline.OpSend: "while sending", faultline.OpWait: "while waiting for the answer", faultline.OpBody: "while reading the answer",
}

// Op says at which step a check failed; nothing for a step without a name.
func Op(o faultline.Op) string { return ops[o] }

var failureAt = regexp.MustCompile(`\b([a-z0-9]+_[a-z0-9_]+)(?: at ([a-z]+))?`)

// Reason is a rule's reason with the failures' public names replaced by plain
// words; the record keeps the names.
func Reason(why string) string {
	return failureAt.ReplaceAllStringFunc(why, func(found string) string {
		m := failureAt.FindStringSubmatch(found)
		plain, ok := failures[faultline.Failure(m[1])]
		if !ok {
			return found
		}
		if step := Op(faultline.Op(m[2])); step != "" {
			return plain + " " + step
		}
		return plain + strings.TrimPrefix(found, m[1])
	})
}

// impairments are the reasons why a vantage cannot be trusted.
var impairments = map[faultline.Impairment]string{
	faultline.NoRoute: "this vantage has no network", faultline.NoResolver: "this vantage has no name server", faultline.AllFail: "everything fails at once here, so it is us",
	faultline.ControlsFail: "our control addresses fail too", faultline.LocalCPU: "this vantage is too busy to measure", faultline.CaptivePortal: "something here answers in everybody's name",
}

// Impaired says why a vantage cannot be trusted.
func Impaired(i faultline.Impairment) string {
	if w, ok := impairments[i]; ok {
		return w
	}
	return "this vantage is impaired"
}

// Symptom is a symptom as a reader says it.
func Symptom(s faultline.Symptom) string {
	switch s {
	case faultline.CannotLoad:
		return "Won’t open or load"
	case faultline.FeedNotRefreshing:
		return "Feed won’t refresh"
	case faultline.CannotLogIn:
		return "Can’t sign in"
	case faultline.CannotPost:
		return "Can’t post or send"
	case faultline.Slow:
		return "Very slow"
	case faultline.OtherSymptom:
	}
	return "Something else"
}

// Surface is where a reader meets the service.
func Surface(s faultline.Surface) string {
	switch s {
	case faultline.App:
		return "App"
	case faultline.API:
		return "Interface for programs (API)"
	case faultline.Web:
	}
	return "Website"
}

// State is the word on the pill.
func State(s faultline.State) string {
	switch s {
	case faultline.Fine:
		return "As usual"
	case faultline.OddState:
		return "Odd"
	case faultline.Possible:
		return "Possible"
	case faultline.Confirmed:
		return "Disrupted"
	case faultline.Recovering:
		return "Recovering"
	case faultline.Resolved:
		return "Over"
	case faultline.Retracted:
		return "Retracted"
	case faultline.Unclear:
	}
	return "Can’t tell"
}

// Shape is the drawing beside the word, so that nothing hangs on a colour:
// down (filled), odd (open), fine (circle), unknown (dashed square).
func Shape(s faultline.State) string {
	switch s {
	case faultline.Confirmed, faultline.Recovering:
		return "down"
	case faultline.Possible, faultline.OddState:
		return "odd"
	case faultline.Fine, faultline.Resolved, faultline.Retracted:
		return "fine"
	case faultline.Unclear:
	}
	return "unknown"
}
