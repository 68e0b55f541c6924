package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinks: symbolic links lead nowhere that documents.allow does not have, whatever
// is read and whatever FreeSWITCH is told to play, unless they may.
func TestLinks(t *testing.T) {
	base := t.TempDir()
	make := func(path, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(base, path)), 0o755), os.WriteFile(filepath.Join(base, path), []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, path string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(base, path)); err != nil {
			t.Fatal(err)
		}
	}
	make("secret/passwd", "secret")
	make("apps/a.ccxml", "<ccxml/>")
	make("more/b.ccxml", "<b/>")
	make("real/c.ccxml", "<c/>")
	link("../secret/passwd", "apps/file.ccxml")
	link("../secret", "apps/folder")
	link("file.ccxml", "apps/twice.ccxml")
	link("a.ccxml", "apps/within.ccxml")
	link("../more/b.ccxml", "apps/across.ccxml")
	link("real", "named")
	make("elsewhere/d.ccxml", "<d/>")
	link("elsewhere/d.ccxml", "alone")
	link("none", "apps/dangling.ccxml")
	uri := func(path string) string { return "file://" + filepath.Join(base, path) }
	allow := []string{uri("apps") + "/", uri("more") + "/", uri("named") + "/", uri("alone")}
	for _, links := range []bool{false, true} {
		client, err := New(Options{Allow: allow, Links: links})
		if err != nil {
			t.Fatal(err)
		}
		for path, content := range map[string]string{
			"apps/a.ccxml": "<ccxml/>", "apps/within.ccxml": "<ccxml/>", "apps/across.ccxml": "<b/>", "named/c.ccxml": "<c/>",
			"alone":           "<d/>", // named in the configuration itself
			"apps/file.ccxml": "", "apps/folder/passwd": "", "apps/twice.ccxml": "",
		} {
			out := content == ""
			response, err := client.Fetch(t.Context(), Request{URI: uri(path)})
			allowed := client.Allowed(uri(path))
			switch refused := out && !links; {
			case refused && (!errors.Is(err, ErrNotAllowed) || !errors.Is(allowed, ErrNotAllowed) || !strings.Contains(err.Error(), "documents.links")):
				t.Errorf("%s: %v, to be played %v", path, err, allowed)
			case !refused && (err != nil || allowed != nil):
				t.Errorf("%s: %v, to be played %v", path, err, allowed)
			case !out && string(response.Body) != content:
				t.Errorf("%s: %q", path, response.Body)
			}
		}
		if _, err := client.Fetch(t.Context(), Request{URI: uri("apps/dangling.ccxml")}); err == nil || !strings.Contains(err.Error(), "there is no such file") {
			t.Errorf("dangling: %v", err)
		}
		if err := client.Allowed(uri("apps/on-freeswitch.wav")); err != nil {
			t.Errorf("on FreeSWITCH's machine: %v", err)
		}
	}
}
