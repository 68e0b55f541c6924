package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/antchfx/xmlquery"

	"ccxmld/fetch"
)

// outline writes a tree as name@line, with texts that are not blank.
func outline(node *xmlquery.Node) string {
	var b strings.Builder
	var walk func(*xmlquery.Node)
	walk = func(n *xmlquery.Node) {
		switch n.Type {
		case xmlquery.ElementNode:
			fmt.Fprintf(&b, "%s@%d ", n.Data, n.LineNumber)
		case xmlquery.TextNode, xmlquery.CharDataNode:
			if text := strings.TrimSpace(n.Data); text != "" {
				fmt.Fprintf(&b, "%q@%d ", text, n.LineNumber)
			}
		case xmlquery.CommentNode:
			fmt.Fprintf(&b, "!@%d ", n.LineNumber)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(node)
	return strings.TrimSpace(b.String())
}

func TestXMLLines(t *testing.T) {
	for text, want := range map[string]string{
		"<a/>": "a@1",
		"\ufeff\n\n<?xml version='1.0'?>\n<a>\n<b/></a>":                                          "a@4 b@5",
		"<a\n x='1'\n y='2\n3'>\n<b\n/><c/></a>":                                                  "a@1 b@5 c@6",
		"<a><!-- \n\n --><b/><![CDATA[\n\nx\n]]><c/>y\nz<d/></a>":                                 `a@1 !@1 b@3 "x"@3 c@6 "y\nz"@6 d@7`,
		"<!DOCTYPE a [\n<!ENTITY x SYSTEM 'file:///etc/passwd'>\n<!ELEMENT a ANY>\n]>\n<a/>":      "a@5",
		"<a>\r\n<b/>\r\n<c>x &lt; y</c></a>\n<!-- end -->\n":                                      `a@1 b@2 c@3 "x < y"@3 !@4`,
		"<?xml version='1.0' encoding='UTF-8'?>\n<?pi x?>\n<a xmlns='u' xmlns:v='w'>\n<v:b/></a>": "a@3 b@4",
		"<?xml version='1.0' encoding='iso-8859-1'?>\n<a>\xfc</a>":                                `a@2 "ü"@2`,
		"\xff\xfe<\x00a\x00>\x00\n\x00<\x00b\x00/\x00>\x00<\x00/\x00a\x00>\x00":                   "a@1 b@2",
	} {
		node, err := fetch.ParseXML([]byte(text), "x.ccxml", fetch.XMLLimits{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := outline(node); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestXMLErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "x.ccxml:1:1: the document has no element",
		"\n\n<!-- -->":      "x.ccxml:3:9: the document has no element",
		"<a>\n<b>\n</a>":    "x.ccxml:3:1: element <b> closed by </a>",
		"<a>\n\n&nbsp;</a>": "x.ccxml:3:1: the entity &nbsp; is not defined: DTDs are not read; write &#160;",
		"<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>":    "x.ccxml:2:4: the entity &x; is not defined: DTDs are not read; write its text in its place",
		"<a>\n<b x='1' x='2'/></a>":                     "x.ccxml:2:1: <b> has the attribute x twice",
		"<a>\n  <b x='&eacute;'>\n</a>":                 "x.ccxml:2:9: the entity &eacute; is not defined: DTDs are not read; write &#233;",
		"<a>\n <b x='ü&c=d'/></a>":                      "x.ccxml:2:9: & begins an entity, such as &amp;, and none is here; write &amp; for the character",
		"<a>\r\n<b":                                     "x.ccxml:2:3: unexpected EOF",
		"<a x=1/>":                                      "x.ccxml:1:7: unquoted or missing attribute value in element",
		"<a/>\n<b/>":                                    "x.ccxml:2:1: <b> follows the end of the document",
		"<a/>\ntext":                                    "x.ccxml:2:1: there is text outside of the document's element",
		"<a>\n<v:b/></a>":                               "x.ccxml:2:1: the prefix v of <v:b> is not declared",
		"<?xml version='1.0' encoding='martian'?><a/>":  "x.ccxml:1:1: the character encoding martian is unknown",
		strings.Repeat("<a>\n", 65):                     "x.ccxml:65:1: elements are nested more than 64 deep",
		"<a>" + strings.Repeat("<b/>", 50_000) + "</a>": "x.ccxml:1:200000: the document has more than 50000 nodes",
		"<a>\n<b " + attributes(65) + "/></a>":          "x.ccxml:2:1: <b> has more than 64 attributes",
		"<a>" + strings.Repeat(" ", 1<<20) + "</a>":     "x.ccxml:1:1: the document is larger than 1 MiB",

		"<a>\n<" + strings.Repeat("b", 1001) + "/></a>":             "x.ccxml:2:1: the name of an element is longer than 1000 bytes: \"" + strings.Repeat("b", 40) + "\"…",
		"<a>\n<b " + strings.Repeat("c", 1001) + "=''/></a>":        "x.ccxml:2:1: the name of an attribute is longer than 1000 bytes: \"" + strings.Repeat("c", 40) + "\"…",
		"<a>\n<b xmlns:" + strings.Repeat("c", 1001) + "='u'/></a>": "x.ccxml:2:1: the name of an attribute is longer than 1000 bytes: \"" + strings.Repeat("c", 40) + "\"…",
		"<a>\n<b xmlns='" + strings.Repeat("c", 1001) + "'/></a>":   "x.ccxml:2:1: a namespace is longer than 1000 bytes: \"" + strings.Repeat("c", 40) + "\"…",
		"<a>\n<b xmlns:x='" + strings.Repeat("c", 1001) + "'/></a>": "x.ccxml:2:1: a namespace is longer than 1000 bytes: \"" + strings.Repeat("c", 40) + "\"…",
		"<" + strings.Repeat("é", 450) + ">\n</a>":                  "x.ccxml:2:1: element <" + strings.Repeat("é", 245) + "…",
	} {
		_, err := fetch.ParseXML([]byte(text), "x.ccxml", fetch.XMLLimits{})
		var e *fetch.XMLError
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x%d='' ", i)
	}
	return b.String()
}

// FuzzParseXML checks that every element of a parsed document has a line of the
// document, not before that of the element around it.
func FuzzParseXML(f *testing.F) {
	for _, text := range []string{"<a>\n<b x='1'/></a>", "<?xml version='1.0'?><a><![CDATA[x]]></a>", "<!DOCTYPE a><a/>", "<a xmlns:v='w'><?pi?><v:b/></a>", "\ufeff <a/>"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		node, err := fetch.ParseXML(data, "x", fetch.XMLLimits{Bytes: 10_000})
		if err != nil {
			var e *fetch.XMLError
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Errorf("%v", err)
			}
			return
		}
		lines := 1 + len(data)
		var walk func(n *xmlquery.Node, line int)
		walk = func(n *xmlquery.Node, line int) {
			if n.Type == xmlquery.ElementNode {
				if n.LineNumber < line || n.LineNumber > lines {
					t.Errorf("<%s> is on line %d", n.Data, n.LineNumber)
				}
				line = n.LineNumber
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c, line)
			}
		}
		walk(node, 1)
	})
}

// endsAfter is a context that ends after some looks at it.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// TestReadingXMLEnds with its context, in both of the parser's goes.
func TestReadingXMLEnds(t *testing.T) {
	document := []byte("<a>" + strings.Repeat("<b/>", 20_000) + "</a>")
	whole := &endsAfter{t.Context(), 1 << 30}
	if _, err := fetch.ParseXML(document, "a.xml", fetch.XMLLimits{Context: whole}); err != nil {
		t.Fatal(err)
	}
	for _, looks := range []int{0, 100, 1<<30 - whole.looks - 1} {
		_, err := fetch.ParseXML(document, "a.xml", fetch.XMLLimits{Context: &endsAfter{t.Context(), looks}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after %d looks: %v", looks, err)
		}
	}
}
