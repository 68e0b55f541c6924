package cgi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// get asks the application, and names the document that it answers with.
func get(t *testing.T, a *application, query string) string {
	t.Helper()
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/conference.ccxml"+query, nil))
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the answer may be cached, though it depends on who called before")
	}
	body := w.Body.String()
	switch {
	case w.Code != http.StatusOK:
		return http.StatusText(w.Code)
	case strings.Contains(body, "<goto"):
		return "ask"
	case strings.Contains(body, `<createconference name="conference_4075550100"`) && strings.Contains(body, "first_caller.vxml"):
		return "create"
	case strings.Contains(body, `<join sessionid1="in_callerid" sessionid2="conference_4075550100"/>`):
		return "join"
	}
	return body
}

func TestApplication(t *testing.T) {
	now := time.Date(2002, 12, 8, 12, 0, 0, 0, time.UTC)
	a := newApplication(time.Hour, func() time.Time { return now })
	const code = "?conference_code=4075550100"
	steps := []struct {
		wait        time.Duration
		query, want string
	}{
		{0, "", "ask"},
		{0, code + "&sessionid=a", "create"},
		{0, code + "&sessionid=b", "join"},
		{0, code + "&sessionid=a&name=caller.left", "No Content"},
		{0, code + "&sessionid=c", "join"},
		{0, code + "&sessionid=b&name=caller.left", "No Content"},
		{0, code + "&sessionid=b&name=caller.left", "No Content"},
		{0, code + "&sessionid=x&name=caller.left", "No Content"},
		{0, code + "&sessionid=c&name=caller.left", "No Content"},
		{0, code + "&sessionid=d", "create"}, // the number is free again
		{0, code + "&sessionid=d", "create"}, // the same caller once more
		{2 * time.Hour, code + "&sessionid=e", "create"},
		{0, "?conference_code=407555010&sessionid=f", "Bad Request"},
		{0, "?conference_code=4075550100'/%3E&sessionid=f", "Bad Request"},
		{0, "?conference_code=%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5%D9%A6%D9%A7%D9%A8%D9%A9%D9%A0&sessionid=f", "Bad Request"},
		{0, code, "Bad Request"},
		{0, code + "&sessionid=f&name=other", "Bad Request"},
	}
	for _, step := range steps {
		now = now.Add(step.wait)
		if got := get(t, a, step.query); got != step.want {
			t.Errorf("%s: %s, want %s", step.query, got, step.want)
		}
	}
}

// TestDocuments: what is served compiles, without a notice.
func TestDocuments(t *testing.T) {
	a := newApplication(time.Hour, time.Now)
	server := httptest.NewServer(a.handler())
	defer server.Close()
	for _, path := range []string{
		"/conference.ccxml", "/conference.ccxml?conference_code=4075550100&sessionid=a", "/conference.ccxml?conference_code=4075550100&sessionid=b",
		"/get_conference_code.vxml", "/first_caller.vxml", "/joined.vxml",
	} {
		check(t, server.URL+path)
	}
}

func check(t *testing.T, uri string) {
	t.Helper()
	response, err := http.Get(uri)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", uri, response.Status, err)
	}
	root, err := fetch.ParseXML(body, uri, fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(uri, ".vxml") {
		page, err := vxml.NewCompiler().Compile(root, uri)
		if err != nil || len(page.Notices) > 0 {
			t.Errorf("%s: %v, %v", uri, err, page)
		}
		return
	}
	document, err := interpreter.NewCompiler().Compile(root, uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, notice := range document.Notices {
		t.Error(notice)
	}
}

// TestSameDialog: both conference applications have one dialog for the number.
func TestSameDialog(t *testing.T) {
	ours, err := pages.ReadFile("pages/get_conference_code.vxml")
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile("../../conference/get_conference_code.vxml")
	if err != nil || string(ours) != string(other) {
		t.Errorf("the two get_conference_code.vxml differ (%v)", err)
	}
}
