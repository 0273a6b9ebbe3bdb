package words

import (
	"strings"

	"faultline"
)

// What fails: a symptom or a surface that stands out, and what people say of it.

// standing gives the symptom and the surface that stand out; nil: none does.
func standing(i *faultline.Incident) (symptom, surface *faultline.Aspect) {
	if i == nil {
		return nil, nil
	}
	for k := range i.What {
		switch a := &i.What[k]; {
		case !a.StandsOut:
		case a.Symptom != "" && a.Symptom != faultline.OtherSymptom && symptom == nil:
			symptom = a
		case a.Surface != "" && surface == nil:
			surface = a
		}
	}
	return symptom, surface
}

// StandsOut names in a few words what stands out, or nothing.
func StandsOut(i *faultline.Incident) string {
	var out []string
	symptom, surface := standing(i)
	if symptom != nil {
		out = append(out, "“"+Symptom(symptom.Symptom)+"” stands out")
	}
	if surface != nil {
		out = append(out, TheSurface(surface.Surface)+" stands out")
	}
	return strings.Join(out, ", ")
}

// trouble is what people with a symptom say, after "that".
func trouble(s faultline.Symptom) string {
	switch s {
	case faultline.CannotLoad:
		return "it won’t open or load"
	case faultline.FeedNotRefreshing:
		return "their feed won’t refresh"
	case faultline.CannotLogIn:
		return "they can’t sign in"
	case faultline.CannotPost:
		return "they can’t post or send"
	case faultline.Slow:
		return "it is very slow"
	case faultline.OtherSymptom:
	}
	return "something else is wrong"
}

// TheSurface is a surface inside a sentence.
func TheSurface(s faultline.Surface) string {
	switch s {
	case faultline.App:
		return "the app"
	case faultline.API:
		return "the interface for programs"
	case faultline.Web:
	}
	return "the website"
}

// complaint says who says what, with a crowd of the size that the peak has.
func complaint(i *faultline.Incident) string {
	who := crowd(ratio(i))
	if i == nil {
		return who + " report problems"
	}
	symptom, surface := standing(i)
	switch {
	case i.Peak.Symptom != "":
		return who + " say that " + trouble(i.Peak.Symptom) + within(surface)
	case i.Peak.Surface != "":
		return who + " report problems with " + TheSurface(i.Peak.Surface)
	case symptom != nil:
		return who + " report problems, most that " + trouble(symptom.Symptom) + within(surface)
	case surface != nil:
		return who + " report problems, nearly all with " + TheSurface(surface.Surface)
	}
	return who + " report problems"
}

func within(surface *faultline.Aspect) string {
	if surface == nil {
		return ""
	}
	return ", in " + TheSurface(surface.Surface)
}

// whatPieces say what stands out, unless the peak has said it.
func whatPieces(i *faultline.Incident) (out []Piece) {
	symptom, surface := standing(i)
	if symptom != nil && i.Peak.Symptom != symptom.Symptom {
		out = append(out, plain(" What stands out: “"+Symptom(symptom.Symptom)+"”"))
		if symptom.N >= 5 && symptom.Ratio > 0 {
			out = append(out, plain(", "), strong(Times(symptom.Ratio)+" the usual number"))
		}
	}
	if surface != nil && i.Peak.Surface != surface.Surface {
		begin := "; "
		if out == nil {
			begin = " What stands out: "
		}
		out = append(out, plain(begin+TheSurface(surface.Surface)+", "), strong(Percent(surface.Share)+" of the reports above usual"))
	}
	if out == nil {
		return nil
	}
	return append(out, plain("."))
}

// reportsOf names the reports that a peak counts.
func reportsOf(p *faultline.PeakReports) string {
	switch {
	case p.Symptom != "":
		return "Reports of “" + Symptom(p.Symptom) + "”"
	case p.Surface != "":
		return "Reports about " + TheSurface(p.Surface)
	case p.Country != "":
		return "Reports from " + The(p.Country)
	}
	return "Reports"
}
