// Command build makes the tables that netinfo ships:
//
//	go run ./internal/netinfo/build -date 2026-06-17 COUNTRY.mmdb ASN-IPV4.csv.gz ASN-IPV6.csv.gz internal/netinfo/data
//
// The sources are those of ip-location-db: geo-whois-asn-country.mmdb (CC0),
// and asn-ipv4-num.csv and asn-ipv6-num.csv (CC BY 4.0; RouteViews and DB-IP),
// gzipped. The same files give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"faultline/internal/netinfo"
)

func main() {
	date := flag.String("date", "", "`day` of the ASN tables, YYYY-MM-DD")
	flag.Parse()
	day, err := time.Parse(time.DateOnly, *date)
	if err != nil || flag.NArg() != 4 {
		fmt.Fprintln(os.Stderr, "usage: build -date YYYY-MM-DD COUNTRY.mmdb ASN4.csv.gz ASN6.csv.gz FOLDER")
		os.Exit(3)
	}
	left, err := netinfo.Pack(flag.Arg(3), day, flag.Arg(0), flag.Arg(1), flag.Arg(2))
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "left out %d IPv6 ranges that divide a /64\n", left)
}
