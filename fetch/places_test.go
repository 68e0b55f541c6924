package fetch

import (
	"testing"

	"github.com/antchfx/xmlquery"
)

// Places are found in tags of any shape, and count characters.
func TestPlaces(t *testing.T) {
	text := "\ufeff\n<?xml version=\"1.0\"?>\n<a\tx = 'é>/' y=\"&lt;\"\n  v:z='1' xmlns:v='urn:v'>é<b\u00a0c=\"1\" d='2'/><![CDATA[x]]></a>"
	root, places, err := ParsePlacedXML([]byte(text), "x", XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	a := root.SelectElement("a")
	b := a.SelectElement("b")
	for _, test := range []struct {
		element      *xmlquery.Node
		name         string
		written      string
		line, column int
	}{
		{a, "x", "é>/", 3, 9},
		{a, "y", "&lt;", 3, 17},
		{a, "v:z", "1", 4, 8},
		{a, "z", "", 0, 0},
		{b, "c", "1", 4, 34},
		{b, "d", "2", 4, 40},
		{b, "x", "", 0, 0},
		{&xmlquery.Node{}, "x", "", 0, 0},
	} {
		if written, line, column := places.Attribute(test.element, test.name); written != test.written || line != test.line || column != test.column {
			t.Errorf("%s of <%s> is %q at %d:%d, want %q at %d:%d", test.name, test.element.Data, written, line, column, test.written, test.line, test.column)
		}
	}
	if line, column := places.Element(b); line != 4 || column != 28 {
		t.Errorf("<b> is at %d:%d", line, column)
	}
	if written, line, column := places.Text(a.FirstChild); written != "é" || line != 4 || column != 27 {
		t.Errorf("the text is %q at %d:%d", written, line, column)
	}
	if written, line, column := places.Text(a.LastChild); written != "<![CDATA[x" || line != 4 || column != 44 {
		t.Errorf("the section is %q at %d:%d", written, line, column)
	}
}
