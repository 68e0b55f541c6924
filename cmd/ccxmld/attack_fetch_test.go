package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// hostileServer gives documents that are hostile, each by its path.
func hostileServer(a *assault) *httptest.Server {
	zeros := make([]byte, 1<<20)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(zeros)
	_ = zip.Close()
	bomb := bytes.Repeat(packed.Bytes(), 200) // packed one by one they would take minutes with the race detector
	deep := strings.Repeat("<if cond='true'>", 20_000)
	documents := map[string]string{
		"/deep": `<ccxml version="1.0"><eventprocessor><transition event="*">` + deep + `</transition></eventprocessor></ccxml>`,
		"/laughs": `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<ccxml version="1.0"><eventprocessor><transition event="*"><log expr="'&c;'"/></transition></eventprocessor></ccxml>`,
		"/external": `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ccxml version="1.0"><eventprocessor><transition event="*"><log expr="'&a;'"/></transition></eventprocessor></ccxml>`,
		"/names":    `<ccxml version="1.0"><eventprocessor><transition event="*"><send target="1" name="'x'" namelist="` + strings.Repeat("a ", 80_000) + `"/></transition></eventprocessor></ccxml>`,
		"/arrows":   `<ccxml version="1.0"><eventprocessor><transition event="*"><log expr="` + html.EscapeString(strings.Repeat("a=>", 20_000)) + `1"/></transition></eventprocessor></ccxml>`,
		"/wide":     `<ccxml version="1.0" ` + strings.Repeat(`x="1" `, 50_000) + `/>`,
		"/not-xml":  strings.Repeat("\x00\xff<", 100_000),
		"/empty":    "",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(30 * time.Second):
			}
		case "/circle":
			http.Redirect(w, r, "/circle?"+r.URL.RawQuery+"x", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write([]byte("<ccxml"))
			panic(http.ErrAbortHandler)
		case "/headers":
			for i := range 5000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("y", 200))
			}
		default:
			_, _ = w.Write([]byte(documents[r.URL.Path]))
		}
	}))
	server.Config.SetKeepAlivesEnabled(false)
	a.Cleanup(server.CloseClientConnections)
	a.Cleanup(func() { go server.Close() })
	for path := range documents {
		a.uris[strings.Trim(path, "/")] = server.URL + path
	}
	for _, path := range []string{"gzip", "endless", "slow", "circle", "cut", "headers"} {
		a.uris[path] = server.URL + "/" + path
	}
	return server
}

var fetchAttacks = []attack{{
	name:  "documents and servers that are hostile",
	alone: true,
	prepare: func(a *assault) map[string]string {
		server := hostileServer(a)
		return map[string]string{"DOCUMENTS_ALLOW": fmt.Sprintf("['file://%s/', '%s/']", a.dir, server.URL)}
	},
	run: atATime(8, func(a *assault, i int) {
		names := []string{"deep", "laughs", "external", "names", "arrows", "wide", "not-xml", "empty", "gzip", "endless", "slow", "circle", "cut", "headers"}
		for a.ctx.Err() == nil {
			a.start(names[i%len(names)])
			i++
		}
	}),
}, {
	name: "documents that ask for what is not allowed",
	prepare: func(a *assault) map[string]string {
		hits := new(atomic.Int64)
		secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
		a.Cleanup(secret.Close)
		a.data["hits"] = hits
		_, port, _ := net.SplitHostPort(secret.Listener.Addr().String())
		var elements strings.Builder
		for _, host := range []string{"127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "user@127.0.0.1", "127.0.0.1.nip.io", "169.254.169.254"} {
			for _, format := range []string{"http://%s:%s/", "https://%s:%s/", "ftp://%s:%s/", "HTTP://%s:%s/", "//%s:%s/", "http:\\\\%s:%s/"} {
				uri := html.EscapeString(strconv.Quote(fmt.Sprintf(format, host, port)))
				fmt.Fprintf(&elements, `<fetch next="%s"/><send target="%s" targettype="'basichttp'" name="'x'"/><createccxml next="%s"/>`, uri, uri, uri)
			}
		}
		for _, uri := range []string{"file:///etc/passwd", "file:///proc/self/environ", "ordinary.ccxml/../../../../etc/passwd", "ordinary.ccxml/%2e%2e/%2e%2e/etc/passwd", "..;/etc/passwd", "data:text/xml,x", "gopher://x/"} {
			fmt.Fprintf(&elements, `<fetch next="%s" type="'text/plain'"/>`, html.EscapeString(strconv.Quote(uri)))
		}
		a.transitions("ssrf.ccxml", `<transition event="ccxml.loaded">`+elements.String()+`</transition>
<transition event="fetch.done"><log expr="'was let in: ' + event$.fetchid"/></transition><transition event="error.*"/>`)
		return nil
	},
	run: startAll,
	check: func(a *assault) {
		if n := a.data["hits"].(*atomic.Int64).Load(); n > 0 {
			a.Errorf("what is not allowed was asked for %d times", n)
		}
	},
}}
