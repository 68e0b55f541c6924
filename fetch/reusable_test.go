package fetch_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"ccxmld/fetch"
)

// TestReusable: what the cache keeps may be kept for others, from its first transfer on,
// and nothing else from servers.
func TestReusable(t *testing.T) {
	c, url := server(t, func(w http.ResponseWriter, r *http.Request) {
		if value := r.URL.Query().Get("set"); value != "" {
			w.Header().Set("Cache-Control", value)
		}
		if tag := r.URL.Query().Get("tag"); tag != "" {
			w.Header().Set("Etag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		fmt.Fprint(w, "text")
	}, fetch.Options{})
	for _, test := range []struct {
		query, method string
		want          bool
	}{
		{"", "", false}, {"?set=max-age%3D60", "", true}, {"?set=max-age%3D60", "post", false},
		{"?set=max-age%3D60", "", true}, {"?set=no-cache&tag=%22a%22", "", true}, {"?set=no-store", "", false},
	} {
		for n := range 2 {
			r, err := c.Fetch(t.Context(), fetch.Request{URI: url + "/" + test.query, Method: test.method})
			if err != nil {
				t.Fatal(err)
			}
			if r.Reusable != test.want {
				t.Errorf("%s %q, fetch %d: %v, want %v", test.method, test.query, n+1, r.Reusable, test.want)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "a.xml")
	if err := os.WriteFile(file, []byte("<a/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := client(t, fetch.Options{Allow: []string{"file://" + file}})
	if r, err := files.Fetch(t.Context(), fetch.Request{URI: "file://" + file}); err != nil || !r.Reusable {
		t.Errorf("a file: %+v, %v", r, err)
	}
}
