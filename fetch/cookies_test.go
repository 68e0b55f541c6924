package fetch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ccxmld/fetch"
)

// TestCookies keeps those of one dialog from all others, and from the cache.
func TestCookies(t *testing.T) {
	served := 0
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "call", Value: "seven", Path: "/"})
			http.Redirect(w, r, "/mine", http.StatusFound)
		case "/huge":
			for i := range 30 {
				http.SetCookie(w, &http.Cookie{Name: fmt.Sprint("c", i, r.URL.RawQuery), Value: strings.Repeat("x", 1000), Path: "/"})
			}
		default:
			served++
			w.Header().Set("Cache-Control", strings.TrimPrefix(r.URL.Path, "/")+", max-age=60")
			fmt.Fprintf(w, "%s %d", r.Header.Get("Cookie"), served)
		}
	}, fetch.Options{})
	get := func(path string, cookies *fetch.Cookies) string {
		t.Helper()
		r, err := c.Fetch(t.Context(), fetch.Request{URI: base + path, Cookies: cookies})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Body)
	}
	mine := new(fetch.Cookies)
	if got := get("/login", mine); got != "call=seven 1" {
		t.Errorf("after a redirect: %q, want the cookie", got)
	}
	get("/private", mine)
	if got := get("/private", new(fetch.Cookies)); got != " 3" {
		t.Errorf("somebody else gets %q, want an answer of his own", got)
	}
	get("/public", mine)
	if got := get("/public", nil); got != "call=seven 4" {
		t.Errorf("what is for all is not cached: %q", got)
	}

	greedy := new(fetch.Cookies)
	for i := range 20 {
		get(fmt.Sprint("/huge?", i), greedy)
	}
	if got := len(get("/greedy", greedy)); got > 300<<10 {
		t.Errorf("%d bytes of cookies are kept", got)
	}
}
