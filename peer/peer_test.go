package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/sessionstore"
)

// redis is what controllers see of one: their mailboxes, and who runs what.
type redis struct {
	mu          sync.Mutex
	mailboxes   map[string]chan sessionstore.Mail
	controllers []sessionstore.Controller
	owners      map[string]string
	tooLong     int // bytes of a mail; 0: none is
	asked       int // how often for an owner
}

func newRedis() *redis {
	return &redis{mailboxes: make(map[string]chan sessionstore.Mail), owners: make(map[string]string)}
}

func (r *redis) Post(ctx context.Context, controller string, m sessionstore.Mail) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	mailbox := r.mailboxes[controller]
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case mailbox == nil:
		return fmt.Errorf("post to controller %s: %w", controller, sessionstore.ErrNoController)
	case r.tooLong > 0 && len(m.Body) > r.tooLong:
		return sessionstore.ErrMailTooLong
	}
	mailbox <- m
	return nil
}

func (r *redis) Receive(ctx context.Context, controller string, handle func(sessionstore.Mail)) error {
	r.mu.Lock()
	mailbox := r.mailboxes[controller]
	r.mu.Unlock()
	for {
		select {
		case m := <-mailbox:
			handle(m)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *redis) Owner(_ context.Context, session string) (string, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	owner, ok := r.owners[session]
	return owner, ok, nil
}

func (r *redis) Session(_ context.Context, session string) (sessionstore.Session, bool, error) {
	return sessionstore.Session{ID: session}, true, nil
}

func (r *redis) Controllers(context.Context) ([]sessionstore.Controller, error) {
	return r.controllers, nil
}

func (r *redis) WriteEvery() time.Duration { return 200 * time.Millisecond }

// controller is one that notes what others ask of it. What it does not answer by a
// function, it does at once.
type controller struct {
	*Peers
	t       *testing.T
	log     bytes.Buffer
	shut    context.CancelCauseFunc // nobody waits for answers any more
	running map[string]bool         // see runs
	mu      sync.Mutex
	noted   chan string
	create  func(Session) error
	expect  func(Move, func(Answer))
	operate func(context.Context, Operation) (json.RawMessage, error)
}

// join makes a controller that receives its mail until the test is over.
func (r *redis) join(t *testing.T, id string) *controller {
	t.Helper()
	c := &controller{t: t, running: make(map[string]bool), noted: make(chan string, 100)}
	closing, shut := context.WithCancelCause(t.Context())
	c.shut = shut
	var ids atomic.Int64
	var work sync.WaitGroup
	c.Peers = New(Options{
		ID: id, Controller: c, Store: r, Clock: clocktest.Real(), Closing: closing,
		NewID:  func() string { return fmt.Sprint(id, ".", ids.Add(1)) },
		Start:  func(f func(context.Context)) { work.Go(func() { f(t.Context()) }) },
		Logger: slog.New(slog.NewTextHandler(&c.log, nil)),
	})
	r.mu.Lock()
	r.mailboxes[id] = make(chan sessionstore.Mail, 100)
	r.controllers = append(r.controllers, sessionstore.Controller{ID: id, Alive: true})
	r.mu.Unlock()
	receiving, stop := context.WithCancel(t.Context())
	work.Go(func() { c.Receive(receiving) })
	t.Cleanup(func() {
		stop()
		shut(nil)
		work.Wait()
	})
	return c
}

func (c *controller) note(format string, args ...any) { c.noted <- fmt.Sprintf(format, args...) }

// next is what was noted next.
func (c *controller) next() string {
	c.t.Helper()
	select {
	case noted := <-c.noted:
		return noted
	case <-time.After(time.Hour): // of the test's own time
		c.t.Fatalf("nothing comes; log: %s", c.log.String())
		return ""
	}
}

func (c *controller) Deliver(e Event) bool {
	c.note("%s from %s for %s", e.Name, e.Source, e.Session)
	return c.Runs(e.Session)
}

func (c *controller) Drain(d Drain) { c.note("drain by %s", d.By) }

func (c *controller) Runs(session string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[session]
}

// runs has a session run here from now on, or not.
func (c *controller) runs(session string, here bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[session] = here
}

// own has a session be a controller's by Redis.
func (r *redis) own(session, controller string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[session] = controller
}

func (c *controller) CreateSession(_ context.Context, s Session) error {
	c.note("create %s for %s at %s", s.ID, s.Parent, s.ParentAt)
	if c.create != nil {
		return c.create(s)
	}
	return nil
}

func (c *controller) ChildExited(e Exit) {
	c.note("exit of %s for %s: %v %s", e.Session, e.Parent, e.Ending.Value, e.Ending.Reason)
}

func (c *controller) ExpectLeg(m Move, reply func(Answer)) { c.expect(m, reply) }

func (c *controller) Operate(ctx context.Context, o Operation) (json.RawMessage, error) {
	return c.operate(ctx, o)
}

// The form of mail on the wire stays, as controllers of different versions run beside
// each other; what an earlier one wrote (by the names of Go's fields) is read as well.
func TestWireForm(t *testing.T) {
	second := time.Second
	for _, test := range []struct {
		body, read any
		wire, old  string
	}{
		{
			Event{Session: "s", ID: "i", Source: "x", Name: "e", Parameters: []Pair{{"a", "1"}}}, new(Event),
			`{"session":"s","sendid":"i","sender":"x","event":"e","parameters":[{"name":"a","value":"1"}]}`,
			`{"session":"s","sendid":"i","sender":"x","event":"e","parameters":[{"Name":"a","Value":"1"}]}`,
		},
		{
			Session{ID: "s", Parent: "p", ParentAt: "c", Tree: "t", Document: Document{URI: "u", Method: "get", Timeout: second, MaxAge: &second}}, new(Session),
			`{"session":"s","parent":"p","parentat":"c","tree":"t","document":{"uri":"u","method":"get","enctype":"","parameters":null,"timeout":1000000000,"maxage":1000000000,"maxstale":null},"parameters":null}`,
			`{"session":"s","parent":"p","parentat":"c","tree":"t","document":{"URI":"u","Base":"","Type":"","Mode":"","Method":"get","Enctype":"","Parameters":null,"Timeout":1000000000,"MaxAge":1000000000,"MaxStale":null},"parameters":null}`,
		},
		{
			Exit{Parent: "p", Session: "s", Ending: Ending{Value: "v", Values: map[string]any{"a": "1"}}}, new(Exit),
			`{"parent":"p","session":"s","ending":{"reason":"","value":"v","values":{"a":"1"}}}`,
			`{"parent":"p","session":"s","ending":{"Reason":"","Value":"v","Values":{"a":"1"}}}`,
		},
		{
			Move{Session: "s", From: "f", State: "CONNECTED", Connection: Connection{ID: "c", State: "ALERTING", Protocol: Protocol{Name: "sip", Headers: []Pair{{"h", "v"}}}, Redirects: []Redirect{{URI: "r"}}},
				Event: &MovedEvent{Name: "e", Fields: map[string]any{"a": "1"}}}, new(Move),
			`{"session":"s","from":"f","connection":{"id":"c","state":"ALERTING","local":"","remote":"","originator":"","protocol":{"name":"sip","version":"","headers":[{"name":"h","value":"v"}]},"redirects":[{"uri":"r","reason":"","presentation":"","screening":""}],"aai":""},"state":"CONNECTED","answered":false,"event":{"name":"e","id":"","source":"","sourcetype":"","fields":{"a":"1"}}}`,
			`{"session":"s","from":"f","connection":{"ID":"c","State":"ALERTING","Local":"","Remote":"","Originator":"","Protocol":{"Name":"sip","Version":"","Headers":[{"Name":"h","Value":"v"}]},"Redirects":[{"URI":"r","Reason":"","Presentation":"","Screening":""}],"AAI":""},"state":"CONNECTED","answered":false,"event":{"name":"e","id":"","source":"","sourcetype":"","fields":{"a":"1"}}}`,
		},
		{
			Answer{Request: "q", Failure: "f", Full: true, Address: "a"}, new(Answer),
			`{"question":"q","failure":"f","full":true,"address":"a"}`, `{"question":"q","failure":"f","full":true,"address":"a"}`,
		},
	} {
		wire, err := json.Marshal(test.body)
		if err != nil || string(wire) != test.wire {
			t.Errorf("%T is %s, want %s (%v)", test.body, wire, test.wire, err)
		}
		if err := json.Unmarshal([]byte(test.old), test.read); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(test.read); err != nil || string(again) != test.wire {
			t.Errorf("%T of an earlier version is read as %s (%v)", test.body, again, err)
		}
	}
}

// What is not understood is told of, and what comes after it is taken.
func TestMailThatIsNotUnderstood(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		c := r.join(t, "c1")
		c.running["s"] = true
		for _, m := range []sessionstore.Mail{
			{From: "c2", Kind: "dance", Body: []byte("{}")}, {From: "c2", Kind: eventKind, Body: []byte("[")},
			{From: "c2", Kind: eventKind, Body: []byte(`{"session":"s","event":"e","sender":"x"}`)},
		} {
			if err := r.Post(t.Context(), "c1", m); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.next(); got != "e from x for s" {
			t.Error(got)
		}
		for _, text := range []string{"kind=dance from=c2", "different versions", "unexpected end of JSON"} {
			if !bytes.Contains(c.log.Bytes(), []byte(text)) {
				t.Errorf("the log does not have %q: %s", text, &c.log)
			}
		}
	})
}

// An event goes to the controller of its session, which may have begun a moment ago.
func TestSend(t *testing.T) {
	inTime(t, func(t *testing.T) {
		r := newRedis()
		one, two := r.join(t, "c1"), r.join(t, "c2")
		two.running["s"] = true
		time.AfterFunc(300*time.Millisecond, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.owners["s"] = "c2"
		})
		if err := one.Send(t.Context(), Event{Session: "s", Name: "e", Source: "x"}); err != nil {
			t.Fatal(err)
		}
		if got := two.next(); got != "e from x for s" {
			t.Error(got)
		}
		r.owners["gone"], r.owners["mine"] = "c3", "c1"
		for session, want := range map[string]error{"none": ErrNoSession, "mine": ErrNoSession, "gone": sessionstore.ErrNoController} {
			if err := one.Send(t.Context(), Event{Session: session}); !errors.Is(err, want) {
				t.Errorf("%s: %v", session, err)
			}
		}
	})
}
