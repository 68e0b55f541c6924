package httpapi_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ccxmld/conf"
	"ccxmld/httpapi"
)

// handlers are a request for each handler that there is, as it should be made.
var handlers = []struct{ method, path string }{
	{"GET", "/CCXML10.start?tokenid=" + token}, {"POST", "/SessionControl/CCXML10.start?tokenid=" + token},
	{"GET", "/ccxml/basichttp?sessionid=s1&name=x"}, {"POST", "/ccxml/basichttp?sessionid=s1&name=x"},
	{"GET", "/CCXML.send?sessionid=s1&name=x"}, {"POST", "/CCXML10.send?sessionid=s1&name=x"},
	{"POST", "/ccxml/createsession?uri=http://d/o"},
	{"GET", "/sessions_10"}, {"GET", "/stats_10"}, {"GET", "/healthz"}, {"GET", "/readyz"},
}

// asked makes a request of a server that is known as pbx, as alias at a port, and as
// http.url, and was connected to at 10.1.2.3.
func asked(s *starter, method, target, host string, header ...string) *httptest.ResponseRecorder {
	h := handler(s, conf.Token{URI: "http://d/o"}, func(o *httpapi.Options) {
		o.Sessions, o.CreateSession = &running{}, true
		o.Hosts, o.URL = []string{"0.0.0.0:9999", "pbx", "Alias.example:8080"}, "https://ccxml.example.org"
	})
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.RemoteAddr, r.Host = "127.0.0.1:5", host
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 9999})))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestHost: whoever asks for another host than ours is refused by every handler, and
// told what to configure: a stranger's name that leads here (DNS rebinding).
func TestHost(t *testing.T) {
	for host, ours := range map[string]bool{
		"localhost": true, "localhost:9999": true, "LOCALHOST.:9999": true, "127.0.0.1": true, "127.8.9.1:9999": true,
		"[::1]": true, "[::1]:9999": true, "::1": true, "[::ffff:127.0.0.1]:9999": true, "localhost:1234": true, // a tunnel's
		"10.1.2.3": true, "10.1.2.3:9999": true, "pbx": true, "pbx:9999": true, "PBX.": true,
		"alias.example:8080": true, "ccxml.example.org": true, "ccxml.example.org:443": true,
		"":              true, // HTTP/1.0, as health checks of proxies have it
		"alias.example": false, "alias.example:9999": false, "evil.example": false, "evil.example:9999": false,
		"localhost.evil.example": false, "127.0.0.1.evil.example": false, "127.0.0.1@evil.example": false,
		"pbx.evil.example": false, "evilpbx": false, "10.1.2.4": false, "0.0.0.0": false, "0.0.0.0:9999": false, "[::]:9999": false,
		"localhost:9999:evil": false, "[::1": false, "[evil]": false, ":9999": false, "127.1": false, "2130706433": false,
	} {
		for _, h := range handlers {
			s := &starter{}
			w := asked(s, h.method, h.path, host)
			switch refused := w.Code == 403; {
			case refused == ours:
				t.Errorf("Host %q, %s %s: %d %s", host, h.method, h.path, w.Code, w.Body)
			case refused && (!strings.Contains(w.Body.String(), "http.hosts") || !strings.Contains(w.Body.String(), fmt.Sprintf("%q", host)) || len(s.asked) > 0):
				t.Errorf("Host %q, %s %s: %s", host, h.method, h.path, w.Body)
			}
		}
	}
}

// TestOtherSitesPages: what a browser marks as made by a page that is not ours is
// refused by every handler that asks for no token.
func TestOtherSitesPages(t *testing.T) {
	for _, c := range []struct {
		host, site, origin string
		refused            bool
	}{
		{"localhost:9999", "", "", false},
		{"localhost:9999", "none", "", false},
		{"localhost:9999", "same-origin", "", false},
		{"localhost:9999", "same-origin", "http://localhost:9999", false},
		{"localhost", "", "http://localhost:80", false},
		{"10.1.2.3:9999", "", "http://10.1.2.3:9999", false},
		{"[::1]:9999", "", "http://[::1]:9999", false},
		{"ccxml.example.org", "same-origin", "https://ccxml.example.org", false},
		{"localhost:9999", "", "https://ccxml.example.org:443", false}, // a proxy that asks for us under a name of its own
		{"localhost:9999", "cross-site", "", true},
		{"localhost:9999", "same-site", "", true},
		{"localhost:9999", "Same-Origin, cross-site", "", true},
		{"localhost:9999", "same-site", "http://localhost:9999", true},
		{"localhost:9999", "same-origin", "http://evil.example", true},
		{"localhost:9999", "none", "http://evil.example", true},
		{"localhost:9999", "", "http://evil.example", true},
		{"localhost:9999", "", "http://localhost", true},
		{"localhost:9999", "", "http://localhost:3000", true},
		{"localhost:9999", "", "http://127.0.0.1:9999", true},
		{"localhost:9999", "", "http://localhost:9999.evil.example", true},
		{"localhost:9999", "", "http://localhost:9999@evil.example", true},
		{"localhost:9999", "", "http://ccxml.example.org", true},
		{"localhost:9999", "", "ftp://localhost:9999", true},
		{"localhost:9999", "", "null", true},
		{"pbx", "", "http://pbx.evil.example", true},
	} {
		for _, h := range handlers {
			s := &starter{}
			w := asked(s, h.method, h.path, c.host, "Sec-Fetch-Site", c.site, "Origin", c.origin)
			// A page that has a token may start what the token starts.
			refused := c.refused && !strings.Contains(h.path, "tokenid")
			if (w.Code == 403) != refused || refused && (!strings.Contains(w.Body.String(), "other sites") || len(s.asked) > 0) {
				t.Errorf("%+v, %s %s: %d %s", c, h.method, h.path, w.Code, w.Body)
			}
		}
	}
	// One header of a kind cannot speak for a second one.
	for _, header := range [][]string{
		{"Origin", "http://localhost:9999", "Origin", "http://evil.example"},
		{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"},
	} {
		if w := asked(&starter{}, "POST", "/ccxml/basichttp?sessionid=s1&name=x", "localhost:9999", header...); w.Code != 403 {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

// TestCreateSessionIsPOST: an image or a link creates no session.
func TestCreateSessionIsPOST(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "OPTIONS"} {
		s := &starter{}
		w := asked(s, method, "/ccxml/createsession?uri=http://d/o", "localhost:9999")
		if w.Code != 405 || w.Header().Get("Allow") != "POST" || len(s.asked) > 0 {
			t.Errorf("%s: %d, Allow %q, %d sessions", method, w.Code, w.Header().Get("Allow"), len(s.asked))
		}
	}
}
