package chart_test

import (
	"strings"
	"testing"

	"faultline/internal/publish/chart"
)

func TestACurveIsDrawnOnPowersOfTen(t *testing.T) {
	svg := string(chart.Curve{Label: `a "curve" & more`, Lines: []chart.Line{
		{Class: "s1", Points: []chart.Often{{Should: 0.1, Was: 0.1, Low: 0.09, High: 0.11}, {Should: 0.01, Was: 0.02, Low: 0.01, High: 0.03}}},
		{Class: "s2", Points: []chart.Often{{Should: 0.1, Was: 0.1, Low: 0, High: 2}}},
	}}.SVG())
	for _, want := range []string{`aria-label="a &#34;curve&#34; &amp; more"`, "10⁻⁶", ">1<", `class="ln s1"`, `class="ln s2"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s", want)
		}
	}
	// 0.1 is a seventh of the way down, whatever the line; shares beyond the axes
	// are drawn at their ends.
	if strings.Count(svg, `cy="52.9"`) != 2 || !strings.Contains(svg, "226V24") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error(svg)
	}
	if got := chart.Power(-12) + chart.Power(0); got != "10⁻¹²1" {
		t.Error(got)
	}
}
