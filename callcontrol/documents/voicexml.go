package documents

import (
	"context"
	_ "embed"
	"strings"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// PageScheme begins the URI of a document that runs a VoiceXML page, whose own URI
// follows: vxml:https://example.org/menu.vxml.
const PageScheme = "vxml:"

//go:embed voicexml.ccxml
var voiceXML []byte

// PageOf gives the URI of the page that a document's URI asks for, and whether it
// asks for one.
func PageOf(uri string) (page string, is bool) {
	if len(uri) < len(PageScheme) || !strings.EqualFold(uri[:len(PageScheme)], PageScheme) {
		return "", false
	}
	return uri[len(PageScheme):], true
}

// forPage gives the document that runs a page. It finds the page in session.uri.
func (d *Loader) forPage(ctx context.Context, uri, page string) (*interpreter.Document, error) {
	if err := d.client.Allowed(page); err != nil {
		return nil, err
	}
	known, err := d.compiled.Make(ctx, uri, "", nil, func(ctx context.Context) (compiledDocument, int64, error) {
		root, err := fetch.ParseXML(voiceXML, uri, fetch.XMLLimits{Context: ctx})
		if err != nil {
			return compiledDocument{}, 0, err
		}
		document, err := d.compiler.Until(ctx).Compile(root, uri, nil)
		return compiledDocument{document: document}, fetch.CompiledBytes(len(voiceXML)), err
	})
	return known.document, err
}
