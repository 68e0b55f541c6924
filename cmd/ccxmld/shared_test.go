package main

import (
	"fmt"
	"net/http"
	"strings"

	"ccxmld/clock"
)

// count is how many lines begin like this.
func (r *recorder) count(beginning string) (n int) {
	for _, line := range r.all() {
		if strings.HasPrefix(line, beginning) {
			n++
		}
	}
	return n
}

// startToken starts a session and returns its id.
func (h *house) startToken(query string) string {
	h.Helper()
	status, body := h.get("/CCXML10.start?tokenid=s3cret&" + query)
	first, id, _ := strings.Cut(strings.TrimSpace(body), "\r\n")
	if status != http.StatusOK || first != "success" || id == "" {
		h.Fatalf("token start: %d %q", status, body)
	}
	return id
}

// inOrder checks that lines came, in this order.
func (h *house) inOrder(lines ...string) {
	h.Helper()
	all := h.seen.all()
	at := 0
	for _, line := range all {
		if at < len(lines) && strings.HasPrefix(line, lines[at]) {
			at++
		}
	}
	if at < len(lines) {
		h.Errorf("%q did not come in its turn:\n%s", lines[at], strings.Join(all, "\n"))
	}
}

func allowing(uris ...string) option {
	return func(p *plan) {
		allow := fmt.Sprintf("'file://%s/'", p.dir)
		for _, uri := range uris {
			allow += fmt.Sprintf(", '%s/'", uri)
		}
		p.environment["DOCUMENTS_ALLOW"] = "[" + allow + "]"
	}
}

// serveSilently has http://slow answer the documents that it is given, and nobody else.
// It tells of each request that it does not answer.
func (h *house) serveSilently(documents map[string]string) (asked *box[string]) {
	asked = newBox[string](h.clock)
	h.serve("slow", func(w http.ResponseWriter, r *http.Request) {
		if document, ok := documents[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/ccxml+xml")
			fmt.Fprint(w, document)
			return
		}
		asked.put(r.URL.Path)
		_ = clock.NewLatch(h.clock).Wait(r.Context())
	})
	return asked
}

// told waits for one of what is told.
func (h *house) told(of *box[string]) string {
	h.Helper()
	text, err := of.next(h.ctx)
	h.must(err)
	return text
}

// inject sends an event to the session that has logged its id, and waits until that
// has seen it.
func (h *house) inject(event string) {
	h.Helper()
	h.must(h.seen.wait(h.ctx, "log session "))
	for _, line := range h.seen.all() {
		if id, ok := strings.CutPrefix(line, "log session "); ok {
			h.get("/ccxml/basichttp?sessionid=" + id + "&name=" + event)
		}
	}
	h.must(h.seen.wait(h.ctx, "event "+event))
}

// page writes a VoiceXML page of one form and gives the URI of the document that
// runs it.
func (h *house) page(form string) string {
	h.Helper()
	return "vxml:" + h.document("page.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">`+form+`</vxml>`)
}
