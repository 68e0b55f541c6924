package interpreter

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Again is what becomes of a request when the session goes on that may have made it.
type Again int

// It fails, is made, or goes on, since it was made and the platform has it.
const (
	FailAgain Again = iota
	MakeAgain
	GoesOn
)

// unsafe are requests that would not come to the same if they had been made before.
var unsafe = []requestKind{callRequest, redirectRequest, mergeRequest}

// makeAgain makes what was held back when the session was written down, or ends it in its
// error event.
func (s *Session) makeAgain(d heldData) error {
	switch d.Kind {
	case acceptRequest:
		return makeOne(s, d, s.platform.Accept, func(r AcceptRequest) {
			s.enqueue(s.connectionEvent("connection.accept.failed", r.ConnectionID, ""))
		})
	case rejectRequest:
		return makeOne(s, d, s.platform.Reject, func(RejectRequest) {})
	case redirectRequest:
		return makeOne(s, d, s.platform.Redirect, func(r RedirectRequest) {
			s.enqueue(s.connectionEvent("connection.redirect.failed", r.ConnectionID, ""))
		})
	case disconnectRequest:
		return makeOne(s, d, s.platform.Disconnect, func(DisconnectRequest) {})
	case callRequest:
		return makeOne(s, d, s.platform.CreateCall, func(r CallRequest) {
			s.enqueue(s.connectionEvent("connection.failed", r.ConnectionID, Failed))
		})
	case joinRequest:
		return makeOne(s, d, s.platform.Join, func(r JoinRequest) { s.joinFails("error.conference.join", r.ID1, r.ID2) })
	case unjoinRequest:
		return makeOne(s, d, s.platform.Unjoin, func(r UnjoinRequest) { s.joinFails("error.conference.unjoin", r.ID1, r.ID2) })
	case mergeRequest:
		return makeOne(s, d, s.platform.Merge, func(r MergeRequest) {
			s.enqueue(&Event{Name: "connection.merge.failed", Source: r.ConnectionID1, SourceType: "connection", Fields: []Field{
				{"connectionid1", r.ConnectionID1}, {"connectionid2", r.ConnectionID2}, {"reason", errController.Error()}}})
		})
	case prepareRequest:
		return makeOne(s, d, s.platform.PrepareDialog, func(r DialogRequest) {
			s.queueDialogError("error.dialog.notprepared", &r, errController.Error(), DialogEffect{r.DialogID, DialogNotPrepared})
		})
	case startRequest:
		return makeOne(s, d, s.platform.StartDialog, func(r DialogRequest) {
			s.queueDialogError("error.dialog.notstarted", &r, errController.Error(), DialogEffect{r.DialogID, DialogEnded})
		})
	case terminateRequest:
		return makeOne(s, d, s.platform.TerminateDialog, func(TerminateRequest) {})
	case createConferenceRequest:
		return makeOne(s, d, s.platform.CreateConference, func(r ConferenceRequest) { s.conferenceFails("error.conference.create", r.ConferenceID) })
	case destroyConferenceRequest:
		return makeOne(s, d, s.platform.DestroyConference, func(r DestroyRequest) { s.conferenceFails("error.conference.destroy", r.ConferenceID) })
	}
	return fmt.Errorf("a request of the kind %.40q is not known", d.Kind)
}

// makeOne makes one request, if it may be made again.
func makeOne[T any](s *Session, d heldData, request func(T), failed func(T)) error {
	var r T
	if err := json.Unmarshal(d.Request, &r); err != nil {
		return fmt.Errorf("a request of the kind %s cannot be read: %w", d.Kind, err)
	}
	what := MakeAgain
	if slices.Contains(unsafe, d.Kind) {
		what = FailAgain
	}
	if s.options.Again != nil {
		what = s.options.Again(r, what)
	}
	switch what {
	case MakeAgain:
		request(r)
	case FailAgain:
		failed(r)
	}
	return nil
}

func (s *Session) connectionEvent(name, id string, state ConnectionState) *Event {
	return &Event{
		Name: name, Source: id, SourceType: "connection",
		Fields: []Field{{"connectionid", id}, {"reason", errController.Error()}}, Effect: ConnectionEffect{ConnectionID: id, State: state},
	}
}

func (s *Session) joinFails(name, id1, id2 string) {
	s.enqueue(&Event{Name: name, Source: s.ID(), SourceType: "ccxml", Fields: []Field{{"id1", id1}, {"id2", id2}, {"reason", errController.Error()}}})
}

func (s *Session) conferenceFails(name, id string) {
	s.enqueue(&Event{Name: name, Source: id, SourceType: "conference", Fields: []Field{{"conferenceid", id}, {"reason", errController.Error()}}})
}

// endingData is the end of a session that what is held back is still to be done for.
type endingData struct {
	Reason string    `json:"reason,omitempty"`
	Value  fieldData `json:"value,omitzero"`
	Values fieldData `json:"values,omitzero"`
}

func (w *snapshotWriter) ending(e *Ending) *endingData {
	if e == nil {
		return nil
	}
	d := &endingData{Reason: e.Reason, Value: w.field("the value of <exit>", e.Value)}
	if e.Values != nil {
		d.Values = w.field("the values of <exit>", e.Values)
	}
	return d
}

func (d *endingData) ending() Ending {
	e := Ending{Reason: d.Reason, Value: d.Value.value}
	e.Values, _ = d.Values.value.(map[string]any)
	return e
}
