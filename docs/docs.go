// Package docs carries the documents, so that the program serves its own copy:
// what you read is the version that runs.
package docs

import "embed"

// FS holds the Markdown files under their paths in this folder.
//
//go:embed *.md explanation/*.md howto/*.md reference/*.md tutorials/*.md decisions/*.md
var FS embed.FS
