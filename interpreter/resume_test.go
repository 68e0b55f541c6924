package interpreter_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/interpreter"
)

// leave has a session written down, and ends it as the end of its process does.
func leave(t testing.TB, s *interpreter.Session) (snap interpreter.Snapshot) {
	t.Helper()
	done := make(chan error)
	s.Do(func() {
		written, err := s.Snapshot()
		var text []byte
		if err == nil {
			text, err = json.Marshal(written)
		}
		if err == nil {
			err = json.Unmarshal(text, &snap)
		}
		s.Abandon(s)
		done <- err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return snap
}

// goOn makes a session of a document again, on a fake platform of its own.
func goOn(t testing.TB, text string, snap interpreter.Snapshot, change func(*interpreter.Options)) (*interpreter.Session, *fakePlatform) {
	t.Helper()
	platform := &fakePlatform{trace: &trace{}}
	o := sessionOptions(t, text, platform)
	if change != nil {
		change(&o)
	}
	s, err := interpreter.Resume(o, snap)
	if err != nil {
		t.Fatal(err)
	}
	return s, platform
}

// TestDelayedSendsKeepTheirTime: a send that was delayed is due when it would have been;
// one that is due already goes out at once, in the order in which they were due.
func TestDelayedSendsKeepTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<transition event="user.go">
			<send target="session.id" name="'later.a'" delay="'30s'"/>
			<send target="session.id" name="'soon.b'" delay="'5s'"/>
			<send target="session.id" name="'soon.a'" delay="'4s'"/>
			<send target="'s2'" name="'last'" delay="'60s'"/></transition>
			<transition event="*.*"><log expr="event$.name"/></transition>`
		const quiet = `<transition event="send.successful"/><transition event="ccxml.loaded"/>` + text
		s, _ := newSession(t, quiet, nil)
		s.Start()
		post(s, "user.go")
		synctest.Wait()
		time.Sleep(2 * time.Second)
		snap := leave(t, s)
		time.Sleep(8 * time.Second) // nobody has it
		s, platform := goOn(t, quiet, snap, nil)
		s.GoOn()
		synctest.Wait()
		wantTrace(t, platform, "log soon.a", "log soon.b")
		time.Sleep(20*time.Second - time.Nanosecond)
		synctest.Wait()
		wantTrace(t, platform)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantTrace(t, platform, "log later.a")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		wantTrace(t, platform, "send id4 last to s2")
		s.End("")
	})
}

// TestRequestsWithoutAnswer: what a controller has waited for when it went ends in its
// error event, since nobody will tell of it.
func TestRequestsWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<var name="f"/>
			<transition event="connection.alerting"><send target="'s2'" name="'x'"/><fetch next="'a.ccxml'" fetchid="f"/>
				<createccxml next="'b.ccxml'"/><move source="event$.connectionid" sessionid="'s3'"/></transition>
			<transition event="ccxml.loaded"/>
			<transition event="user.try"><goto fetchid="f"/></transition>
			<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
			<transition event="*"><log expr="event$.name"/></transition>`
		s, _ := newSession(t, text, nil)
		s.Start(connectionEvent("alerting", "c1", nil))
		synctest.Wait()
		snap := leave(t, s)
		const gone = "controller: the controller that waited for the answer has gone"
		s, platform := goOn(t, text, snap, nil)
		post(s, "user.early")
		s.GoOn(&interpreter.Event{Name: "ccxml.resumed"})
		post(s, "user.try")
		synctest.Wait()
		wantTrace(t, platform,
			"log error.send.failed doc.ccxml:2: <send>: "+gone,
			"log error.fetch doc.ccxml:2: <fetch>: a.ccxml: "+gone,
			"log error.createccxml doc.ccxml:3: <createccxml>: b.ccxml: "+gone,
			"log error.move doc.ccxml:3: <move>: "+gone,
			"log ccxml.resumed",
			"log user.early",
			"log error.semantic doc.ccxml:5: <goto>: fetch id2 failed: "+gone)
		s.End("")
	})
}

// TestMoveGoesOn: a <move> that the platform has taken up again ends as it says.
func TestMoveGoesOn(t *testing.T) {
	for _, outcome := range []error{nil, errors.New("as asked")} {
		synctest.Test(t, func(t *testing.T) {
			const text = `<transition event="connection.alerting"><move source="event$.connectionid" sessionid="'s3'"/></transition>
				<transition event="ccxml.loaded"/><transition event="user.again"><accept connectionid="'c1'"/></transition>
				<transition event="error.connection.*"><log expr="event$.reason"/></transition>
				<transition event="*"><log expr="event$.name + ' ' + (session.connections[event$.source] ? 'here' : 'gone')"/></transition>`
			s, _ := newSession(t, text, nil)
			s.Start(connectionEvent("alerting", "c1", nil))
			synctest.Wait()
			s, platform := goOn(t, text, leave(t, s), nil)
			s.KeepMove("c1")
			s.GoOn()
			post(s, "user.again")
			synctest.Wait()
			wantTrace(t, platform, "log doc.ccxml:2: <accept>: the connection is being moved to session s3")
			s.Do(func() { s.Moved("c1", outcome) })
			s.Do(func() { s.Moved("c1", errors.New("told twice")) })
			synctest.Wait()
			if outcome == nil {
				wantTrace(t, platform, "log move.successful gone")
			} else {
				wantTrace(t, platform, "log error.move here")
			}
			s.End("")
		})
	}
}

// TestGotoWithoutAnswer: the page that <goto next> was about to leave goes on.
func TestGotoWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<ccxml version="1.0"><eventhandler><transition event="user.go"><goto next="'b.ccxml'"/></transition>
			<transition event="*"><log expr="event$.name"/></transition></eventhandler></ccxml>`
		s, _ := newSession(t, text, nil)
		s.Start()
		post(s, "user.go")
		post(s, "user.next")
		synctest.Wait()
		s, platform := goOn(t, text, leave(t, s), nil)
		s.GoOn()
		synctest.Wait()
		wantTrace(t, platform, "log user.next", "log error.fetch")
		s.End("")
	})
}

// TestResumeRunsNothingTwice: what a document runs when it is loaded is not noticed a second
// time, its variables have the values that they had, and one whose expression fails by now
// is restored all the same.
func TestResumeRunsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<var name="n" expr="1"/><var name="object" expr="{n: 1}"/><script>var loaded = 0; function count() { return ++loaded }; count()</script>
			<var name="id" expr="session.values.id.toUpperCase()"/><assign name="application.runs" expr="(application.runs || 0) + 1"/><log expr="'loaded'"/>
			<transition event="ccxml.loaded"><assign name="n" expr="5"/><assign name="object.self" expr="object"/></transition>
			<transition event="user.ask"><log expr="[n, object.self === object, loaded, count(), id, application.runs]"/></transition>`
		s, platform := newSession(t, text, func(o *interpreter.Options) { o.Values = map[string]any{"id": "x"} })
		s.Start()
		synctest.Wait()
		wantTrace(t, platform, "log loaded")
		snap := leave(t, s)
		snap.Values = interpreter.Snapshot{}.Values // so that the expression fails
		s, platform = goOn(t, text, snap, nil)
		s.GoOn()
		post(s, "user.ask")
		synctest.Wait()
		wantTrace(t, platform, "log 5,true,1,2,X,1")
		s.End("")
	})
}

// TestVersions: what a newer ccxmld has written is refused, with what to do.
func TestVersions(t *testing.T) {
	const text = `<transition event="user.a"/>`
	_, platform := newSession(t, text, nil)
	for version, want := range map[int]string{0: "version 0", interpreter.SnapshotVersion + 1: "a newer one has to resume it"} {
		_, err := interpreter.Resume(sessionOptions(t, text, platform), interpreter.Snapshot{Version: version, ID: "s1"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// TestBoundaries: a session tells of boundaries after events, and when something waits that
// did not before; there it can be written down, and in a transition it cannot.
func TestBoundaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<transition event="ccxml.loaded"/><transition event="user.call"><createcall dest="'tel:1'"/></transition><transition event="user.*"/>`
		var s *interpreter.Session
		boundaries := 0
		s, platform := newSession(t, text, func(o *interpreter.Options) {
			o.Boundary = func() {
				boundaries++
				if _, err := s.Snapshot(); err != nil {
					t.Error(err)
				}
			}
		})
		platform.before = func(request string) {
			if _, err := s.Snapshot(); err == nil && request == "createcall" {
				t.Error("a session is written down in a transition")
			}
		}
		want := func(n int, when string) {
			t.Helper()
			synctest.Wait()
			if boundaries != n {
				t.Errorf("%s there were %d boundaries, want %d", when, boundaries, n)
			}
			boundaries = 0
		}
		s.Start()
		want(1, "after the start")
		post(s, "user.call")
		post(s, "user.b")
		want(2, "after two events")
		s.Do(func() {})
		want(0, "after nothing")
		s.Do(func() { s.Apply(interpreter.JoinEffect{}) })
		want(1, "after a join")
		s.End("")
		want(0, "after the end")
		if _, err := s.Snapshot(); err == nil {
			t.Error("an ended session is written down")
		}
	})
}

// TestFieldsAreCarriedOver: the values of events' fields, as documents see them.
func TestFieldsAreCarriedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<transition event="ccxml.loaded"/><transition event="user.a"><log expr="describe(event$.v)"/></transition>
			<transition event="user.b"><log expr="typeof event$.v"/></transition>`
		const script = `<script>function describe(v) {
			if (v === null || typeof v != 'object') return Object.is(v, -0) ? '-0' : typeof v + ':' + v;
			if (v instanceof Array) return '[' + v.map(describe) + ']';
			return '{' + Object.keys(v).map(function (k) { return k + '=' + describe(v[k]) }) + '}' }</script>`
		pairs := []interpreter.Pair{{Name: "z", Value: "1"}, {Name: "a.b", Value: "2"}, {Name: "", Value: "3"}}
		values := []any{nil, "x", "\u00fc\x00", true, 7, int64(-7), 1.5, 2.0, 1e300, math.NaN(), math.Inf(-1), math.Copysign(0, -1), uint16(3),
			[]any{1, []any{}, nil}, map[string]any{"b": 1.0, "a": map[string]any{"": "x"}}, map[string]any{"": []any{[]any{"a", "b"}}}, pairs,
			[]string{"a", "b"}, map[string]string{"k": "v"}, []any{pairs}}
		var want, got []string
		for _, resumed := range []bool{false, true} {
			s, platform := newSession(t, script+text, nil)
			s.Start()
			synctest.Wait()
			if resumed {
				s.Do(func() {
					for _, v := range values {
						s.Queue(&interpreter.Event{Name: "user.a", Fields: []interpreter.Field{{Name: "v", Value: v}}})
					}
					s.Queue(&interpreter.Event{Name: "user.b", Fields: []interpreter.Field{{Name: "v", Value: func() {}}}})
					snap, err := s.Snapshot()
					if err != nil {
						t.Error(err)
						return
					}
					text, err := json.Marshal(snap)
					if err != nil {
						t.Error(err)
						return
					}
					if err := json.Unmarshal(text, &snap); err != nil {
						t.Errorf("%v\n%s", err, text)
						return
					}
					s.Abandon(s)
					again, platform2 := goOn(t, script+`<transition event="ccxml.loaded"/><transition event="user.a"><log expr="describe(event$.v)"/></transition>
			<transition event="user.b"><log expr="typeof event$.v"/></transition>`, snap, nil)
					again.GoOn()
					s, platform = again, platform2
				})
			} else {
				for _, v := range values {
					s.Post(&interpreter.Event{Name: "user.a", Fields: []interpreter.Field{{Name: "v", Value: v}}})
				}
			}
			synctest.Wait()
			if lines := platform.trace.take(); resumed {
				got = lines
			} else {
				want = lines
			}
			s.End("")
		}
		if len(got) != len(values)+1 || got[len(values)] != "log undefined" {
			t.Fatalf("%d values were carried over of %d: %q", len(got), len(values), got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%#v is carried over as %s and was %s", values[i], got[i], want[i])
			}
		}
	})
}

// TestObjectsOfTheSessionAreCarriedOver: events, connections, dialogs, conferences and the
// session scope itself, in variables, also of what the session has no more.
func TestObjectsOfTheSessionAreCarriedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<var name="kept"/><var name="c"/><var name="d"/><var name="s" expr="session"/><var name="all" expr="session.connections"/>
			<var name="v" expr="session.values"/><var name="old"/><var name="conf"/>
			<transition event="ccxml.loaded"/>
			<transition event="connection.alerting"><assign name="kept" expr="event$"/><assign name="kept.mine" expr="{n: [1]}"/><assign name="c" expr="event$.connection"/>
				<assign name="kept.values" expr="0"/><dialogprepare src="'a'" namelist="v.number" dialogid="d"/><createconference conferenceid="conf" confname="'x'"/></transition>
			<transition event="connection.disconnected"><assign name="old" expr="event$"/></transition>
			<transition event="user.ask"><log expr="[kept.name, kept.eventid, kept.connection === c, c === session.connections[c.id], c.state, kept.mine.n[0], kept.values,
				c.protocol.sip.headers['Call-ID'], c.redirect[0].uri, s === session, all === session.connections, v.number, session.dialogs[d].namelist,
				s.id, session.conferences[conf] ? 1 : 0]"/></transition>
			<transition event="user.gone"><log expr="[c.state, c.id in session.connections, kept.connection.remote, old.connection.id, kept.reason]"/></transition>`
		s, platform := newSession(t, text, func(o *interpreter.Options) { o.Values = map[string]any{"number": "4711"} })
		s.Start(connectionEvent("alerting", "c1", nil))
		ask := func(s *interpreter.Session, platform *fakePlatform, event string) string {
			platform.trace.take()
			post(s, event)
			synctest.Wait()
			return strings.Join(platform.trace.take(), "\n")
		}
		synctest.Wait()
		want := ask(s, platform, "user.ask")
		s, platform = goOn(t, text, leave(t, s), nil)
		s.GoOn()
		if got := ask(s, platform, "user.ask"); got != want || strings.Count(got, "true") != 4 {
			t.Errorf("after it was resumed\n%s\nand before\n%s", got, want)
		}
		s.Post(connectionEvent("disconnected", "c1", nil))
		synctest.Wait()
		want = ask(s, platform, "user.gone")
		s, platform = goOn(t, text, leave(t, s), nil)
		s.GoOn()
		if got := ask(s, platform, "user.gone"); got != want || !strings.HasPrefix(got, "log DISCONNECTED,false,tel:") {
			t.Errorf("after it was resumed\n%s\nand before\n%s", got, want)
		}
		s.End("")
	})
}

// TestTooLargeToBeWrittenDown: what is too large is an error that says so.
func TestTooLargeToBeWrittenDown(t *testing.T) {
	for name, text := range map[string]string{
		"the variables take more than 1024 KiB": `<script>var big = []; for (var i = 0; i &lt; 50; i++) big.push(new Array(30000).join("x" + i % 7))</script><transition event="user.a"/>`,
		"what waits takes more than 1024 KiB":   `<transition event="user.a"/>`,
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newSession(t, text, nil)
			s.Start()
			synctest.Wait()
			s.Do(func() {
				if strings.HasPrefix(name, "what waits") {
					for range 20 {
						s.Queue(&interpreter.Event{Name: "user.b", Fields: []interpreter.Field{{Name: "x", Value: strings.Repeat("x", 100_000)}}})
					}
				}
				if _, err := s.Snapshot(); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
			s.End("")
		})
	}
}

// FuzzResume: whatever is to be resumed, nothing panics.
func FuzzResume(f *testing.F) {
	const text = `<var name="kept"/><transition event="connection.alerting"><assign name="kept" expr="event$"/><send target="'s2'" name="'x'" delay="'5s'"/></transition>`
	_, platform := newSession(f, text, nil)
	o := sessionOptions(f, text, platform)
	f.Add([]byte(`{"version":1,"id":"s1","document":[{"uri":"doc.ccxml"}],"variables":[{},0,{},{"p":["kept",[5]]},0,{"h":{"event":{"name":"a","connection":1}},"p":["x",1]}],"connections":[{"id":"c1","gone":true}],"queue":[{"name":"b","effect":{"connection":{"id":"c1","new":1}},"fields":[{"n":"a","v":{"":[["a","b"]]}}]}],"sends":[{"order":1,"delay":5,"due":"2026-01-01T00:00:00Z","at":{},"request":{"id":"i","target":"s2","event":"x"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var snap interpreter.Snapshot
		if json.Unmarshal(text, &snap) != nil {
			return
		}
		_, _ = interpreter.Resume(o, snap)
	})
}

// TestMailComesAfterResumed: what was posted while a session was made again comes after what
// it has missed and after the event that tells it that it goes on.
func TestMailComesAfterResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `<transition event="user.*"><log expr="event$.name"/></transition>`
		before, _ := newSession(t, text, nil)
		before.Start()
		synctest.Wait()
		s, platform := goOn(t, text, leave(t, before), nil)
		s.Post(&interpreter.Event{Name: "user.mail"})
		s.Do(func() { s.Queue(&interpreter.Event{Name: "user.missed"}) })
		synctest.Wait()
		s.GoOn(&interpreter.Event{Name: "user.resumed"})
		s.Post(&interpreter.Event{Name: "user.later"})
		synctest.Wait()
		wantTrace(t, platform, "log user.missed", "log user.resumed", "log user.mail", "log user.later")
		s.End("over")
		<-s.Done()
	})
}
