package fetch

import (
	"compress/gzip"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// TestNoProxyOfTheEnvironment: a proxy would make the connections for us, to addresses
// that the policy does not see.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:9")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	client, err := New(Options{Allow: []string{"http://good.example/"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Client{client, client.Apart()} {
		if c.transport.(*http.Transport).Proxy != nil {
			t.Error("requests may go by a proxy")
		}
	}
}

// TestCompressedBody: what counts is the size of a body that is unpacked.
func TestCompressedBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for range 64 {
			if _, err := packed.Write(zeros); err != nil {
				return // the client has had enough
			}
		}
		_ = packed.Close()
	}))
	defer server.Close()
	client, err := New(Options{Allow: []string{server.URL + "/"}, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := client.Fetch(t.Context(), Request{URI: server.URL + "/a"}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v", err)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 32<<20 { // what it unpacks to is 64 MiB
		t.Errorf("%d MiB were taken for a body of which 1 MiB is read", taken>>20)
	}
}

// TestAllowed: what others are to fetch or play is held to what documents.allow has.
func TestAllowed(t *testing.T) {
	client, err := New(Options{Allow: []string{"file:///apps/", "http://a.example/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for uri, allowed := range map[string]bool{
		"file:///apps/a.wav": true, "http://a.example/a.wav": true,
		"file:///etc/passwd": false, "file:///apps/../etc/passwd": false, "http://b.example/a.wav": false, "a.wav": false,
	} {
		if err := client.Allowed(uri); (err == nil) != allowed || err != nil && !errors.Is(err, ErrNotAllowed) && uri != "a.wav" {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
