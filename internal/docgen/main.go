// Command docgen writes the reference pages that the code can write by itself:
// the configuration with its defaults and the comments of its fields, and the
// commands with their flags. Run it with make generate.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"faultline/internal/app"
	"faultline/internal/cli"
	"faultline/internal/settings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// run writes both pages below docs/reference of the module.
func run() error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	dir := strings.TrimSpace(string(root))
	configuration, err := Configuration(dir)
	if err != nil {
		return err
	}
	for name, page := range map[string][]byte{"configuration.md": configuration, "commands.md": cli.Reference()} {
		if err := os.WriteFile(filepath.Join(dir, "docs", "reference", name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Configuration is the page about the configuration file.
func Configuration(dir string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`# Configuration

Generated from the code by ` + "`make generate`" + `. Faultline works without a file; ` + "`faultline --config FILE`" + ` reads one, ` + "`faultline check FILE`" + `
checks it, and ` + "`faultline config show`" + ` prints what is in effect. A misspelt key, and a value that cannot work, is an error with its line.
Every flag can be set as ` + "`FAULTLINE_NAME`" + ` in the environment (` + "`--log-level`" + ` is ` + "`FAULTLINE_LOG_LEVEL`" + `), keys of this file cannot; a variable that is
almost one of these is an error, another one that begins with ` + "`FAULTLINE_`" + ` a warning.

| key | default | meaning |
|---|---|---|
`)
	w := &walker{dir: dir, out: &b, comments: map[string]map[string]string{}}
	err := w.structure("", reflect.ValueOf(app.DefaultConfig()))
	return b.Bytes(), err
}

// walker writes a row for each key of a struct and of what is in it.
type walker struct {
	dir      string
	out      *bytes.Buffer
	comments map[string]map[string]string // package path → "Type.Field" → comment
}

func (w *walker) structure(prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := settings.Key(f)
		if strings.Contains(f.Tag.Get("yaml"), ",inline") {
			if err := w.structure(prefix, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		if key == "" {
			continue
		}
		if err := w.field(prefix+key, v.Type(), f, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(key string, owner reflect.Type, f reflect.StructField, v reflect.Value) error {
	comment, err := w.comment(owner, f.Name)
	if err != nil {
		return err
	}
	isSection := f.Type.Kind() == reflect.Struct && f.Type.PkgPath() != "time" && f.Type.NumField() > 0 && f.Type.Name() != "Prefix"
	if isSection {
		return w.structure(key+".", v)
	}
	def, err := yaml.Marshal(v.Interface())
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	fmt.Fprintf(w.out, "| `%s` | `%s` | %s |\n", key, strings.TrimSpace(strings.ReplaceAll(string(def), "\n", " ")), comment)
	if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct && f.Type.Elem().PkgPath() == "faultline" {
		return w.structure(key+"[].", reflect.New(f.Type.Elem()).Elem())
	}
	return nil
}

// comment is the comment of a field, as one line.
func (w *walker) comment(owner reflect.Type, field string) (string, error) {
	pkg := owner.PkgPath()
	if pkg == "" { // an anonymous struct stands in app.Config
		pkg = "faultline/internal/app"
	}
	if w.comments[pkg] == nil {
		all, err := fieldComments(filepath.Join(w.dir, strings.TrimPrefix(strings.TrimPrefix(pkg, "faultline"), "/")))
		if err != nil {
			return "", err
		}
		w.comments[pkg] = all
	}
	text := w.comments[pkg][owner.Name()+"."+field]
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|"), nil
}

// fieldComments reads the comments of all fields of all structs of a package;
// those of anonymous structs stand under "".
func fieldComments(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	fset := token.NewFileSet()
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if st, ok := spec.Type.(*ast.StructType); ok {
					collect(all, spec.Name.Name, st)
				}
			}
			return true
		})
	}
	return all, nil
}

func collect(all map[string]string, name string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		for _, n := range f.Names {
			all[name+"."+n.Name] = text
		}
		if inner, ok := f.Type.(*ast.StructType); ok {
			collect(all, "", inner)
		}
	}
}
