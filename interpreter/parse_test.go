package interpreter_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/antchfx/xmlquery"

	"ccxmld/interpreter"
)

// parse parses a document as package fetch does: no-break spaces in tags are
// white space, and each element has the line on which its tag begins, which
// xmlquery alone gets wrong after blank lines.
func parse(text string) (*xmlquery.Node, error) {
	data := bytes.ReplaceAll([]byte(text), []byte("\u00a0"), []byte(" "))
	root, err := xmlquery.ParseWithOptions(bytes.NewReader(data), xmlquery.ParserOptions{WithLineNumbers: true})
	if err != nil {
		return nil, err
	}
	lines, err := startLines(data)
	if err != nil {
		return nil, err
	}
	number(root, &lines)
	return root, nil
}

func startLines(data []byte) (lines []int, err error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		start := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		if _, ok := token.(xml.StartElement); ok {
			lines = append(lines, 1+bytes.Count(data[:start], []byte("\n")))
		}
	}
}

func number(node *xmlquery.Node, lines *[]int) {
	if node.Type == xmlquery.ElementNode && len(*lines) > 0 {
		node.LineNumber, *lines = (*lines)[0], (*lines)[1:]
	}
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		number(child, lines)
	}
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
