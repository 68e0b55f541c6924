package fetch

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
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
	if _, err := client.Fetch(t.Context(), Request{URI: server.URL + "/a"}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v", err)
	}
}
