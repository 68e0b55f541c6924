package documents

import (
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
func (d *Loader) forPage(uri, page string) (*interpreter.Document, error) {
	if err := d.client.Allowed(page); err != nil {
		return nil, err
	}
	if known, ok := d.compiled.Get(uri, ""); ok {
		return known.document, nil
	}
	root, err := fetch.ParseXML(voiceXML, uri, fetch.XMLLimits{})
	if err != nil {
		return nil, err
	}
	document, err := d.compiler.Compile(root, uri, nil)
	if err != nil {
		return nil, err
	}
	d.compiled.Put(uri, "", fetch.CompiledBytes(len(voiceXML)), compiledDocument{document: document})
	return document, nil
}
