package app

import (
	"faultline/internal/probe"
	"faultline/internal/probe/dns"
	"faultline/internal/probe/http"
	"faultline/internal/probe/tcp"
	"faultline/internal/probe/tls"
)

// What the binary was built with. Adding a part is its own folder and a line
// here. (Detectors are listed in internal/detect, which is lifted into
// commands without this package.)

// probers are the kinds of checks.
func probers() probe.Table { return probe.Table{http.Kind, tcp.Kind, tls.Kind, dns.Kind} }
