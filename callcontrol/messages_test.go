package callcontrol

import (
	"fmt"
	"testing"

	"ccxmld/fetch"
)

// The answer to a basichttp send makes an event only if it looks like one
// (VX-56).
func TestReplyEvent(t *testing.T) {
	for _, c := range []struct{ contentType, body, name, fields string }{
		{"text/plain", "area.found\ncity=Orlando\n", "area.found", "[{city Orlando}]"},
		{"text/plain", "\r\n area.found \r\ncity = a=b \r\nempty=\r\nno pair\r\n", "area.found", "[{city  a=b } {empty }]"},
		{"text/plain", "done", "done", "[]"},
		{"text/plain", "", "", ""},
		{"text/plain", "Thank you.", "", ""},
		{"text/plain", "<html>", "", ""},
		{"text/plain", "a=b", "", ""},
		{"text/plain", "CCXML.kill.unconditional", "", ""},
		{"text/html", "done", "", ""},
		{"", "done", "", ""},
	} {
		e := replyEvent(&fetch.Response{ContentType: c.contentType, Body: []byte(c.body)}, "http://host/")
		switch {
		case e == nil && c.name != "":
			t.Errorf("%q: no event", c.body)
		case e != nil && (e.Name != c.name || fmt.Sprint(e.Fields) != c.fields || e.SourceType != "basichttp" || e.Source != "http://host/"):
			t.Errorf("%q: %+v", c.body, e)
		}
	}
}
