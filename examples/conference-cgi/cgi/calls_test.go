package cgi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
)

// call is a session of the application with a platform that does everything at
// once, and keeps a record of it.
type call struct {
	interpreter.Platform // what the application does not use
	t                    *testing.T
	id                   string
	server               *httptest.Server
	session              *interpreter.Session
	code                 string          // what the caller enters; "" for nothing
	rooms                map[string]bool // conferences that exist, of all calls
	broken               string          // what the platform cannot do

	mu   sync.Mutex
	did  []string
	wake chan struct{}
}

func (c *call) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, fmt.Sprintf(format, args...))
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// await waits until the call has done something.
func (c *call) await(what string) {
	c.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		c.mu.Lock()
		did := slices.Clone(c.did)
		c.mu.Unlock()
		if slices.Contains(did, what) {
			return
		}
		select {
		case <-c.wake:
		case <-timeout:
			c.t.Fatalf("call %s did not %q; it did %q", c.id, what, did)
		}
	}
}

func (c *call) queue(name string, effect interpreter.Effect, fields ...interpreter.Field) {
	c.session.Queue(&interpreter.Event{Name: name, Fields: fields, Effect: effect})
}

func field(name string, value any) interpreter.Field {
	return interpreter.Field{Name: name, Value: value}
}

func (c *call) connection(name string, state interpreter.ConnectionState) {
	c.queue(name, interpreter.ConnectionEffect{ConnectionID: "leg" + c.id, State: state}, field("connectionid", "leg"+c.id))
}

func (c *call) Accept(interpreter.AcceptRequest) {
	c.connection("connection.connected", interpreter.Connected)
}

func (c *call) Disconnect(interpreter.DisconnectRequest) {
	c.note("disconnect")
	c.connection("connection.disconnected", interpreter.Disconnected)
}

func (c *call) StartDialog(r interpreter.DialogRequest) {
	ids := []interpreter.Field{field("dialogid", r.DialogID), field("connectionid", r.ConnectionID)}
	if strings.Contains(c.broken, r.Source) {
		c.queue("error.dialog.notstarted", interpreter.DialogEffect{DialogID: r.DialogID, State: interpreter.DialogEnded},
			append(ids, field("reason", "broken"))...)
		return
	}
	c.note("%s", r.Source)
	values := map[string]any{}
	if r.Source == "get_conference_code.vxml" && c.code != "" {
		values["conference_code"] = c.code
	}
	c.queue("dialog.started", interpreter.DialogEffect{DialogID: r.DialogID, State: interpreter.DialogStarted}, ids...)
	c.queue("dialog.exit", interpreter.DialogEffect{DialogID: r.DialogID, State: interpreter.DialogEnded}, append(ids, field("values", values))...)
}

func (c *call) ConferenceID(name string) string { return interpreter.ConferenceScheme + name }

func (c *call) CreateConference(r interpreter.ConferenceRequest) {
	c.note("create %s", r.ConferenceID)
	c.rooms[r.ConferenceID] = true
	c.queue("conference.created", interpreter.ConferenceEffect{ConferenceID: r.ConferenceID, Attached: true}, field("conferenceid", r.ConferenceID))
}

func (c *call) Join(r interpreter.JoinRequest) {
	ids := []interpreter.Field{field("id1", r.ID1), field("id2", r.ID2)}
	if !c.rooms[r.ID2] || c.broken == "join" {
		c.queue("error.conference.join", nil, append(ids, field("reason", "there is no such conference"))...)
		return
	}
	c.queue("conference.joined", interpreter.JoinEffect{A: interpreter.Endpoint{ID: r.ID1},
		B: interpreter.Endpoint{ID: r.ID2, Conference: true}, Duplex: interpreter.Full}, ids...)
	c.note("join %s", r.ID2)
}

func (c *call) get(base, reference string, form []interpreter.Pair) (uri string, body []byte, err error) {
	if uri, err = fetch.Resolve(base, reference); err != nil {
		return uri, nil, err
	}
	values := url.Values{}
	for _, p := range form {
		values.Set(p.Name, p.Value)
	}
	if len(form) > 0 {
		uri += "?" + values.Encode()
	}
	response, err := http.Get(uri)
	if err != nil {
		return uri, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		err = errors.New(response.Status)
	}
	body, readErr := io.ReadAll(response.Body)
	return uri, body, errors.Join(err, readErr)
}

func (c *call) Fetch(r interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	go func() {
		uri, body, err := c.get(r.Base, r.URI, nil)
		result := interpreter.FetchResult{URI: uri, Err: err}
		if err == nil {
			result.Document, result.Err = compile(body, uri)
		}
		done(result)
	}()
}

func compile(body []byte, uri string) (*interpreter.Document, error) {
	root, err := fetch.ParseXML(body, uri, fetch.XMLLimits{})
	if err != nil {
		return nil, err
	}
	return interpreter.NewCompiler().Compile(root, uri, nil)
}

func (c *call) Send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	go func() {
		form := append(r.Parameters, interpreter.Pair{Name: "name", Value: r.Event}, interpreter.Pair{Name: "sessionid", Value: c.id})
		_, _, err := c.get(r.Base, r.Target, form)
		c.note("told %s (%v)", r.Event, err)
		done(interpreter.SendResult{})
	}()
}

func (c *call) Release() {}

// dial lets a caller in.
func dial(t *testing.T, server *httptest.Server, rooms map[string]bool, id, code, broken string) *call {
	t.Helper()
	c := &call{t: t, id: id, server: server, code: code, rooms: rooms, broken: broken, wake: make(chan struct{}, 1)}
	uri, body, err := c.get(server.URL, "/conference.ccxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	document, err := compile(body, uri)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	c.session = interpreter.NewSession(interpreter.Options{
		ID: id, Document: document, Platform: c, Clock: clock.Real(),
		NewID: func() string { n++; return fmt.Sprintf("%s-%d", id, n) },
	})
	c.session.Start()
	c.session.Do(func() {
		c.queue("connection.alerting", interpreter.ConnectionEffect{
			ConnectionID: "leg" + id, State: interpreter.Alerting, New: &interpreter.Connection{ID: "leg" + id},
		}, field("connectionid", "leg"+id))
	})
	return c
}

func (c *call) hangUp() {
	c.session.Do(func() { c.connection("connection.disconnected", interpreter.Disconnected) })
	<-c.session.Done()
}

// TestCalls: the three documents lead callers into one conference and out of it,
// and the number is free when the last has gone.
func TestCalls(t *testing.T) {
	a := newApplication(time.Hour, time.Now)
	server := httptest.NewServer(a.handler())
	defer server.Close()
	const code, room = "4075550100", "conference:conference_4075550100"
	rooms := make(map[string]bool)

	first := dial(t, server, rooms, "a", code, "")
	first.await("join " + room)
	second := dial(t, server, rooms, "b", code, "")
	second.await("joined.vxml")
	if !slices.Equal(first.did, []string{"get_conference_code.vxml", "create " + room, "first_caller.vxml", "join " + room}) {
		t.Errorf("the first caller did %q", first.did)
	}
	if !slices.Equal(second.did, []string{"get_conference_code.vxml", "join " + room, "joined.vxml"}) {
		t.Errorf("the second caller did %q", second.did)
	}
	first.hangUp()
	first.await("told caller.left (<nil>)")
	delete(rooms, room) // as if the room had ended meanwhile: the later caller opens it
	third := dial(t, server, rooms, "c", code, "first_caller.vxml joined.vxml")
	third.await("join " + room)
	second.hangUp()
	second.await("told caller.left (<nil>)")
	third.hangUp()
	third.await("told caller.left (<nil>)")

	again := dial(t, server, rooms, "d", code, "first_caller.vxml")
	again.await("create " + room)
	again.await("join " + room)
	again.hangUp()
	again.await("told caller.left (<nil>)")

	for _, c := range []*call{
		dial(t, server, rooms, "e", "", ""),
		dial(t, server, rooms, "f", "123", ""),
		dial(t, server, rooms, "g", "4075550199", "join"),
		dial(t, server, rooms, "h", "4075550198", "get_conference_code.vxml"),
	} {
		c.await("disconnect")
		<-c.session.Done()
		if c.id == "g" {
			c.await("told caller.left (<nil>)")
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.callers) > 0 || a.total != 0 {
		t.Errorf("callers are left behind: %v", a.callers)
	}
}
