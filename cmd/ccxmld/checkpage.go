package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
)

// rootOf gives the name of a document's root element, by which pages and grammars are
// told from CCXML documents.
func rootOf(root *xmlquery.Node) string {
	for node := root; node != nil; node = node.NextSibling {
		if node.Type == xmlquery.ElementNode {
			return node.Data
		}
		if node.Type == xmlquery.DocumentNode {
			return rootOf(node.FirstChild)
		}
	}
	return ""
}

// The findings about pages that their compiler has no code for.
const (
	codeDocument    = "document"
	codeUnsupported = "unsupported"
	codeMissingPage = "missing-page"
)

// page checks a VoiceXML page.
func (c *checker) page(root *xmlquery.Node, places *fetch.Places, uri string) (findings []lint.Finding) {
	page, err := c.pages.CompilePlaced(root, uri, places)
	var problems vxml.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			findings = append(findings, pageFinding(p, lint.Error, codeDocument))
		}
	}
	if page != nil {
		for _, p := range page.Mistakes {
			findings = append(findings, pageFinding(p, lint.Error, codeDocument))
		}
		for _, p := range page.Notices {
			findings = append(findings, pageFinding(p, severityOf(p), codeUnsupported))
		}
	}
	lint.Sort(findings)
	return findings
}

// severityOf tells how serious a notice about a page is.
func severityOf(p *vxml.Problem) lint.Severity {
	switch p.Code {
	case vxml.CodeEmpty, vxml.CodeBareTime, vxml.CodeLenient:
		return lint.Note
	}
	return lint.Warning
}

func pageFinding(p *vxml.Problem, severity lint.Severity, code string) lint.Finding {
	if p.Code != "" {
		code = p.Code
	}
	return lint.Finding{Position: p.Position, Severity: severity, Code: code, Message: p.Reason}
}

// pagesOf checks the pages beside a document, as files, that its dialogs name.
func (c *checker) pagesOf(ctx context.Context, source interpreter.Source) (findings []lint.Finding) {
	for _, d := range lint.Dialogs(ctx, c.compiler, source) {
		uri, err := fetch.Resolve(d.Base, d.Source)
		if err != nil || !strings.HasPrefix(uri, "file:") || d.Type != "" && !vxml.IsType(d.Type) || c.seen[uri] {
			continue
		}
		c.seen[uri] = true
		response, err := c.client.Fetch(ctx, fetch.Request{URI: uri})
		if err != nil {
			findings = append(findings, lint.Finding{Position: d.Position, Severity: lint.Warning, Code: codeMissingPage,
				Message: fmt.Sprintf("the page cannot be read: %v", err)})
			continue
		}
		root, places, err := response.PlacedXML(fetch.XMLLimits{Context: ctx})
		if err != nil {
			findings = append(findings, unreadable(uri, err)...)
			continue
		}
		findings = append(findings, c.page(root, places, uri)...)
	}
	return findings
}
