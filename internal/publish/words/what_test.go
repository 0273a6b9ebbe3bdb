package words_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/publish/words"
)

func TestWhatFailsIsSaidWhereItStandsOut(t *testing.T) {
	signIn := faultline.Aspect{Symptom: faultline.CannotLogIn, N: 800, Share: 0.9, Usual: 0.14, Ratio: 41, StandsOut: true}
	load := faultline.Aspect{Symptom: faultline.CannotLoad, N: 80, Share: 0.1, Usual: 0.5, Ratio: 3}
	app := faultline.Aspect{Surface: faultline.App, N: 700, Share: 0.93, Usual: 0.5, StandsOut: true}
	web := faultline.Aspect{Surface: faultline.Web, N: 70, Share: 0.07, Usual: 0.5}
	few := signIn
	few.N = 4
	other := signIn
	other.Symptom = faultline.OtherSymptom
	bySymptom := faultline.PeakReports{Value: 48, Usual: 14.4, Width: minutes(15), Symptom: faultline.CannotLogIn}
	bySurface := faultline.PeakReports{Value: 48, Usual: 14.4, Width: minutes(15), Surface: faultline.App}
	for _, c := range []struct {
		name           string
		what           []faultline.Aspect
		peak           faultline.PeakReports
		headline, lede string // what stands in them
	}{
		{"nothing stands out", []faultline.Aspect{load, web}, faultline.PeakReports{}, "very many people report problems", "usual. It began"},
		{"a symptom in the app", []faultline.Aspect{signIn, load, app, web}, faultline.PeakReports{}, "very many people report problems, most that they can’t sign in, in the app", "What stands out: “Can’t sign in”, 41 × the usual number; the app, 93 % of the reports above usual."},
		{"a symptom", []faultline.Aspect{signIn, load}, faultline.PeakReports{}, "most that they can’t sign in", "What stands out: “Can’t sign in”, 41 × the usual number."},
		{"no ratio of so few", []faultline.Aspect{few}, faultline.PeakReports{}, "most that they can’t sign in", "What stands out: “Can’t sign in”."},
		{"a surface", []faultline.Aspect{load, app}, faultline.PeakReports{}, "report problems, nearly all with the app", "What stands out: the app, 93 % of the reports above usual."},
		{"something else is no answer", []faultline.Aspect{other}, faultline.PeakReports{}, "very many people report problems", "usual. It began"},
		{"a symptom alone", []faultline.Aspect{signIn, app}, bySymptom, "more people than usual say that they can’t sign in, in the app", "Reports of “Can’t sign in” reached 3.3 × the usual number: 48 in 15 min, where 14 are usual. What stands out: the app, 93 %"},
		{"a surface alone", []faultline.Aspect{app}, bySurface, "more people than usual report problems with the app", "Reports about the app reached 3.3 ×"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := surge(820, 20)
			i.What = c.what
			if c.peak.Value > 0 {
				i.Peak = c.peak
			}
			v := words.Say(words.Facts{Name: "X", Now: now, State: faultline.Possible, Incident: i})
			if !strings.HasSuffix(v.Headline, c.headline) || !strings.Contains(v.Text(), c.lede) {
				t.Errorf("%s\n%s", v.Headline, v.Text())
			}
			if strings.Count(v.Text(), "What stands out") > 1 || strings.Contains(c.lede, "usual. It began") && strings.Contains(v.Text(), "stands out") {
				t.Errorf("%s", v.Text())
			}
		})
	}
}
