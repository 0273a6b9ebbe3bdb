package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Reference is the page about the commands, as Markdown.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nGenerated from the code by `make generate`. Exit codes: 0 fine, 1 disrupted or finding, 2 cannot tell, 3 usage or input error.\n")
	root := newRoot(Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" }, Now: time.Now})
	b.WriteString("\n## Everywhere\n\n")
	writeFlags(&b, root.PersistentFlags())
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			writeCommand(&b, c)
		}
	}
	return b.Bytes()
}

func writeCommand(b *bytes.Buffer, c *cobra.Command) {
	if c.Name() == "completion" { // cobra's own, with a sub-command a shell
		fmt.Fprintf(b, "\n## faultline completion bash|zsh|fish|powershell\n\nPrints the completion script of a shell.\n")
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", c.UseLine(), c.Short)
	if c.Long != "" {
		fmt.Fprintf(b, "\n%s\n", c.Long)
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.Example)
	}
	if c.LocalNonPersistentFlags().HasFlags() {
		b.WriteString("\n")
		writeFlags(b, c.LocalNonPersistentFlags())
	}
	for _, sub := range c.Commands() {
		writeCommand(b, sub)
	}
}

func writeFlags(b *bytes.Buffer, flags *pflag.FlagSet) {
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		_, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(b, "| `--%s` | `%s` | %s |\n", f.Name, f.DefValue, strings.ReplaceAll(usage, "|", "\\|"))
	})
}
