package fetch_test

import (
	"bytes"
	"testing"

	"ccxmld/fetch"
)

// TestDeclarations: documents that other platforms take for their declaration: of XML
// 1.1, behind blank lines or a byte order mark, and of encodings in other spellings.
func TestDeclarations(t *testing.T) {
	for _, document := range []string{
		`<?xml version="1.1"?><a>Müller</a>`,
		`<?xml  version = '1.1' encoding='utf8'?><a>Müller</a>`,
		"\n \n<?xml version=\"1.1\" encoding=\"UTF_8\"?><a>Müller</a>",
		"\xef\xbb\xbf<?xml version=\"1.1\"?><a>Müller</a>",
		"<?xml version=\"1.0\" encoding=\"ISO8859_1\"?><a>M\xfcller</a>",
		"<?xml version=\"1.0\" encoding=\"ISO_8859_1\"?><a>M\xfcller</a>",
		"<?xml version=\"1.0\" encoding=\"latin1\"?><a>M\xfcller</a>",
		"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>M\xfcller</a>",
	} {
		before := []byte(document)
		data := bytes.Clone(before)
		root, err := fetch.ParseXML(data, "a.xml", fetch.XMLLimits{})
		if err != nil {
			t.Errorf("%q: %v", document, err)
			continue
		}
		if text := root.InnerText(); text != "Müller" {
			t.Errorf("%q: %q", document, text)
		}
		if !bytes.Equal(data, before) {
			t.Errorf("%q was changed: %q", document, data)
		}
	}
}
