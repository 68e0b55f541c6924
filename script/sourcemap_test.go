package script_test

import (
	"os"
	"path/filepath"
	"testing"

	"ccxmld/script"
)

// TestNoSourceMaps: a document makes the engine read no file by naming it as a map of its
// source. One that cannot be read would be an error, and one that can would be used.
func TestNoSourceMaps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "map")
	if err := os.WriteFile(file, []byte("no map"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + ".none", "data:application/json;base64,AAAA"} {
		newSession(t, script.Limits{}).runIn("ccxml", "var a = 1\n//# sourceMappingURL="+name+"\n")
	}
}
