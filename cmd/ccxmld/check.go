package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ccxmld/callcontrol/documents"
	"ccxmld/daemon"
	"ccxmld/dialog/srgs"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
	"ccxmld/script"
)

func checkCommand() *cobra.Command {
	var c checker
	command := &cobra.Command{
		Use:   "check DOCUMENT...",
		Short: "Say what is wrong with CCXML documents, VoiceXML pages and grammars, as file:line:column: message",
		Long: `Check reads CCXML documents, VoiceXML pages and grammars of SRGS, files or URIs, without running them. What it finds is
printed as file:line:column: severity: message [code]. An error keeps the document
from loading, or is an expression that does not parse; a warning is very likely a mistake; a note is worth knowing, such as
a lenient reading. docs/check.md explains the codes.

The exit status is 1 if there is an error, or with --strict a warning; else 0.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd.Context(), args, cmd.OutOrStdout())
		},
	}
	command.Flags().StringVar(&c.format, "format", "text", "text, or json for an array of objects")
	command.Flags().BoolVar(&c.strict, "strict", false, "warnings make the exit status 1 too")
	return command
}

// checker checks documents.
type checker struct {
	format   string
	strict   bool
	client   *fetch.Client
	compiler *interpreter.Compiler
	pages    *vxml.Compiler
	seen     map[string]bool // pages that documents name, by URI
	// asConfigured has a document read as what its name says, as the daemon reads those
	// of its configuration, and not as what it turns out to be.
	asConfigured bool
}

// prepare gives the checker what it fetches documents by.
func (c *checker) prepare(client *fetch.Client) {
	c.client, c.pages, c.seen = client, vxml.NewCompiler(), make(map[string]bool)
	c.compiler = interpreter.NewCompiler(daemon.Extensions(nil)...)
}

// reader fetches what documents on the command line name: files, what is public, and
// what is on the documents' own hosts, be they private.
func reader(documents ...string) (*fetch.Client, error) {
	allow := []string{"file:///", "http://", "https://"}
	for _, document := range documents {
		if host := hostOf(document); host != "" {
			allow = append(allow, host)
		}
	}
	return fetch.New(fetch.Options{Allow: allow, Links: true}) // what is checked is the user's own
}

// hostOf gives the beginning of all URIs on the host of a document, "" for a file.
func hostOf(document string) string {
	u, err := url.Parse(strings.TrimPrefix(document, documents.PageScheme))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}

// run checks each document, and reports whether they pass.
func (c *checker) run(ctx context.Context, documents []string, out io.Writer) error {
	if c.format != "text" && c.format != "json" {
		return fmt.Errorf("--format is %q; expected text or json", c.format)
	}
	client, err := reader(documents...)
	if err != nil {
		return err
	}
	defer client.Close()
	c.prepare(client)
	for _, name := range documents {
		if uri, err := uriOf(name); err == nil {
			c.seen[uri] = true
		}
	}
	var findings []lint.Finding
	for _, name := range documents {
		findings = append(findings, c.document(ctx, name)...)
	}
	if err := c.print(out, findings); err != nil {
		return err
	}
	for _, finding := range findings {
		if finding.Severity == lint.Error || c.strict && finding.Severity == lint.Warning {
			return errReported
		}
	}
	return nil
}

// findingJSON is a finding as --format json prints it.
type findingJSON struct {
	Document string `json:"document"`
	Line     int    `json:"line"`   // 0: unknown
	Column   int    `json:"column"` // in characters; 0: unknown
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

func (c *checker) print(out io.Writer, findings []lint.Finding) error {
	if c.format == "text" {
		for _, finding := range findings {
			fmt.Fprintln(out, finding.Error())
		}
		return nil
	}
	list := make([]findingJSON, len(findings))
	for i, f := range findings {
		list[i] = findingJSON{f.Position.URI, f.Position.Line, f.Position.Column, f.Severity.String(), f.Code, f.Message}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

// document checks one document, page or grammar. Its places are named as the document was.
func (c *checker) document(ctx context.Context, name string) []lint.Finding {
	uri, err := uriOf(name)
	if err != nil {
		return unreadable(name, err)
	}
	response, err := c.client.Fetch(ctx, fetch.Request{URI: uri})
	if err != nil {
		return unreadable(name, err)
	}
	if advice := vxml.ForeignGrammar(response); advice != "" && !c.asConfigured {
		return []lint.Finding{{Position: script.Position{URI: name, Line: 1}, Severity: lint.Error, Code: srgs.Code, Message: advice}}
	}
	if !c.asConfigured && isABNF(uri, response) {
		return c.named(c.grammar(ctx, srgs.Source{URI: uri, Text: response.Text()}), uri, name)
	}
	root, places, err := response.PlacedXML(fetch.XMLLimits{Context: ctx})
	if err != nil {
		return unreadable(name, err)
	}
	var findings []lint.Finding
	switch kind := rootOf(root); {
	case strings.HasPrefix(name, documents.PageScheme) || !c.asConfigured && kind == "vxml":
		findings = c.page(root, places, uri)
	case !c.asConfigured && kind == "grammar":
		findings = c.grammar(ctx, srgs.Source{URI: uri, Root: root, Places: places})
	default:
		findings = c.ccxml(ctx, interpreter.Source{Root: root, URI: uri, Places: places})
	}
	return c.named(findings, uri, name)
}

// named writes the places of findings as the document was named.
func (c *checker) named(findings []lint.Finding, uri, name string) []lint.Finding {
	for i := range findings {
		at := &findings[i].Position.URI
		*at = asNamed(*at, uri, strings.TrimPrefix(name, documents.PageScheme))
	}
	return findings
}

// asNamed writes the URI of a document, or of a file beside it or below, as the
// document was named.
func asNamed(uri, document, name string) string {
	if uri == document {
		return name
	}
	beside, ok := strings.CutPrefix(uri, document[:strings.LastIndexByte(document, '/')+1])
	if !ok || strings.Contains(name, "://") {
		return uri
	}
	return filepath.Join(filepath.Dir(name), beside)
}

// uriOf gives the URI of what is named by its URI or path.
func uriOf(name string) (string, error) {
	name = strings.TrimPrefix(name, documents.PageScheme)
	if strings.Contains(name, "://") {
		return name, nil
	}
	path, err := filepath.Abs(name)
	return "file://" + path, err
}

// ccxml checks a CCXML document, and the pages that it names.
func (c *checker) ccxml(ctx context.Context, source interpreter.Source) []lint.Finding {
	source.Load = func(r interpreter.ScriptRequest) (string, string, error) {
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
	}
	return append(lint.Document(ctx, c.compiler, source), c.pagesOf(ctx, source)...)
}

// unreadable is the one finding about a document that cannot be had, or is no XML.
func unreadable(name string, err error) []lint.Finding {
	finding := lint.Finding{Position: script.Position{URI: name}, Severity: lint.Error, Code: "unreadable", Message: err.Error()}
	var broken *fetch.XMLError
	if errors.As(err, &broken) {
		finding.Position.Line, finding.Position.Column = broken.Line, broken.Column
		finding.Code, finding.Message = "xml", broken.Reason
	}
	return []lint.Finding{finding}
}
