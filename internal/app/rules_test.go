package app

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/internal/publish/web"
)

// source is what a room's code says: its constants, and the defaults that its
// Config takes by def(&c.Field, value).
type source struct {
	constants, defaults map[string]float64
}

// readRoom type-checks a room's files for their constants. What the room imports
// is not needed for that, so errors about it are no errors here.
func readRoom(t *testing.T, dir string) source {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %d files", dir, err, len(paths))
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	check := types.Config{Importer: onlyTime{importer.ForCompiler(fset, "source", nil)}, Error: func(error) {}}
	pkg, _ := check.Check(dir, fset, files, info)
	s := source{map[string]float64{}, map[string]float64{}}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
			s.constants[name], _ = constant.Float64Val(constant.ToFloat(c.Val()))
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool { s.take(info, n); return true })
	}
	return s
}

// onlyTime imports package time, for time.Minute, and nothing else: that is quick.
type onlyTime struct{ types.Importer }

// Import implements types.Importer.
func (o onlyTime) Import(path string) (*types.Package, error) {
	if path != "time" {
		return nil, errors.New("not needed")
	}
	return o.Importer.Import(path)
}

// take notes the default if the node is def(&c.Field, value).
func (s source) take(info *types.Info, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return
	}
	if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "def" {
		return
	}
	of, ok := call.Args[0].(*ast.UnaryExpr)
	if !ok {
		return
	}
	if field, ok := of.X.(*ast.SelectorExpr); ok {
		if v := info.Types[call.Args[1]].Value; v != nil {
			s.defaults[field.Sel.Name], _ = constant.Float64Val(constant.ToFloat(v))
		}
	}
}

// TestTheMethodPageStatesTheRoomsNumbers reads the numbers where they are made.
func TestTheMethodPageStatesTheRoomsNumbers(t *testing.T) {
	r := methodRules(DefaultConfig())
	if r != web.DefaultRules() {
		t.Errorf("without a configuration the page says\n%+v, a site that is told nothing says\n%+v", r, web.DefaultRules())
	}
	series, incident, scan := readRoom(t, "internal/series"), readRoom(t, "internal/incident"), readRoom(t, "internal/detect/nbscan")
	hit := readRoom(t, "internal/incident/affected")
	minutes := func(d time.Duration) float64 { return d.Minutes() }
	ticks := func(d time.Duration) float64 { return d.Seconds() / scan.constants["tick"] }
	for what, c := range map[string]struct {
		from map[string]float64
		name string
		says float64
	}{
		"a person counts once in":      {series.constants, "windowMinutes", minutes(r.PersonOnce)},
		"a network's floor":            {series.defaults, "NetworkFloor", float64(r.NetworkFloor)},
		"a network's multiple":         {series.defaults, "NetworkTimes", r.NetworkTimes},
		"a provider's share":           {series.defaults, "ASNShare", r.ASNShare},
		"a provider's multiple":        {series.defaults, "ASNTimes", r.ASNTimes},
		"a provider's floor":           {series.defaults, "ASNFloor", float64(r.ASNFloor)},
		"late reports":                 {series.defaults, "Late", float64(r.Late)},
		"the level of odd":             {incident.defaults, "OddLogP", r.OddLogP},
		"people behind odd":            {incident.defaults, "OddReporters", float64(r.OddReporters)},
		"the level of possible":        {incident.defaults, "PossibleLogP", r.PossibleLogP},
		"people behind possible":       {incident.defaults, "PossibleReporters", float64(r.PossibleReporters)},
		"networks behind possible":     {incident.defaults, "PossibleNetworks", float64(r.PossibleNetworks)},
		"people on a young base line":  {incident.defaults, "YoungReporters", float64(r.YoungReporters)},
		"failed checks":                {incident.defaults, "FailedChecks", float64(r.FailedChecks)},
		"failed checks of one vantage": {incident.defaults, "OneVantageChecks", float64(r.OneVantageChecks)},
		"vantage points of a quorum":   {incident.defaults, "QuorumVantages", float64(r.QuorumVantages)},
		"networks of a quorum":         {incident.defaults, "QuorumASNs", float64(r.QuorumASNs)},
		"groups of a quorum":           {incident.defaults, "QuorumShare", r.QuorumShare},
		"how far apart signs may be":   {incident.defaults, "Agree", float64(r.Agree)},
		"reports recover":              {incident.defaults, "RecoverReports", float64(r.RecoverReports)},
		"checks recover":               {incident.defaults, "RecoverChecks", float64(r.RecoverChecks)},
		"resolving":                    {incident.defaults, "Resolve", float64(r.Resolve)},
		"reopening":                    {incident.defaults, "Reopen", float64(r.Reopen)},
		"measured by nobody":           {incident.defaults, "Unheard", float64(r.Unheard)},
		"a young base line":            {scan.constants, "youngTicks", ticks(r.Young)},
		"a young surge has to fall":    {scan.constants, "unfoundedAfter", r.Told.Seconds()},
		"a symptom's share":            {incident.constants, "symptomShare", r.SymptomShare},
		"a symptom's multiple":         {incident.constants, "symptomTimes", r.SymptomTimes},
		"how rare a symptom must be":   {incident.constants, "symptomRare", r.SymptomRare},
		"a surface's share":            {incident.constants, "surfaceShare", r.SurfaceShare},
		"a surface's multiple":         {incident.constants, "surfaceTimes", r.SurfaceTimes},
		"how rare a surface must be":   {incident.constants, "surfaceRare", r.SurfaceRare},
		"how readily the hit speak up": {hit.constants, "Readier", r.HitReadier},
		"people who are not hit":       {hit.constants, "Others", float64(r.HitOthers)},
		"groups that checks need":      {hit.constants, "Groups", float64(r.HitGroups)},
		"what is usual of the others":  {incident.constants, "believed", float64(r.Young)},
		"freezing":                     {map[string]float64{"freezeShare": frozenHours(scan)}, "freezeShare", r.Frozen.Hours()},
	} {
		got, there := c.from[c.name]
		if !there || got != c.says {
			t.Errorf("%s: the page says %v, the room's %s is %v (there: %v)", what, c.says, c.name, got, there)
		}
	}
}

// frozenHours is how long it takes, from none, until the share of abnormal time in
// the exponentially weighted memory is the one at which a base line learns again.
func frozenHours(scan source) float64 {
	return math.Round(-math.Log(1-scan.constants["freezeShare"]) * scan.constants["freezeMemory"] * scan.constants["tick"] / 3600)
}

// TestTheDocumentsStateTheSameNumbers: docs/explanation/methods.md is prose, so
// its sentences are made here from the rules and looked for.
func TestTheDocumentsStateTheSameNumbers(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "explanation", "methods.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(b)), " ")
	r, scan := web.DefaultRules(), readRoom(t, "internal/detect/nbscan").constants
	for _, want := range []string{
		fmt.Sprintf("a holiday, %.0f %% of usual", 100*scan["dropShare"]),
		fmt.Sprintf("less than %.0f %% of the excess of its peak is left", 100*scan["fellShare"]),
		fmt.Sprintf("below %.0f %% for a few minutes, or below %.0f %% for half an hour", 100*scan["fellShare"], 100*scan["valleyShare"]),
		fmt.Sprintf("takes it back %.0f minutes later", r.Told.Minutes()),
		fmt.Sprintf("counts once in %.0f minutes", r.PersonOnce.Minutes()),
		fmt.Sprintf("at most %.0f times its usual number, and never less than %d", r.NetworkTimes, r.NetworkFloor),
		fmt.Sprintf("at most %.0f %% of what the others bring together, or %.0f times its usual share, and never less than %d", r.ASNShare*100, r.ASNTimes, r.ASNFloor),
		fmt.Sprintf("up to %.0f minutes, make a revision", r.Late.Minutes()),
		fmt.Sprintf("for at most %.0f hours", r.Frozen.Hours()),
		fmt.Sprintf("p ≤ 10⁻⁴ and at least %d people", r.OddReporters), fmt.Sprintf("p ≤ 10⁻⁶, at least %d people in at least %d networks", r.PossibleReporters, r.PossibleNetworks),
		fmt.Sprintf("%d people while the base line is younger than %.0f days", r.YoungReporters, r.Young.Hours()/24),
		fmt.Sprintf("%d checks in a row of one vantage point", r.FailedChecks),
		fmt.Sprintf("two kinds of instruments agree within %.0f minutes", r.Agree.Minutes()),
		fmt.Sprintf("%d in %d networks, %.0f %% of the healthy groups, the same step", r.QuorumVantages, r.QuorumASNs, r.QuorumShare*100),
		fmt.Sprintf("%d failed checks of one healthy vantage confirm", r.OneVantageChecks),
		fmt.Sprintf("back to usual for %.0f minutes, or %d checks", r.RecoverReports.Minutes(), r.RecoverChecks),
		fmt.Sprintf("has %.0f %% of all that or more, %.0f times its usual share or more, and is %.0f standard deviations", 100*r.SymptomShare, r.SymptomTimes, r.SymptomRare),
		fmt.Sprintf("A surface needs %.0f %%, %.1f times its usual share and %.0f;", 100*r.SurfaceShare, r.SurfaceTimes, r.SurfaceRare),
		fmt.Sprintf("at most %.0f times as readily", r.HitReadier), fmt.Sprintf("fewer than %d such people", r.HitOthers),
		fmt.Sprintf("%.0f minutes of that", r.Resolve.Minutes()), fmt.Sprintf("within %.0f hours re-opens", r.Reopen.Hours()),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/explanation/methods.md does not say %q", want)
		}
	}
	if r.OddLogP != 4 || r.PossibleLogP != 6 {
		t.Errorf("10⁻⁴ and 10⁻⁶ are written in the document, the rules say %v and %v", r.OddLogP, r.PossibleLogP)
	}
}
