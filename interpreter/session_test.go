package interpreter_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/interpreter"
	"ccxmld/script"
)

// newSession makes a session of a document on a fake platform. change may alter
// its options.
func newSession(t testing.TB, text string, change func(*interpreter.Options)) (*interpreter.Session, *fakePlatform) {
	t.Helper()
	platform := &fakePlatform{trace: &trace{}}
	o := sessionOptions(t, text, platform)
	if change != nil {
		change(&o)
	}
	return interpreter.NewSession(o), platform
}

// sessionOptions are those of a session of a document on a fake platform.
func sessionOptions(t testing.TB, text string, platform *fakePlatform) interpreter.Options {
	t.Helper()
	var ids atomic.Int64
	return interpreter.Options{
		ID:       "s1",
		Document: compile(t, interpreter.NewCompiler(), "doc.ccxml", document(text), nil),
		Platform: platform,
		Clock:    clocktest.Real(),
		NewID:    func() string { return fmt.Sprint("id", ids.Add(1)) },
		Logger:   slog.New(slog.DiscardHandler),
		Observer: platform.trace,
		Ended:    platform.trace.ended,
	}
}

func post(s *interpreter.Session, name string) bool {
	return s.Post(&interpreter.Event{Name: name, Source: "outside", SourceType: "test"})
}

func wantTrace(t *testing.T, platform *fakePlatform, want ...string) {
	t.Helper()
	if got := strings.Join(platform.trace.take(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the session did\n%s\nwant\n%s", indent(got), indent(strings.Join(want, "\n")))
	}
}

// TestOrder: ccxml.loaded, what Start got, what was posted before Start, and
// what was posted since.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, platform := newSession(t, `<transition event="*"><log expr="event$.name + ' ' + event$.eventid"/></transition>`, nil)
		post(s, "user.early")
		synctest.Wait()
		wantTrace(t, platform)
		s.Start(&interpreter.Event{Name: "connection.alerting"})
		s.Do(func() { s.Queue(&interpreter.Event{Name: "user.do", ID: "mine"}) })
		post(s, "user.late")
		synctest.Wait()
		wantTrace(t, platform, "log ccxml.loaded s1.3", "log connection.alerting s1.2", "log user.early s1.1",
			"log user.do mine", "log user.late s1.5")
		s.End("")
	})
}

// TestIdle: a session that waits has no goroutine; the bubble would not end
// if it had.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSession(t, `<transition event="user.a"/>`, nil)
		s.Start()
		post(s, "user.a")
		synctest.Wait()
	})
}

// TestEndedSessionTakesNothing: after the end, Post and Do say so.
func TestEndedSessionTakesNothing(t *testing.T) {
	s, platform := newSession(t, `<transition event="user.a"><exit/></transition>`, nil)
	s.Start()
	post(s, "user.a")
	<-s.Done()
	wantTrace(t, platform, "ended")
	if post(s, "user.b") {
		t.Error("an ended session takes an event")
	}
	if s.Do(func() { t.Error("an ended session runs something") }) {
		t.Error("an ended session promises to run something")
	}
	s.End("again")
	if err := s.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPromisesAreKept: what Do took is run, even when the session ends first.
func TestPromisesAreKept(t *testing.T) {
	s, platform := newSession(t, `<transition event="ccxml.loaded"><createcall dest="'tel:1'"/></transition>`, nil)
	inside, proceed := make(chan struct{}), make(chan struct{})
	platform.before = func(request string) {
		if request == "createcall" {
			close(inside)
			<-proceed
		}
	}
	s.Start()
	<-inside
	ran := make(chan string, 3)
	s.Do(func() { ran <- "before the end" })
	s.End("enough")
	s.Do(func() { ran <- "after the end" })
	platform.before = func(request string) {
		if request == "release" {
			s.Do(func() { ran <- "too late" })
		}
	}
	close(proceed)
	<-s.Done()
	close(ran)
	var got []string
	for what := range ran {
		got = append(got, what)
	}
	if strings.Join(got, ", ") != "before the end, after the end" {
		t.Errorf("ran %q", got)
	}
}

// TestEndBeforeStart: a session that never ran releases what it may have.
func TestEndBeforeStart(t *testing.T) {
	s, platform := newSession(t, `<transition event="*"><log expr="'never'"/></transition>`, nil)
	s.End("not wanted")
	<-s.Done()
	s.Start()
	wantTrace(t, platform, "ended: not wanted")
	if !platform.released {
		t.Error("the platform was not released")
	}
}

// TestEndInterruptsALoop: a session that sends to itself without end can be
// ended, and its queue does not grow.
func TestEndInterruptsALoop(t *testing.T) {
	turns := make(chan struct{}, 1)
	s, _ := newSession(t, `
		<transition event="ccxml.loaded"><send target="session.id" name="'user.loop'"/></transition>
		<transition event="user.loop"><send target="session.id" name="'user.loop'"/></transition>`,
		func(o *interpreter.Options) { o.Limits.Queue = 10; o.Observer = turnCounter(turns) })
	s.Start()
	for range 500 {
		<-turns
	}
	s.End("enough")
	<-s.Done()
}

// turnCounter tells of each event that was handled, without waiting.
type turnCounter chan struct{}

func (c turnCounter) EventHandled(string, *interpreter.Event, *script.Position) {
	select {
	case c <- struct{}{}:
	default:
	}
}
func (turnCounter) Logged(string, string, string) {}
func (turnCounter) StateChanged(string, string)   {}

func (turnCounter) SessionEnded(string, string, interpreter.Ending) {}

// TestPanics: a mistake in the platform ends the session that met it, which
// still releases what it has and says so.
func TestPanics(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"createcall", []string{"ended: internal error: createcall"}},
		{"release", []string{"createcall id1 tel:1", "ended: killed: enough"}},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			s, platform := newSession(t, `<transition event="ccxml.loaded"><createcall dest="'tel:1'"/></transition>`, nil)
			platform.before = func(request string) {
				if request == test.in {
					panic(request)
				}
			}
			s.Start()
			s.Do(func() {
				s.Queue(&interpreter.Event{Name: "ccxml.kill", Fields: []interpreter.Field{{Name: "reason", Value: "enough"}}})
			})
			<-s.Done()
			wantTrace(t, platform, test.want...)
			if !platform.released {
				t.Error("the platform was not released")
			}
		})
	}
}

// TestFlood: a session that is sent more than it may leave waiting ends, whether
// it is busy or not.
func TestFlood(t *testing.T) {
	limit := func(o *interpreter.Options) { o.Limits.Queue = 100 }
	// busy gives a session that is in the midst of an element until proceed is closed.
	busy := func(t *testing.T) (s *interpreter.Session, platform *fakePlatform, proceed chan struct{}) {
		s, platform = newSession(t, `<transition event="ccxml.loaded"><createcall dest="'tel:1'"/></transition>`, limit)
		inside, proceed := make(chan struct{}), make(chan struct{})
		platform.before = func(request string) {
			if request == "createcall" {
				close(inside)
				<-proceed
			}
		}
		s.Start()
		<-inside
		return s, platform, proceed
	}
	t.Run("busy", func(t *testing.T) {
		s, platform, proceed := busy(t)
		taken := 0
		for post(s, "user.a") {
			taken++
		}
		if taken != 200 {
			t.Errorf("%d events were taken while the session was busy; want 200", taken)
		}
		close(proceed)
		<-s.Done()
		wantTrace(t, platform, "createcall id1 tel:1", "ended: more than 100 events were waiting")
	})
	t.Run("answers", func(t *testing.T) {
		s, platform, proceed := busy(t)
		taken, ran := 0, 0
		for taken < 20_000 && s.Do(func() { ran++ }) {
			taken++
		}
		if taken != 10_200 || post(s, "user.a") {
			t.Errorf("%d answers were taken while the session was busy; want 10200, and no event then", taken)
		}
		close(proceed)
		<-s.Done()
		if ran != taken {
			t.Errorf("%d of %d answers were heard", ran, taken)
		}
		wantTrace(t, platform, "createcall id1 tel:1", "ended: more than 10200 events, answers and timers were waiting while it was busy")
	})
	t.Run("by itself", func(t *testing.T) {
		s, platform := newSession(t, `<transition event="*">
			<send target="session.id" name="'user.a'"/><send target="session.id" name="'user.b'"/></transition>`, limit)
		s.Start()
		<-s.Done()
		wantTrace(t, platform, "ended: more than 100 events were waiting")
	})
}

// TestEndlessScripts: a script that does not stop is stopped, in the document's
// beginning and in a transition.
func TestEndlessScripts(t *testing.T) {
	limit := func(o *interpreter.Options) { // the time alone, however fast the machine counts steps
		o.Limits.Script = script.Limits{Time: 50 * time.Millisecond, Steps: 1 << 60, StepsPerMinute: 1 << 60, StepsInAll: 1 << 60}
	}
	t.Run("initialisation", func(t *testing.T) {
		s, platform := newSession(t, `<script>while (true);</script><transition event="*"/>`, limit)
		s.Start()
		<-s.Done()
		wantTrace(t, platform, "ended: doc.ccxml:1: <script>: the script ran longer than 50ms and was stopped")
	})
	t.Run("transition", func(t *testing.T) {
		s, platform := newSession(t, `<script>function forever() { while (true); }</script>
			<transition event="ccxml.loaded"><log expr="forever()"/></transition>
			<transition event="error.semantic"><exit expr="event$.reason"/></transition>`, limit)
		s.Start()
		<-s.Done()
		wantTrace(t, platform, "ended value=doc.ccxml:2: <log>: doc.ccxml:1: the script ran longer than 50ms and was stopped")
	})
}

// TestConcurrentUse: everything that may be called from anywhere, at once.
func TestConcurrentUse(t *testing.T) {
	s, _ := newSession(t, `<transition event="*"><log expr="event$.name"/></transition>`, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				post(s, "user.a")
				s.Do(func() { s.Queue(&interpreter.Event{Name: "user.b"}) })
			}
		})
	}
	s.Start()
	wg.Wait()
	wg.Go(func() { s.End("one") })
	wg.Go(func() { s.End("other") })
	wg.Wait()
	<-s.Done()
}

// atOncePlatform answers fetches at once.
type atOncePlatform struct {
	*fakePlatform
	documents map[string]*interpreter.Document
}

func (p *atOncePlatform) Fetch(r interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	done(interpreter.FetchResult{URI: r.URI, Status: 200, Document: p.documents[r.URI]})
}

// TestGotoLoop: two documents that hand a session to each other for ever may do
// so; it can be ended, and keeps no more than the last documents.
func TestGotoLoop(t *testing.T) {
	page := func(next string) string {
		return document(`<var name="x" expr="'` + next + `'"/>
			<transition event="ccxml.loaded"><fetch next="x"/></transition>
			<transition event="fetch.done"><goto fetchid="event$.fetchid"/></transition>`)
	}
	compiler := interpreter.NewCompiler()
	turns := make(chan struct{})
	var s *interpreter.Session
	s, _ = newSession(t, `<transition event="*"/>`, func(o *interpreter.Options) {
		platform := &atOncePlatform{o.Platform.(*fakePlatform), map[string]*interpreter.Document{
			"a": compile(t, compiler, "a", page("b"), nil), "b": compile(t, compiler, "b", page("a"), nil),
		}}
		o.Document, o.Platform, o.Observer = platform.documents["a"], platform, turnstile(turns)
	})
	s.Start()
	for range 1000 {
		<-turns
	}
	before := liveHeap()
	// What a turn leaves behind would be some 500 bytes at least.
	const many = 10_000
	for range many {
		<-turns
	}
	if after := liveHeap(); after > before+many*300 {
		t.Errorf("the session grew by %d bytes", after-before)
	}
	s.End("enough")
	for {
		select {
		case <-turns:
		case <-s.Done():
			return
		}
	}
}

// turnstile holds the session after each event until somebody lets it go on, so
// that its garbage does not count when memory is measured.
type turnstile chan struct{}

func (c turnstile) EventHandled(string, *interpreter.Event, *script.Position) { c <- struct{}{} }
func (turnstile) Logged(string, string, string)                               {}
func (turnstile) StateChanged(string, string)                                 {}

func (turnstile) SessionEnded(string, string, interpreter.Ending) {}

// TestObserver: it hears of each event and of the transition that it selected.
func TestObserver(t *testing.T) {
	heard := make(hearing, 10)
	s, _ := newSession(t, "<transition event=\"user.a\"/>\n<transition event=\"user.b\"><exit/></transition>",
		func(o *interpreter.Options) { o.Observer = heard })
	s.Start()
	post(s, "user.a")
	post(s, "user.b")
	<-s.Done()
	close(heard)
	var got []string
	for line := range heard {
		got = append(got, line)
	}
	want := "s1 ccxml.loaded -, s1 user.a doc.ccxml:1, s1 user.b doc.ccxml:2"
	if strings.Join(got, ", ") != want {
		t.Errorf("heard %q, want %q", strings.Join(got, ", "), want)
	}
}

type hearing chan string

func (h hearing) EventHandled(session string, e *interpreter.Event, at *script.Position) {
	where := "-"
	if at != nil {
		where = at.String()
	}
	h <- session + " " + e.Name + " " + where
}
func (hearing) Logged(string, string, string) {}
func (hearing) StateChanged(string, string)   {}

func (hearing) SessionEnded(string, string, interpreter.Ending) {}

// TestDottedNamesAreOwnProperties: a dotted name makes objects of the event, and
// reaches nothing that they inherit.
func TestDottedNamesAreOwnProperties(t *testing.T) {
	s, platform := newSession(t, `<transition event="hostile">
		<exit expr="[({}).vip, ({}).polluted, typeof event$.a.constructor.prototype, event$.a.constructor.prototype.vip, event$.__proto__.polluted].join()"/>
	</transition>`, nil)
	s.Start()
	event := interpreter.MessageEvent("1", "s", "hostile", []interpreter.Pair{
		{Name: "a.constructor.prototype.vip", Value: "1"}, {Name: "__proto__.polluted", Value: "1"},
	})
	s.Post(event)
	<-s.Done()
	wantTrace(t, platform, "ended value=,,object,1,1")
}
