package netinfo

import (
	"strings"

	"faultline"
)

// assigned are the officially assigned ISO 3166-1 alpha-2 codes, and XK, which
// ISO leaves to its users and registries use for Kosovo.
const assigned = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"

// known says of each number of countryCode whether the code is a country's; 0,
// "unknown", counts as one.
var known = func() (set [26*26 + 1]bool) {
	set[0] = true
	for c := range strings.FieldsSeq(assigned) {
		set[countryCode(faultline.Country(c))] = true
	}
	return set
}()

// Country reads a code that somebody typed, in capitals or not: an assigned
// ISO 3166-1 alpha-2 code, XK for Kosovo, or ZZ for unknown. Nothing else is a
// country here, however well-formed: a wrong one must not be taken for the
// world, nor begin a series of its own.
func Country[T ~string | ~[]byte](typed T) (faultline.Country, bool) {
	c := faultline.Country(strings.ToUpper(string(typed)))
	if !c.Valid() || !known[countryCode(c)] {
		return "", false
	}
	return c, true
}

// MeantCountry guesses which code was meant by one that is none, or gives "".
func MeantCountry[T ~string | ~[]byte](typed T) faultline.Country {
	return map[string]faultline.Country{"UK": "GB", "GBR": "GB", "USA": "US", "EL": "GR", "XKX": "XK"}[strings.ToUpper(string(typed))]
}
