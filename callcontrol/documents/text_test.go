package documents

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ccxmld/interpreter"
)

// TestFromTexts: a document is made again from its texts, with the scripts that it names,
// when its files are others by then, or gone.
func TestFromTexts(t *testing.T) {
	f := newFolder(t)
	f.write("one.js", "var one = 1;")
	f.write("two.js", "var two = 'größer';")
	f.write("a.ccxml", `<ccxml version="1.0"><script src="one.js"/><script src="two.js"/><eventprocessor/></ccxml>`)
	first := f.mustGet("a.ccxml")
	for _, name := range []string{"one.js", "two.js", "a.ccxml"} {
		if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	kept := make(map[string][]byte)
	for i, one := range first.Texts() {
		if one.Hash == "" {
			t.Fatalf("text %d has no hash: %+v", i, one)
		}
		kept[one.Hash] = first.Sources[i]
	}
	source := func(hash string) ([]byte, error) {
		if kept[hash] == nil {
			return nil, errors.New("gone")
		}
		return kept[hash], nil
	}
	again, err := f.documents.FromTexts(t.Context(), first.Texts(), source)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Texts(), first.Texts()) {
		t.Errorf("made again: %+v, was: %+v", again.Texts(), first.Texts())
	}
	if same, err := f.documents.FromTexts(t.Context(), first.Texts(), nil); err != nil || same != again {
		t.Errorf("compiled twice: %v", err)
	}
	other := slices.Clone(first.Texts())
	other[1].Hash = "other"
	if _, err := f.documents.FromTexts(t.Context(), other, source); err == nil {
		t.Error("a script without a text was left out")
	}
	f.write("a.ccxml", logDocument("other"))
	if other := f.mustGet("a.ccxml").Texts(); other[0].Hash == first.Texts()[0].Hash {
		t.Error("two texts have one hash")
	}
}

// TestFromTextsOfAPage: a document that runs a page is made from its URI.
func TestFromTextsOfAPage(t *testing.T) {
	f := newFolder(t)
	uri := "vxml:file://" + f.dir + "/page.vxml"
	d, err := f.documents.FromTexts(t.Context(), []interpreter.Text{{URI: uri}}, nil)
	if err != nil || d.URI != uri {
		t.Errorf("%v, %v", d, err)
	}
}
