package interpreter_test

import (
	"testing"

	"github.com/antchfx/xmlquery"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// parse parses a document as the daemon does, but as deeply nested as it likes.
func parse(text string) (*xmlquery.Node, error) {
	source, err := parseSource("doc.ccxml", text)
	return source.Root, err
}

// parseSource is parse with the places of everything.
func parseSource(uri, text string) (interpreter.Source, error) {
	root, places, err := fetch.ParsePlacedXML([]byte(text), uri, fetch.XMLLimits{Depth: 100_000, Nodes: 200_000})
	return interpreter.Source{Root: root, URI: uri, Places: places, Load: nothing}, err
}

// compile compiles a document that must be right.
func compile(t testing.TB, compiler *interpreter.Compiler, uri, text string, load interpreter.LoadScript) *interpreter.Document {
	t.Helper()
	root, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	document, err := compiler.Compile(root, uri, load)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
