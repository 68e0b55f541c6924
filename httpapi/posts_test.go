package httpapi_test

import (
	"net/http"
	"net/url"
	"testing"

	"ccxmld/sitetest"
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
	one := sitetest.New(t, sitetest.WithToken("drafted.ccxml"))
	one.Document("drafted.ccxml", drafted)
	one.Transitions("listener.ccxml", listener)
	other := one.AddDaemon()
	session := other.StartToken("")
	post := func(s *sitetest.Site, form url.Values, status int) {
		t.Helper()
		form.Set("sessionid", session)
		if got, body := s.Request(http.MethodPost, "/ccxml/basichttp?"+form.Encode()); got != status {
			t.Errorf("%v: %d %s", form, got, body)
		}
	}
	post(other, url.Values{"who": {"here"}}, http.StatusNoContent)
	other.WaitLog("http.post here")
	post(one, url.Values{"who": {"from elsewhere"}}, http.StatusNoContent)
	other.WaitLog("http.post from elsewhere")
	if status, body := one.Get("/ccxml/basichttp?sessionid=" + session + "&who=x"); status != http.StatusBadRequest {
		t.Errorf("a GET without a name: %d %s", status, body)
	}
	post(one, url.Values{"name": {"user.on"}}, http.StatusNoContent)
	other.WaitLog("at /ccxml/basichttp")
	post(other, url.Values{"who": {"x"}}, http.StatusBadRequest)
	one.WaitUntil("redis knows of the other document", func() bool {
		s, _, err := one.Daemon.Store.Session(one.Context(), session)
		return err == nil && s.Document != "" && s.PostEvent == ""
	})
	post(one, url.Values{"who": {"x"}}, http.StatusBadRequest)
	post(one, url.Values{"name": {"over"}}, http.StatusNoContent)
	other.WaitIdle()
}
