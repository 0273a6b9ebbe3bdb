package detector

import "faultline"

// minComplete is the share of a bin in which somebody must have listened.
const minComplete = 0.5

// Unheard says why a sample of tries does not count: its vantage could not take it
// properly, the service refused us, our own rules or a fault of ours stood in the way,
// or nobody tried. It is "" for one that counts.
func Unheard(s *faultline.Sample) string {
	switch {
	case s.Impaired != "":
		return string(s.Impaired) // which kind it is, readers want to know
	case s.Failure == faultline.RefusedToUs, s.Failure == faultline.AddressForbidden, s.Failure == faultline.ProbeFault:
		return string(s.Failure)
	case s.Complete < minComplete || !(s.N > 0):
		return "collector_silent"
	}
	return ""
}
