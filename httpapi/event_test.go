package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ccxmld/conf"
	"ccxmld/httpapi"
	"ccxmld/sessionstore"
)

// running is the sessions of a controller that has one, s1.
type running struct {
	got  []httpapi.Event
	many int // sessions listed
	err  error
}

func (r *running) Inject(_ context.Context, e httpapi.Event) error {
	switch {
	case e.Session != "s1":
		return httpapi.ErrNoSession
	case e.Name == "ccxml.kill.unconditional":
		return fmt.Errorf("%w: %s", httpapi.ErrForbidden, e.Name)
	case e.Name == "":
		return httpapi.ErrNoName
	case r.err != nil:
		return r.err
	}
	r.got = append(r.got, e)
	return nil
}

func (r *running) Knows(_ context.Context, session, secret string) (bool, error) {
	return session == "s1" && secret == "of-s1", r.err
}

func (r *running) Sessions(context.Context) iter.Seq2[sessionstore.Session, error] {
	return func(yield func(sessionstore.Session, error) bool) {
		for i := range r.many {
			s := sessionstore.Session{
				ID: fmt.Sprint("s", i+1), Startup: "newcall", State: "a\tb", Started: time.Unix(0, 0),
				Document: "http://d/o", Connections: []string{"c1"},
			}
			if !yield(s, nil) {
				return
			}
		}
		if r.err != nil {
			yield(sessionstore.Session{}, r.err)
		}
	}
}

func (r *running) Counters() []httpapi.Counter {
	return []httpapi.Counter{{Name: "sessions", Value: 1}, {Name: "connections", Value: 2}}
}

// neighbours is where httptest's requests come from.
var neighbours = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

func with(r *running, more ...func(*httpapi.Options)) http.Handler {
	return handler(&starter{}, conf.Token{}, append(more, func(o *httpapi.Options) {
		o.Sessions = r
		if o.Allow == nil {
			o.Allow = neighbours
		}
	})...)
}

// What a request may say, and how it is answered (HTP-2 to HTP-5, HTP-11).
func TestHTP2HTP3HTP4HTP5Event(t *testing.T) {
	for _, c := range []struct {
		query  string
		status int
		text   string // of a refusal, or the event
	}{
		{"sessionid=s1&name=user.go", 204, "s1 user.go  []"},
		{"session=s1&eventname=go", 204, "s1 go  []"},
		{"sessionid=s1&session=s1&name=a_b-c.1", 204, "s1 a_b-c.1  []"},
		{"sessionid=s1&name=x&eventsource=http%3A%2F%2Fh%2Fx&b.c=1&a=%C3%A9+&b.d.e=", 204, "s1 x http://h/x [{b.c 1} {a é } {b.d.e }]"},
		{"sessionid=s1&name=x&eventid=mine&eventsourcetype=ccxml&a=1", 204, "s1 x  [{a 1}]"},
		{"sessionid=s1&name=ccxml.kill", 204, "s1 ccxml.kill  []"},
		{"name=x", 400, "the parameter sessionid is missing"},
		{"sessionid=&name=x", 400, `the parameter sessionid is not valid: ""`},
		{"sessionid=s1", 400, "the parameter name is missing"},
		{"sessionid=s1&name=.x", 400, `the parameter name is not valid: ".x"`},
		{"sessionid=s1&name=a+b", 400, `the parameter name is not valid: "a b"`},
		{"sessionid=s1&name=x&eventname=y", 400, "more than one name or eventname"},
		{"sessionid=s1&session=s2&name=x", 400, "more than one sessionid or session"},
		{"sessionid=s1&name=x&eventsource=%25zz", 400, `the parameter eventsource is not valid: "%zz"`},
		{"sessionid=s1&name=x&1a=2", 400, `the parameter "1a" is not valid: it is no name of ECMAScript`},
		{"sessionid=s1&name=x&a..b=2", 400, `the parameter "a..b" is not valid: it is no name of ECMAScript`},
		{"sessionid=s1&name=x&=2", 400, `the parameter "" is not valid: it is no name of ECMAScript`},
		{"sessionid=s1&name=x&a=1&a=2", 400, "more than one a"},
		{"sessionid=s1&name=x&a=1&a=1&b=2", 204, "s1 x  [{a 1} {b 2}]"},
		{"sessionid=s1&name=x&a=1&a.b=2&a=1", 400, "the parameter a cannot have a value beside a.…"},
		{"sessionid=s1&name=x&a=M%FCller", 400, `the parameter "a=M%FCller" is not in UTF-8; a form may be in another character set, which its Content-Type says by charset`},
		{"sessionid=s1&name=x&%FC=1", 400, `the parameter "%FC=1" is not in UTF-8; a form may be in another character set, which its Content-Type says by charset`},
		{"sessionid=s1&name=x&a=1&a.b=2", 400, "the parameter a cannot have a value beside a.…"},
		{"sessionid=s1&name=x&a=%zz", 400, "a parameter is not URL-encoded"},
		{"sessionid=s2&name=x", 404, "there is no such session"},
		{"sessionid=s1&name=ccxml.kill.unconditional", 403, "not allowed: ccxml.kill.unconditional"},
	} {
		for _, method := range []string{"GET", "POST"} {
			r := &running{}
			target, body := "/ccxml/basichttp?"+c.query, ""
			if method == "POST" {
				target, body = "/ccxml/basichttp", c.query
			}
			w := request(with(r), method, target, body, "Content-Type", "application/x-www-form-urlencoded")
			want := "failure: " + c.text + "\r\n"
			if c.status == 204 {
				want = ""
				if len(r.got) != 1 {
					t.Errorf("%s %s: no event", method, c.query)
				} else if e := r.got[0]; fmt.Sprint(e.Session, " ", e.Name, " ", e.Source, " ", e.Parameters) != c.text {
					t.Errorf("%s %s: %+v", method, c.query, e)
				}
			}
			if w.Code != c.status || w.Body.String() != want {
				t.Errorf("%s %s: %d %q, want %d %q", method, c.query, w.Code, w.Body, c.status, want)
			}
		}
	}
}

// TestFormCharset: a form is read in the character set that it says it is in, or
// refused; what the document gets never has a replacement character.
func TestFormCharset(t *testing.T) {
	for _, c := range []struct{ charset, form, want string }{
		{"ISO-8859-1", "a=M%FCller", "[{a Müller}]"},
		{"iso-8859-1", "a=M\xfcller&b=%26%3D+x", "[{a Müller} {b &= x}]"},
		{"windows-1252", "a=%80", "[{a €}]"},
		{"utf-8", "a=M%C3%BCller", "[{a Müller}]"},
		{"UTF-8", "a=M%FCller", "not in UTF-8"},
		{"us-ascii", "a=b", "[{a b}]"},
		{"shift_jis", "a=%83%65", "[{a テ}]"},
		{"shift_jis", "a=%83", "not in the character set shift_jis"},
		{"klingon", "a=b", "the character set \"klingon\" is unknown"},
		{"ISO-8859-1", "a=%zz", "not URL-encoded"},
	} {
		for _, path := range []string{"/ccxml/basichttp", "/CCXML.send"} {
			r := &running{}
			w := request(with(r), "POST", path, "sessionid=s1&name=x&"+c.form, "Content-Type", "application/x-www-form-urlencoded; charset="+c.charset)
			if refused := !strings.HasPrefix(c.want, "["); refused != (w.Code == 400) || refused && !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s %s in %s: %d %s", path, c.form, c.charset, w.Code, w.Body)
			} else if !refused && (len(r.got) != 1 || fmt.Sprint(r.got[0].Parameters) != c.want) {
				t.Errorf("%s %s in %s: %+v", path, c.form, c.charset, r.got)
			}
		}
	}
}

func TestEventRefused(t *testing.T) {
	const path = "/ccxml/basichttp?sessionid=s1&name=x"
	r := &running{err: errors.New("redis is\naway")}
	if w := request(with(r), "GET", path, ""); w.Code != 503 || w.Body.String() != "failure: redis is away\r\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, method := range []string{"HEAD", "PUT", "DELETE"} {
		if w := request(with(r), method, path, ""); w.Code != 405 {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	if w := request(with(r), "POST", path, "<a/>", "Content-Type", "text/xml"); w.Code != 415 {
		t.Errorf("XML: %d", w.Code)
	}
	many := request(with(&running{}), "POST", path, manyNames(201), "Content-Type", "application/x-www-form-urlencoded")
	if many.Code != 400 || many.Body.String() != "failure: more than 200 parameters\r\n" {
		t.Errorf("%d %s", many.Code, many.Body)
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d=&", i)
	}
	return b.String()
}

// Voxeo's names of the same, with its answers (VX-53, VX-54).
func TestVX54Send(t *testing.T) {
	for _, path := range []string{"/CCXML.send", "/CCXML10.send"} {
		r := &running{}
		w := request(with(r), "GET", path+"?sessionid=s1&eventname=go&a=1", "")
		if w.Code != 200 || w.Body.String() != "success\r\n" || len(r.got) != 1 || r.got[0].Name != "go" {
			t.Errorf("%s: %d %q %+v", path, w.Code, w.Body, r.got)
		}
		w = request(with(r), "GET", path+"?sessionid=s2&eventname=go", "")
		if w.Code != 404 || w.Body.String() != "failure: there is no such session\r\n" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
}

// Who may reach sessions (HTP-11): this machine and http.allow, and no page of
// another site in a browser there.
func TestHTP11Access(t *testing.T) {
	for _, c := range []struct {
		remote, site string
		allow        []netip.Prefix
		status       int
	}{
		{"127.0.0.1:5", "", []netip.Prefix{}, 204},
		{"[::1]:5", "", []netip.Prefix{}, 204},
		{"[::ffff:127.0.0.1]:5", "", []netip.Prefix{}, 204},
		{"192.0.2.9:5", "", []netip.Prefix{}, 403},
		{"192.0.2.9:5", "", neighbours, 204},
		{"[::ffff:192.0.2.9]:5", "", neighbours, 204},
		{"198.51.100.1:5", "", neighbours, 403},
		{"@", "", neighbours, 403},
		{"127.0.0.1:5", "cross-site", neighbours, 403},
		{"127.0.0.1:5", "same-origin", neighbours, 204},
	} {
		h := with(&running{}, func(o *httpapi.Options) { o.Allow = c.allow })
		for path, status := range map[string]int{
			"/ccxml/basichttp?sessionid=s1&name=x": c.status, "/CCXML10.start?tokenid=" + token: 200,
		} {
			r := httptest.NewRequest("GET", "http://localhost"+path, nil)
			r.RemoteAddr = c.remote
			r.Header.Set("Sec-Fetch-Site", c.site)
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != status {
				t.Errorf("%s from %s %s: %d, want %d", path, c.remote, c.site, w.Code, status)
			}
		}
		for _, path := range []string{"/CCXML.send", "/CCXML10.send", "/ccxml/createsession"} {
			r := httptest.NewRequest("POST", "http://localhost"+path, nil)
			r.RemoteAddr = "198.51.100.1:5"
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != 403 || !strings.Contains(w.Body.String(), "http.allow") {
				t.Errorf("%s is open to strangers: %d %s", path, w.Code, w.Body)
			}
		}
	}
}

// Sessions from the URI of a document (HTP-9, HTP-10).
func TestHTP9CreateSession(t *testing.T) {
	on := func(o *httpapi.Options) { o.CreateSession = true }
	for _, c := range []struct {
		query  string
		fails  error
		status int
		text   string
	}{
		{"uri=http://d/o%3Fa%3D1&method=post&timeout=5s&number=4711&a=%C3%A9", nil, 200, "session-1"},
		{"uri=file:///o.ccxml", nil, 200, "session-1"},
		{"number=1", nil, 400, "failure: the parameter uri is missing"},
		{"uri=o.ccxml", nil, 400, `failure: the parameter uri is not valid: "o.ccxml" is no absolute URI`},
		{"uri=http://d/o&uri=http://d/p", nil, 400, "failure: more than one uri"},
		{"uri=http://d/o&method=put", nil, 400, `failure: the parameter method is not valid: "put" is neither get nor post`},
		{"uri=http://d/o&timeout=5", nil, 400, `failure: the parameter timeout is not valid: "5" is no time such as 5s or 500ms`},
		{"uri=http://d/o&timeout=-5s", nil, 400, `failure: the parameter timeout is not valid: "-5s" is no time such as 5s or 500ms`},
		{"uri=http://d/o&" + manyNames(201), nil, 400, "failure: more than 200 parameters"},
		{"uri=http://d/o", fmt.Errorf("%w: http://d/o", httpapi.ErrForbidden), 403, "failure: not allowed: http://d/o"},
		{"uri=http://d/o", errors.New("o:3: no such element"), 500, "failure: o:3: no such element"},
		{"uri=http://d/o", full{}, 503, "failure: out of sessions"},
	} {
		s := &starter{answer: func(int, context.Context) error { return c.fails }}
		h := handler(s, conf.Token{}, on, func(o *httpapi.Options) { o.Sessions, o.Allow = &running{}, neighbours })
		w := request(h, "POST", "/ccxml/createsession?"+c.query, "")
		end := "\r\n"
		if c.status == 200 { // ID=$(curl …) takes a line feed away, and no more
			end = "\n"
		}
		if w.Code != c.status || w.Body.String() != c.text+end {
			t.Errorf("%s: %d %q, want %d %q", c.query, w.Code, w.Body, c.status, c.text)
		}
		if len(s.asked) > 0 && c.query[:12] == "uri=http://d" && strings.Contains(c.query, "number") {
			got := s.last(t)
			if got.URI != "http://d/o?a=1" || got.Method != "post" || got.Timeout != 5*time.Second || got.Token != "" ||
				got.Values.Encode() != "a=%C3%A9&number=4711" {
				t.Errorf("%+v", got)
			}
			got.Ended()
		}
	}
	w := request(with(&running{}), "POST", "/ccxml/createsession?uri=http://d/o", "")
	if w.Code != 403 || !strings.Contains(w.Body.String(), "http.createsession") {
		t.Errorf("not switched on: %d %s", w.Code, w.Body)
	}
}

// The sessions and the numbers of a controller, bounded (VX-57).
func TestVX57Lists(t *testing.T) {
	get := func(r *running, path string) *httptest.ResponseRecorder { return request(with(r), "GET", path, "") }
	for _, c := range []struct{ path, want string }{
		{"/sessions_10", "s1\t1970-01-01T00:00:00Z\tnewcall\ta b\tc1\thttp://d/o\r\n"},
		{"/sessions_10?format=json", `{"sessions":[{"id":"s1","started":"1970-01-01T00:00:00Z","startup":"newcall","state":"a\tb","connections":["c1"],"document":"http://d/o"}],"more":false}` + "\n"},
		{"/stats_10?type=counters", "sessions: 1\r\nconnections: 2\r\n"},
		{"/stats_10?format=json", `{"connections":2,"sessions":1}` + "\n"},
		{"/stats_10?format=xml", "failure: the parameter format is not valid: \"xml\" is neither text nor json\r\n"},
	} {
		if w := get(&running{many: 1}, c.path); w.Body.String() != c.want {
			t.Errorf("%s: %d %q", c.path, w.Code, w.Body)
		}
	}
	if w := get(&running{}, "/sessions_10?format=json"); w.Body.String() != `{"sessions":[],"more":false}`+"\n" {
		t.Errorf("none: %s", w.Body)
	}
	lines := strings.Split(strings.TrimSpace(get(&running{many: 1001}, "/sessions_10").Body.String()), "\r\n")
	if len(lines) != 1001 || lines[1000] != "more" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
	if w := get(&running{many: 1, err: errors.New("redis is away")}, "/sessions_10"); w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("sessionid=s1&name=a.b&a.b=1&a.c=%20&eventsource=http://h")
	f.Add("name=&=&a=#\r\n")
	f.Fuzz(func(t *testing.T, query string) {
		r := &running{}
		w := request(with(r), "POST", "/ccxml/basichttp", query, "Content-Type", "application/x-www-form-urlencoded")
		if (w.Code == http.StatusNoContent) != (len(r.got) == 1) || w.Code == http.StatusInternalServerError {
			t.Errorf("%q: %d, %+v", query, w.Code, r.got)
		}
		for _, e := range r.got {
			for _, p := range e.Parameters {
				if p.Name == "" || p.Name == "name" || strings.HasPrefix(p.Name, "event") && p.Name == "eventid" {
					t.Errorf("%q: %+v", query, e)
				}
			}
		}
	})
}
