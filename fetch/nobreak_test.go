package fetch

import "testing"

func TestNoBreakSpaceInTags(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"between attributes": {"<a\u00a0b=\"1\"\n\u00a0c='2'/>", "<a  b=\"1\"\n  c='2'/>"},
		"in values":          {"<a b=\"x\u00a0'>\u00a0\" c='\u00a0\"'/>", "<a b=\"x\u00a0'>\u00a0\" c='\u00a0\"'/>"},
		"in text":            {"<a>\u00a0<b\u00a0/>\u00a0</a\u00a0>", "<a>\u00a0<b  />\u00a0</a  >"},
		"in comments":        {"<!-- <a\u00a0> --><a\u00a0/>", "<!-- <a\u00a0> --><a  />"},
		"in CDATA":           {"<a><![CDATA[<b\u00a0>]]></a>", "<a><![CDATA[<b\u00a0>]]></a>"},
		"unfinished":         {"<a b=\"\u00a0", "<a b=\"\u00a0"},
		"unfinished comment": {"<!-- \u00a0", "<!-- \u00a0"},
	} {
		if got := string(spaceInTags([]byte(test.text))); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// The tutorial as its authors published it has them in its last element.
func TestNoBreakSpaceDocumentParses(t *testing.T) {
	root, err := ParseXML([]byte("<a>\n<b\u00a0c=\"1\"/></a>"), "x", XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := root.SelectElement("a/b").SelectAttr("c"); got != "1" {
		t.Errorf("attribute c is %q", got)
	}
}
