package main

import (
	"context"
	"errors"
	"path"
	"strings"

	"ccxmld/dialog/srgs"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter/lint"
	"ccxmld/script"
)

// isABNF tells whether a document is a grammar in the ABNF form, or is meant to be one.
func isABNF(uri string, response *fetch.Response) bool {
	if srgs.IsABNF(response.Text()) {
		return true
	}
	switch kind, _, _ := strings.Cut(response.ContentType, ";"); {
	case strings.EqualFold(strings.TrimSpace(kind), srgs.ABNFType):
	case path.Ext(uri) == ".gram" || path.Ext(uri) == ".abnf":
	default:
		return false
	}
	return !strings.HasPrefix(strings.TrimLeft(response.Text(), "\ufeff \t\r\n"), "<")
}

// grammar checks a grammar, with those that it refers to.
func (c *checker) grammar(ctx context.Context, source srgs.Source) (findings []lint.Finding) {
	compiled, err := srgs.Compile(source, func(uri, _ string) (srgs.Source, error) {
		response, err := c.client.Fetch(ctx, fetch.Request{URI: uri})
		if err != nil {
			return srgs.Source{}, err
		}
		other := srgs.Source{URI: response.URI}
		if isABNF(uri, response) {
			other.Text = response.Text()
			return other, nil
		}
		other.Root, other.Places, err = response.PlacedXML(fetch.XMLLimits{Context: ctx})
		return other, err
	})
	var problems script.Problems
	at := script.Position{URI: source.URI, Line: 1}
	switch {
	case errors.Is(err, srgs.ErrSpeech):
		findings = append(findings, lint.Finding{Position: at, Severity: lint.Note, Code: vxml.CodeSpeechOnly,
			Message: `the grammar is for speech (mode "voice", the default), and for the engine under dialog.asr to read: it is not checked here`})
	case errors.As(err, &problems):
		for _, p := range problems {
			findings = append(findings, pageFinding(p, lint.Error, srgs.Code))
		}
	case err != nil:
		findings = append(findings, lint.Finding{Position: at, Severity: lint.Error, Code: srgs.Code, Message: err.Error()})
	default:
		for _, p := range compiled.Notices {
			findings = append(findings, pageFinding(p, lint.Warning, srgs.Code))
		}
	}
	lint.Sort(findings)
	return findings
}
