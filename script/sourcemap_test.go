package script_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ccxmld/script"
)

// TestNoSourceMaps: a document makes the engine read no file by naming it as a map of its
// source. One that was read would have places lie elsewhere.
func TestNoSourceMaps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "map")
	if err := os.WriteFile(file, []byte(`{"version": 3, "sources": ["elsewhere.js"], "names": [], "mappings": "AAkCA;AAkCA;AAkCA;AAkCA"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	place := func(more string) script.Position {
		var failed *script.Error
		if err := newSession(t, script.Limits{}).tryRun("ccxml", "var a\n\nnope"+more); !errors.As(err, &failed) {
			t.Fatalf("%v", err)
		}
		return failed.Position
	}
	plain, mapped := place(""), place("\n//# sourceMappingURL=file://"+file)
	if plain != mapped {
		t.Errorf("the map was read: %v, and without it %v", mapped, plain)
	}
}
