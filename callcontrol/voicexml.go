package callcontrol

import (
	_ "embed"
	"strings"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// voiceXMLScheme begins the URI of a document that runs a VoiceXML page, whose own
// URI follows: vxml:https://example.org/menu.vxml.
const voiceXMLScheme = "vxml:"

//go:embed voicexml.ccxml
var voiceXML []byte

// pageOf gives the page that a document's URI asks for, and whether it asks for
// one.
func pageOf(uri string) (page string, is bool) {
	if len(uri) < len(voiceXMLScheme) || !strings.EqualFold(uri[:len(voiceXMLScheme)], voiceXMLScheme) {
		return "", false
	}
	return uri[len(voiceXMLScheme):], true
}

// forPage gives the document that runs a page. It finds the page in session.uri.
func (d *documents) forPage(uri, page string) (*interpreter.Document, error) {
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
	d.compiled.Put(uri, "", len(voiceXML), compiledDocument{document: document})
	return document, nil
}
