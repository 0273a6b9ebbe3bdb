package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"faultline/api"
	"faultline/internal/publish/chart"
	assets "faultline/web"
)

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// loadStatic packs the static files under names that carry a hash of their
// content, so that they can be cached for ever. The style sheet's reference to
// the font is rewritten to the font's name.
func loadStatic(base string) (files map[string]*rendered, names map[string]string, err error) {
	files, names = map[string]*rendered{}, map[string]string{}
	list, err := fs.ReadDir(assets.Static, "static")
	if err != nil {
		return nil, nil, fmt.Errorf("list static files: %w", err)
	}
	contents := map[string][]byte{}
	for _, f := range list {
		b, err := fs.ReadFile(assets.Static, "static/"+f.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read static file %s: %w", f.Name(), err)
		}
		contents[f.Name()] = b
	}
	contents["style.css"] = []byte(strings.ReplaceAll(string(contents["style.css"]), "url(sg.woff2)", "url("+hashed("sg.woff2", contents["sg.woff2"])+")"))
	for name, b := range contents {
		p := (&Site{}).pack(b, contentTypes[path.Ext(name)], true)
		p.control = []string{"public, max-age=31536000, immutable"}
		if path.Ext(name) == ".woff2" {
			p.gz = nil // is compressed
		}
		files["/static/"+hashed(name, b)] = p
		names[name] = base + "/static/" + hashed(name, b)
	}
	return files, names, nil
}

// loadWorld reads the sprite that maps are drawn with.
func loadWorld() (*chart.World, error) {
	b, err := fs.ReadFile(assets.Static, "static/world.svg")
	if err != nil {
		return nil, fmt.Errorf("read the map of the world: %w", err)
	}
	return chart.ReadWorld(b)
}

// loadContract packs the description of the interface for programs.
func (s *Site) loadContract() error {
	b, err := api.JSON()
	if err != nil {
		return err
	}
	s.static["/api/v1/openapi.json"] = s.pack(b, typeJSON, s.d.Replay == nil)
	s.static["/api/v1/openapi.yaml"] = s.pack(api.YAML, "application/yaml; charset=utf-8", s.d.Replay == nil)
	return nil
}

// hashed puts a part of the content's hash before the extension.
func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
}
