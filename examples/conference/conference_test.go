package conference_test

import (
	"os"
	"testing"

	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// TestDocuments: the example compiles, without a notice.
func TestDocuments(t *testing.T) {
	parse := func(name string) (uri string, problems []error) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		uri = "file:///" + name
		root, err := fetch.ParseXML(data, uri, fetch.XMLLimits{})
		if err != nil {
			t.Fatal(err)
		}
		if name == "conference.ccxml" {
			document, err := interpreter.NewCompiler().Compile(root, uri, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, notice := range document.Notices {
				problems = append(problems, notice)
			}
			return uri, problems
		}
		page, err := vxml.NewCompiler().Compile(root, uri)
		if err != nil {
			t.Fatal(err)
		}
		for _, notice := range page.Notices {
			problems = append(problems, notice)
		}
		return uri, problems
	}
	for _, name := range []string{"conference.ccxml", "get_conference_code.vxml"} {
		if uri, problems := parse(name); len(problems) > 0 {
			t.Errorf("%s: %v", uri, problems)
		}
	}
}
