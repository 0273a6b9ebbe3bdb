// Package web carries what readers' browsers get: templates, the style sheet,
// the island of script, and the font, embedded into the program.
//
// Templates are html/template files: one layout, and one file a page that
// defines "main". Static files are small enough to be sent whole; the font is
// Schibsted Grotesk (OFL, see static/sg-LICENSE.txt), cut down to Basic Latin and
// punctuation.
package web

import "embed"

// Templates holds templates/*.html.
//
//go:embed templates/*.html
var Templates embed.FS

// Static holds static/*.
//
//go:embed static/*
var Static embed.FS
