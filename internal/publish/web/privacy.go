package web

import (
	"faultline/internal/publish/live"
)

// promise is a part of the page about privacy. The page and its twin say the
// same words.
type promise struct {
	Anchor  string   `json:"anchor"`
	Heading string   `json:"heading"`
	Text    []string `json:"text"`
}

type privacyPage struct {
	Lede  string
	Parts []promise
}

var privacy = privacyPage{
	Lede: "When you read: nothing. When you report: a country, a network and a minute.",
	Parts: []promise{
		{"read", "When you read", []string{
			"No cookie, no account, no script of others, no request to any other server. The pages work without JavaScript. Your address is needed to send you the page and is not written down by this program; a proxy in front of it may keep logs of its own.",
		}},
		{"report", "When you report", []string{
			"Your address is looked up in a table on this machine (country and number of the network), turned into a keyed hash that stands for one person, one service and one day, and forgotten. It is never stored, logged or exported. The hash is cut to 64 bits and serves to count you once; it is never published, and the key is destroyed after the day and the time in which late reports are still taken. After that nobody, not even the operator, can connect a report with an address.",
			"What is kept: the service, the symptom, where you use it, the minute, the country, the network’s number, and whether you said since when. What is published: counts of 3 people or more, over 5 minutes or more.",
		}},
		{"long", "How long", []string{
			"The page about data says how long each kind of record is kept. Incidents are kept for ever and hold no data about people who reported.",
		}},
	},
}

func (s *Site) drawPrivacy(v *live.View) ([]byte, error) {
	return s.page("privacy", frame{Title: "What we know about you", Nav: "privacy", Path: "/privacy", Twin: "/privacy.json", Now: v.At, Data: privacy})
}

// privacyDoc is the twin of the page about privacy.
type privacyDoc struct {
	head
	Lede  string    `json:"summary"`
	Parts []promise `json:"parts"`
}

func (s *Site) privacyJSON(v *live.View) ([]byte, error) {
	return encode(privacyDoc{s.head(v, "What we know about you"), privacy.Lede, privacy.Parts})
}
