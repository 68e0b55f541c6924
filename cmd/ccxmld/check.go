package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ccxmld/daemon"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DOCUMENT...",
		Short: "Say what keeps CCXML documents from loading, as file:line:column: message",
		Long: `Check parses and compiles CCXML documents, files or URIs, without running them.
What keeps one from loading is printed as file:line:column: message, and the exit status
is 1. Lines with "note:" tell of lenient readings and of elements that will raise
error.unsupported; they do not change the exit status.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(cmd.Context(), args, cmd.OutOrStdout())
		},
	}
}

// check checks each document, and reports whether all would load.
func check(ctx context.Context, documents []string, out io.Writer) error {
	client, err := fetch.New(fetch.Options{Allow: []string{"file:///", "http://", "https://"}})
	if err != nil {
		return err
	}
	checker := checker{
		client:   client,
		compiler: interpreter.NewCompiler(daemon.Extensions(nil)...),
		out:      out,
	}
	failed := false
	for _, name := range documents {
		if err := checker.document(ctx, name); err != nil {
			failed = true
			fmt.Fprintln(out, err)
		}
	}
	if failed {
		return errReported
	}
	return nil
}

type checker struct {
	client   *fetch.Client
	compiler *interpreter.Compiler
	out      io.Writer
}

// document checks one document. Its places are named as the document was.
func (c *checker) document(ctx context.Context, name string) error {
	uri := name
	if !strings.Contains(name, "://") {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		uri = "file://" + path
	}
	response, err := c.client.Fetch(ctx, fetch.Request{URI: uri})
	if err != nil {
		return err
	}
	named := *response
	named.URI = name
	root, places, err := named.PlacedXML(fetch.XMLLimits{})
	if err != nil {
		return err
	}
	document, err := c.compiler.CompileSource(interpreter.Source{Root: root, URI: uri, Places: places, Load: func(r interpreter.ScriptRequest) (string, string, error) {
		at, err := fetch.Resolve(r.Base, r.Src)
		if err != nil {
			return "", "", err
		}
		script, err := c.client.Fetch(ctx, fetch.Request{URI: at, Timeout: r.Timeout})
		if err != nil {
			return "", "", err
		}
		text, err := script.TextIn(r.Charset)
		return text, script.URI, err
	}})
	var problems interpreter.Problems
	if errors.As(err, &problems) {
		return renamed(problems, uri, name)
	}
	if err != nil {
		return err
	}
	for _, notice := range renamed(document.Notices, uri, name) {
		fmt.Fprintf(c.out, "%s: note: %s\n", notice.Position, notice.Reason)
	}
	return nil
}

// renamed gives problems of a document under the name that the user gave it.
func renamed(problems interpreter.Problems, uri, name string) interpreter.Problems {
	list := make(interpreter.Problems, len(problems))
	for i, problem := range problems {
		copied := *problem
		if copied.Position.URI == uri {
			copied.Position.URI = name
		}
		list[i] = &copied
	}
	return list
}
