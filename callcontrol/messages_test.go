package callcontrol

import (
	"fmt"
	"testing"

	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// The answer to a basichttp send makes an event if it looks like one, whatever
// type the server gives it; what does not, says why (VX-56, HTP-11).
func TestVX56ReplyEvent(t *testing.T) {
	many := "many"
	for i := range maxReplyFields + 1 {
		many += fmt.Sprintf("\nf%d=1", i)
	}
	for _, c := range []struct{ body, name, fields, odd string }{
		{"area.found\ncity=Orlando\n", "area.found", "[{city Orlando}]", ""},
		{"\r\n area.found \r\ncity = a=b \r\n\r\nempty=\r\n", "area.found", "[{city  a=b } {empty }]", ""},
		{"done", "done", "[]", ""},
		{"done\nno pair\nx=1\n1y=2", "done", "[{x 1}]", `a line is not name=value and left out: "1y=2"`},
		{"nested\nsite.code=7\nsite.name=x", "nested", "[{site [{code 7} {name x}]}]", ""},
		{"", "", "", ""},
		{" \r\n", "", "", ""},
		{"Thank you.", "", "", `its first line is no event name: "Thank you."`},
		{"<html>", "", "", `its first line is no event name: "<html>"`},
		{"a=b", "", "", `its first line is no event name: "a=b"`},
		{".a", "", "", `its first line is no event name: ".a"`},
		{"\x00\xff", "", "", "its first line is no event name: \"\\x00\ufffd\""},
		{"CCXML.kill.unconditional", "", "", "the event CCXML.kill.unconditional cannot be sent by HTTP"},
		{"ccxml.loaded", "", "", "the event ccxml.loaded cannot be sent by HTTP"},
		{many, "", "", "it has more than 200 properties"},
	} {
		e, err := replyEvent(&fetch.Response{ContentType: "text/html", Body: []byte(c.body)}, "http://host/")
		if odd := fmt.Sprint(err); odd != c.odd && (err != nil || c.odd != "") {
			t.Errorf("%q: %s, want %s", c.body, odd, c.odd)
		}
		switch {
		case e == nil && c.name != "":
			t.Errorf("%q: no event", c.body)
		case e != nil && (e.Name != c.name || fmt.Sprint(e.Fields) != c.fields || e.SourceType != "basichttp" || e.Source != "http://host/"):
			t.Errorf("%q: %+v", c.body, e)
		}
	}
}

// The sender's id is sent along unless the document names a session itself; the
// method is GET unless a hint or the event says otherwise (HTP-6, HTP-7, VX-55, VX-59);
// what has no name is sent without (LEN-18).
func TestHTP6HTP7Request(t *testing.T) {
	c := &control{}
	c.record.ID = "s1"
	pairs := func(names ...string) (list []interpreter.Pair) {
		for _, name := range names {
			list = append(list, interpreter.Pair{Name: name, Value: "v"})
		}
		return list
	}
	for _, test := range []struct {
		target string
		event  string
		method string
		names  []string
		hints  interpreter.Hints
		want   string
	}{
		{"http://h/x", "e", "", []string{"a", "b.c"}, nil, "GET [{name e} {sessionid s1} {a v} {b.c v}]"},
		{"http://h/x", "e", "", nil, interpreter.Hints{"method": "POST"}, "POST [{name e} {sessionid s1}]"},
		{"http://h/x", "e", "", nil, interpreter.Hints{"method": 7}, "GET [{name e} {sessionid s1}]"},
		{"http://h/x", "e", "", []string{"sessionid"}, nil, "GET [{name e} {sessionid v}]"},
		{"http://h/x?sessionid=s2", "e", "", nil, nil, "GET [{name e}]"},
		{"http://h/x", "", "", nil, nil, "GET [{sessionid s1}]"},
		{"http://h/x", "", "POST", []string{"a"}, nil, "POST [{sessionid s1} {a v}]"},
		{"http://h/x", "http.get", "GET", nil, interpreter.Hints{"method": "post"}, "POST [{name http.get} {sessionid s1}]"},
	} {
		r := c.httpRequest(interpreter.SendRequest{Event: test.event, Method: test.method, Parameters: pairs(test.names...), Hints: test.hints}, test.target)
		var form []interpreter.Pair
		for _, pair := range r.Form {
			form = append(form, interpreter.Pair{Name: pair.Name, Value: pair.Value})
		}
		if got := fmt.Sprint(r.Method, " ", form); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}
