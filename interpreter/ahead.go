package interpreter

import (
	"encoding/json"
	"fmt"
	"time"

	"ccxmld/clock"
)

// ahead holds back what a session asks of the platform until the session has been written
// down with it (Options.Commit).
type ahead struct {
	Platform
	session *Session
	all     bool // Options.Ahead; else messages alone

	held      []heldRequest
	written   int // of them, that are in the snapshot under way
	writing   bool
	timer     *clock.Timer
	complaint bool // it was said that the session cannot be written down
}

var _ Platform = (*ahead)(nil)

// heldRequest is a request that is held back.
type heldRequest struct {
	kind requestKind
	body any // nil for one that is not made again by another controller
	id   string
	make func()
}

// The kinds of requests whose outcomes are events of the platform's own.
const (
	acceptRequest            requestKind = "accept"
	rejectRequest            requestKind = "reject"
	redirectRequest          requestKind = "redirect"
	disconnectRequest        requestKind = "disconnect"
	callRequest              requestKind = "call"
	joinRequest              requestKind = "join"
	unjoinRequest            requestKind = "unjoin"
	mergeRequest             requestKind = "merge"
	prepareRequest           requestKind = "prepare"
	startRequest             requestKind = "start"
	terminateRequest         requestKind = "terminate"
	createConferenceRequest  requestKind = "createconference"
	destroyConferenceRequest requestKind = "destroyconference"
)

// mostWritingTime bounds how long a session waits to be written down.
const mostWritingTime = 5 * time.Second

// hold keeps a request, or makes it at once where it need not wait.
func (a *ahead) hold(kind requestKind, id string, body any, request func()) {
	if !a.all && kind != sendRequest { // calls have the platform write when their turn comes
		request()
		return
	}
	a.session.changed = true
	a.held = append(a.held, heldRequest{kind, body, id, request})
}

// busy tells whether the session waits to be written down.
func (a *ahead) busy() bool { return a != nil && a.writing }

// due tells whether the session is to be written down before anything else happens.
func (a *ahead) due() bool { return a != nil && !a.writing && (len(a.held) > 0 || a.all) }

// write has the session written down, and makes what is held back once that is done.
func (a *ahead) write() {
	s := a.session
	snap, err := s.snapshot()
	if err != nil {
		if !a.complaint {
			a.complaint = true
			s.log().Warn("session cannot be written down before its commands go out; it goes on", "error", err)
		}
		a.written = len(a.held)
		a.done()
		return
	}
	a.writing, a.written = true, len(a.held)
	var once *clock.Timer
	once = s.after(mostWritingTime, func() {
		if a.timer == once && a.writing {
			s.log().Warn("session was not written down in time, its commands go out", "after", mostWritingTime)
			a.done()
		}
	})
	a.timer = once
	s.options.Commit(snap, func(err error) {
		s.Do(func() {
			if a.timer != once || !a.writing {
				return // too late
			}
			if err != nil {
				s.log().Warn("session was not written down, its commands go out", "error", err)
			}
			a.done()
		})
	})
}

// done makes what has been written down.
func (a *ahead) done() {
	s := a.session
	a.timer.Stop()
	requests := a.held[:a.written]
	a.held = append([]heldRequest(nil), a.held[a.written:]...)
	a.writing, a.written, a.timer = false, 0, nil
	for _, r := range requests {
		r.make()
	}
	if len(requests) > 0 && s.ending == nil { // nobody need make them again
		s.tellBoundary()
	}
}

// stop drops what is held back.
func (a *ahead) stop() {
	if a != nil {
		a.timer.Stop()
		a.held, a.writing = nil, false
	}
}

// Accept holds the request back, as those that follow do.
func (a *ahead) Accept(r AcceptRequest) {
	a.hold(acceptRequest, r.ConnectionID, r, func() { a.Platform.Accept(r) })
}

func (a *ahead) Reject(r RejectRequest) {
	a.hold(rejectRequest, r.ConnectionID, r, func() { a.Platform.Reject(r) })
}

func (a *ahead) Redirect(r RedirectRequest) {
	a.hold(redirectRequest, r.ConnectionID, r, func() { a.Platform.Redirect(r) })
}

func (a *ahead) Disconnect(r DisconnectRequest) {
	a.hold(disconnectRequest, r.ConnectionID, r, func() { a.Platform.Disconnect(r) })
}

func (a *ahead) CreateCall(r CallRequest) {
	a.hold(callRequest, r.ConnectionID, r, func() { a.Platform.CreateCall(r) })
}

func (a *ahead) Join(r JoinRequest) {
	a.hold(joinRequest, r.ID1, r, func() { a.Platform.Join(r) })
}

func (a *ahead) Unjoin(r UnjoinRequest) {
	a.hold(unjoinRequest, r.ID1, r, func() { a.Platform.Unjoin(r) })
}

func (a *ahead) Merge(r MergeRequest) {
	a.hold(mergeRequest, r.ConnectionID1, r, func() { a.Platform.Merge(r) })
}

func (a *ahead) PrepareDialog(r DialogRequest) {
	a.hold(prepareRequest, r.DialogID, r, func() { a.Platform.PrepareDialog(r) })
}

func (a *ahead) StartDialog(r DialogRequest) {
	a.hold(startRequest, r.DialogID, r, func() { a.Platform.StartDialog(r) })
}

func (a *ahead) TerminateDialog(r TerminateRequest) {
	a.hold(terminateRequest, r.DialogID, r, func() { a.Platform.TerminateDialog(r) })
}

func (a *ahead) CreateConference(r ConferenceRequest) {
	a.hold(createConferenceRequest, r.ConferenceID, r, func() { a.Platform.CreateConference(r) })
}

func (a *ahead) DestroyConference(r DestroyRequest) {
	a.hold(destroyConferenceRequest, r.ConferenceID, r, func() { a.Platform.DestroyConference(r) })
}

func (a *ahead) Send(r SendRequest, done func(SendResult)) {
	a.hold(sendRequest, r.SendID, nil, func() { a.Platform.Send(r, done) })
}

func (a *ahead) CreateSession(r CreateRequest, done func(error)) {
	a.hold(createRequest, r.SessionID, nil, func() { a.Platform.CreateSession(r, done) })
}

func (a *ahead) Move(r MoveRequest, done func(error)) {
	a.hold(moveRequest, r.Connection.ID, nil, func() { a.Platform.Move(r, done) })
}

// Fetch holds back what may be more than a look at a server.
func (a *ahead) Fetch(r FetchRequest, done func(FetchResult)) {
	a.hold(fetchRequest, "", nil, func() { a.Platform.Fetch(r, done) })
}

// heldData is a request that was held back when the session was written down: it may have
// been made since, or not.
type heldData struct {
	Kind    requestKind     `json:"kind"`
	Request json.RawMessage `json:"request"`
}

// data is what another controller makes again, or tells the document that it does not.
func (a *ahead) data() (list []heldData, err error) {
	if a == nil {
		return nil, nil
	}
	for _, r := range a.held {
		if r.body == nil {
			continue // it is among the requests that wait for an answer
		}
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("a request of the kind %s cannot be written down: %w", r.kind, err)
		}
		list = append(list, heldData{r.kind, text})
	}
	return list, nil
}

// MarshalJSON writes hints so that numbers stay what they are.
func (h Hints) MarshalJSON() ([]byte, error) {
	if h == nil {
		return []byte("null"), nil
	}
	data, err := fieldJSON(map[string]any(h), 0)
	if err != nil {
		return nil, err
	}
	return json.Marshal(data)
}

// UnmarshalJSON reads them.
func (h *Hints) UnmarshalJSON(text []byte) error {
	var d fieldData
	if err := d.UnmarshalJSON(text); err != nil {
		return err
	}
	values, ok := d.value.(map[string]any)
	if !ok && d.value != nil {
		return fmt.Errorf("hints are a %T", d.value)
	}
	*h = values
	return nil
}
