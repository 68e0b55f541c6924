package recording

import (
	"path/filepath"
	"strings"
	"testing"
)

// Every recording must be readable, and each received block as long as its
// Content-Length says: otherwise a replay would lose step.
func TestRecordingsAreWhole(t *testing.T) {
	files, err := filepath.Glob("../testdata/traces/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings found: %v", err)
	}
	for _, file := range files {
		blocks, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range blocks {
			if block.Direction != Received {
				continue
			}
			head, body, _ := strings.Cut(string(block.Wire()), "\n\n")
			if want := contentLength(head); want != len(body) {
				t.Errorf("%s:%d: body has %d bytes, Content-Length says %d", file, block.Line, len(body), want)
			}
		}
	}
}
