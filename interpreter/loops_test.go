package interpreter_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/interpreter"
	"ccxmld/script"
)

// looping is a platform on which a session can go on without end: what it sends to
// itself comes, dialogs fail or end at once, and documents are fetched in no time.
type looping struct {
	*fakePlatform
	session *interpreter.Session
}

func (p *looping) Send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	p.session.Do(func() {
		p.session.Queue(interpreter.MessageEvent(r.SendID, "s1", r.Event, nil))
		done(interpreter.SendResult{})
	})
}

func (p *looping) StartDialog(r interpreter.DialogRequest) {
	p.session.Do(func() {
		p.session.Queue(&interpreter.Event{Name: "dialog.exit", Effect: interpreter.DialogEffect{DialogID: r.DialogID, State: interpreter.DialogEnded}})
	})
}

func (p *looping) CreateSession(_ interpreter.CreateRequest, done func(error)) { done(nil) }

func (p *looping) Fetch(_ interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	p.session.Do(func() { done(interpreter.FetchResult{}) })
}

// counter counts what a session handles.
type counter struct {
	events int
	end    string
}

func (c *counter) EventHandled(string, *interpreter.Event, *script.Position) { c.events++ }
func (c *counter) Logged(string, string, string)                             {}
func (c *counter) StateChanged(string, string)                               {}
func (c *counter) SessionEnded(_, _ string, e interpreter.Ending)            { c.end = e.Reason }

// connected brings the connection c1.
func connected() *interpreter.Event {
	return &interpreter.Event{Name: "connection.connected", Effect: interpreter.ConnectionEffect{
		ConnectionID: "c1", State: interpreter.Connected, New: &interpreter.Connection{ID: "c1"},
	}}
}

func loop(t *testing.T, text string, l interpreter.Limits) (*interpreter.Session, *counter) {
	seen := &counter{}
	platform := &looping{}
	session, fake := newSession(t, text, func(o *interpreter.Options) {
		o.Platform, o.Observer, o.Limits, o.Ended = platform, seen, l, nil
	})
	platform.fakePlatform, platform.session = fake, session
	return session, seen
}

// An error loop that has other events between its errors ends the session all the
// same, and it is said where (EVT-27). Errors that come in their time are none.
func TestEVT27ErrorsWithOthersBetween(t *testing.T) {
	const again = `<send target="session.id" name="'again'"/><log expr="missing"/></transition>`
	for name, c := range map[string]struct{ text, end string }{
		"an event between them": {`<transition event="ccxml.loaded">` + again + `
<transition event="error.*"><log expr="'what now'"/></transition>
<transition event="again">` + again,
			"20 error events within 10s; the last was error.semantic, handled by the transition at doc.ccxml:2: doc.ccxml:3: <log>: ReferenceError: missing is not defined"},
		"errors in handlers": {`<transition event="ccxml.loaded"><send target="session.id" name="'again'"/></transition>
<transition event="error.*">` + again + `<transition event="again"><send target="session.id" name="'error.mine'"/></transition>`,
			"20 error events within 10s; the last was error."},
		"slowly": {`<transition event="ccxml.loaded"><send target="session.id" name="'again'" delay="'1s'"/><log expr="missing"/></transition><transition event="again"><send target="session.id" name="'again'" delay="'1s'"/><log expr="missing"/></transition>
<transition event="error.*"/>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, seen := loop(t, c.text, interpreter.Limits{Errors: 10})
				s.Start()
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if c.end == "" && seen.end != "" || !strings.HasPrefix(seen.end, c.end) {
					t.Errorf("it ended: %q, want %q", seen.end, c.end)
				}
				s.End("enough")
				<-s.Done()
			})
		})
	}
}

// A session whose events bring one another about without end handles so many a
// second and no more, can still be ended, and handles what comes from elsewhere.
func TestLoopsAreSlowed(t *testing.T) {
	for name, text := range map[string]string{
		"send":        `<transition event="ccxml.loaded"><send target="session.id" name="'again'"/></transition><transition event="again"><send target="session.id" name="'again'"/></transition>`,
		"send, 0s":    `<transition event="ccxml.loaded"><send target="session.id" name="'again'" delay="'0s'"/></transition><transition event="again"><send target="session.id" name="'again'" delay="'0s'"/></transition>`,
		"the answer":  `<transition event="ccxml.loaded"><send target="session.id" name="'again'"/></transition><transition event="send.successful"><send target="session.id" name="'again'"/></transition>`,
		"dialogstart": `<transition event="connection.connected"><dialogstart src="'x.vxml'" connectionid="'c1'"/></transition><transition event="dialog.exit"><dialogstart src="'x.vxml'" connectionid="'c1'"/></transition>`,
		"createccxml": `<transition event="ccxml.loaded"><createccxml next="'x.ccxml'"/></transition><transition event="ccxml.created"><createccxml next="'x.ccxml'"/></transition>`,
		"fetch":       `<transition event="ccxml.loaded"><fetch next="'x.ccxml'"/></transition><transition event="fetch.done"><fetch next="'x.ccxml'"/></transition>`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, seen := loop(t, text+`<transition event="user.other"><exit expr="'at last'"/></transition>`, interpreter.Limits{Events: 10})
				s.Start(connected())
				const seconds = 50
				time.Sleep(seconds * time.Second)
				synctest.Wait()
				if most := 10 * (3 + seconds); seen.events < most-10 || seen.events > most+10 {
					t.Errorf("%d events were handled in %d s; about %d are allowed (%s)", seen.events, seconds, most, seen.end)
				}
				if !post(s, "user.other") {
					t.Fatal("it takes no events")
				}
				time.Sleep(seconds * time.Second)
				synctest.Wait()
				select {
				case <-s.Done():
				default:
					t.Error("an event from elsewhere had no turn")
					s.End("enough")
					<-s.Done()
				}
			})
		})
	}
}

// A session that is slowed ends when it is told to.
func TestSlowedSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, seen := loop(t, `<transition event="ccxml.loaded"><send target="session.id" name="'again'"/></transition><transition event="again"><send target="session.id" name="'again'"/></transition>`, interpreter.Limits{Events: 1})
		s.Start()
		synctest.Wait()
		s.End("enough")
		<-s.Done()
		if seen.end != "enough" {
			t.Errorf("it ended: %s", seen.end)
		}
	})
}
