package interpreter_test

import (
	"encoding/json"
	"sync"
	"testing"

	"ccxmld/interpreter"
)

// resumedPlatform is a fakePlatform whose answers go to the session that there is by then.
type resumedPlatform struct {
	*fakePlatform
	scenario *scenario
}

func (p *resumedPlatform) Send(r interpreter.SendRequest, _ func(interpreter.SendResult)) {
	p.fakePlatform.Send(r, func(result interpreter.SendResult) { p.scenario.current().Answer("send", r.SendID, result) })
}

func (p *resumedPlatform) CreateSession(r interpreter.CreateRequest, _ func(error)) {
	p.fakePlatform.CreateSession(r, func(err error) { p.scenario.current().Answer("create", r.SessionID, err) })
}

func (p *resumedPlatform) Move(r interpreter.MoveRequest, _ func(error)) {
	p.fakePlatform.Move(r, func(err error) { p.scenario.current().Answer("move", r.Connection.ID, err) })
}

// Fetch has no id to answer by: the oldest one is answered first.
func (p *resumedPlatform) Fetch(r interpreter.FetchRequest, _ func(interpreter.FetchResult)) {
	p.fakePlatform.Fetch(r, func(result interpreter.FetchResult) {
		p.scenario.current().AnswerFetch(result)
	})
}

// resumption has a scenario's session resumed at each boundary.
type resumption struct {
	mu      sync.Mutex
	session *interpreter.Session
	resumed int
	fresh   bool  // since it was resumed there was no boundary
	events  int64 // handled until then
}

// current is the session that there is by now.
func (s *scenario) current() *interpreter.Session {
	s.resumption.mu.Lock()
	defer s.resumption.mu.Unlock()
	return s.resumption.session
}

// resume puts a session that is made of a snapshot in the place of the one that there is.
func (s *scenario) resume() {
	old := s.current()
	events := s.trace.handled.Load()
	if s.resumption.fresh && events == s.resumption.events { // GoOn alone changes nothing
		s.resumption.fresh = false
		return
	}
	s.resumption.fresh, s.resumption.events = true, events
	snap, err := old.Snapshot()
	if err != nil {
		s.t.Errorf("no snapshot: %v", err)
		return
	}
	text, err := json.Marshal(snap)
	if err != nil {
		s.t.Error(err)
		return
	}
	var read interpreter.Snapshot
	if err := json.Unmarshal(text, &read); err != nil {
		s.t.Errorf("%v in\n%s", err, text)
		return
	}
	o := s.options
	if o.Document, err = s.compiled(read.Document[0].URI); err != nil {
		s.t.Error(err)
		return
	}
	o.Recompile = func(texts []interpreter.Text, script bool) (result interpreter.FetchResult, err error) {
		result.URI = texts[0].URI
		if script {
			result.Script, err = s.compiler.CompileScript(s.files[texts[0].URI], texts[0].URI)
		} else {
			result.Document, err = s.compiled(texts[0].URI)
		}
		return result, err
	}
	session, err := interpreter.Resume(o, read)
	if err != nil {
		s.t.Errorf("%v\n%s", err, text)
		return
	}
	session.KeepRequests()
	s.resumption.mu.Lock()
	s.resumption.session = session
	s.resumption.resumed++
	s.resumption.mu.Unlock()
	old.Abandon(session)
	session.GoOn()
}

// compiled compiles a document of the scenario's files anew, as another controller does.
func (s *scenario) compiled(uri string) (*interpreter.Document, error) {
	root, err := parse(s.files[nameOf(uri)])
	if err != nil {
		return nil, err
	}
	return s.compiler.Compile(root, uri, s.quietly)
}

// TestScenariosResumed runs the scenarios with a session that is written down at each
// boundary, and made again of that: it does the same.
func TestScenariosResumed(t *testing.T) {
	resumed := 0
	eachScenario(t, func(t *testing.T, body string) {
		s := runScenario(t, body, true)
		resumed += s.resumption.resumed
	})
	if resumed < 500 {
		t.Errorf("sessions were resumed %d times only", resumed)
	}
}
