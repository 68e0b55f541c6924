package main

import (
	"net/http"
	"net/url"
	"testing"
)

// drafted is of the drafts of 2003 and 2004, and goes to a document that is not.
const drafted = `<ccxml version="1.0"><eventprocessor>
<transition event="http.post"><log expr="_event.name + ' ' + _event.who"/></transition>
<transition event="user.on"><goto next="'listener.ccxml'"/></transition>
</eventprocessor></ccxml>`

// TestOLD56PostWithoutAName: a POST that names no event is http.post to a document
// of the drafts, on whichever controller it runs, and to no other; a GET is refused.
func TestOLD56PostWithoutAName(t *testing.T) {
	t.Parallel()
	one := newHouse(t, withToken("drafted.ccxml"))
	one.document("drafted.ccxml", drafted)
	one.transitions("listener.ccxml", listener)
	other := one.another()
	session := other.startToken("")
	post := func(h *house, form url.Values, status int) {
		t.Helper()
		form.Set("sessionid", session)
		if got, body := h.ask(http.MethodPost, "/ccxml/basichttp?"+form.Encode()); got != status {
			t.Errorf("%v: %d %s", form, got, body)
		}
	}
	post(other, url.Values{"who": {"here"}}, http.StatusNoContent)
	other.logged("http.post here")
	post(one, url.Values{"who": {"from elsewhere"}}, http.StatusNoContent)
	other.logged("http.post from elsewhere")
	if status, body := one.get("/ccxml/basichttp?sessionid=" + session + "&who=x"); status != http.StatusBadRequest {
		t.Errorf("a GET without a name: %d %s", status, body)
	}
	post(one, url.Values{"name": {"user.on"}}, http.StatusNoContent)
	other.logged("at /ccxml/basichttp")
	post(other, url.Values{"who": {"x"}}, http.StatusBadRequest)
	one.until("redis knows of the other document", func() bool {
		s, _, err := one.daemon.Store.Session(one.ctx, session)
		return err == nil && s.Document != "" && s.PostEvent == ""
	})
	post(one, url.Values{"who": {"x"}}, http.StatusBadRequest)
	post(one, url.Values{"name": {"over"}}, http.StatusNoContent)
	other.idle()
}
