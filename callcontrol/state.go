package callcontrol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ccxmld/clock"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// Durability says how a session's state is kept for when its controller is gone.
type Durability string

// Off keeps no state. Behind writes it a moment after the boundary between two transitions,
// so that Redis is not on the path of an event; but calls and messages go out once it is
// written. Ahead writes it at each boundary before what was asked for goes out.
const (
	Off    Durability = "off"
	Behind Durability = "behind"
	Ahead  Durability = "ahead"
)

// StateVersion is the version of what is written. A controller does not read what a newer
// one has written.
const StateVersion = 1

// sessionState is a session at a boundary, as it is written to Redis: for the document, in
// FreeSWITCH, and what counts it.
type sessionState struct {
	Version int                  `json:"version"`
	Session interpreter.Snapshot `json:"session"`
	Calls   sessionData          `json:"calls"`
	Dialogs []dialogData         `json:"dialogs,omitempty"`
	Rooms   roomsData            `json:"rooms,omitzero"`
	Call    bool                 `json:"call,omitempty"` // an incoming call began it
	Tree    string               `json:"tree,omitempty"`
	Creator string               `json:"creator,omitempty"` // the session that it counts for
	Ends    *time.Time           `json:"ends,omitempty"`    // when it has lived for too long
}

// newState gives the session's state, which is in the document as a snapshot has it. It is
// called in the session's goroutine, between two transitions.
func (c *control) newState(snap interpreter.Snapshot) (s sessionState) {
	s = sessionState{Session: snap,
		Version: StateVersion, Calls: c.export(), Dialogs: c.dialogsData(), Rooms: c.rooms(),
		Call: c.by.call, Tree: c.by.tree, Creator: c.by.parent,
	}
	if !c.ends.IsZero() {
		ends := c.ends.UTC()
		s.Ends = &ends
	}
	return s
}

// readState reads what newState gave.
func readState(id string, data []byte) (s sessionState, err error) {
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("the state of session %s is damaged: %w", id, err)
	}
	if s.Version < 1 || s.Version > StateVersion {
		return s, fmt.Errorf("session %s was written in version %d; this controller reads up to version %d, so a newer one has to take it", id, s.Version, StateVersion)
	}
	return s, s.Calls.check()
}

// IsDurable tells whether states are kept, so that sessions can be left to other controllers.
func (c *Controller) IsDurable() bool {
	return c.options.Durability != "" && c.options.Durability != Off
}

// writeAfter is how long after a boundary a state is made, which is written by the store a
// moment later. What happens meanwhile is in it.
func (c *Controller) writeAfter() time.Duration { return c.options.Store.WriteEvery() / 2 }

// changed has the session's state written. It is called at each boundary.
func (c *control) changed() {
	if c.writes || !c.controller.IsDurable() {
		return
	}
	c.writes = true
	c.writing = c.after(c.controller.writeAfter(), func() {
		c.writes = false
		c.writeState()
	})
}

// writeState gives the state to the store.
func (c *control) writeState() {
	data, texts, ok := c.encodedState()
	if ok {
		c.controller.options.Store.SaveState(c.record.ID, c.epoch, data, texts)
	}
}

// encodedState gives the state as it is written, and the hashes of texts that it names.
func (c *control) encodedState() (data []byte, texts []string, ok bool) {
	snap, err := c.session.Snapshot()
	if err == nil {
		return c.encode(snap)
	}
	c.notWritten(err)
	return nil, nil, false
}

func (c *control) encode(snap interpreter.Snapshot) (data []byte, texts []string, ok bool) {
	s := c.newState(snap)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // addresses are full of it
	if err := encoder.Encode(s); err != nil {
		c.notWritten(err)
		return nil, nil, false
	}
	c.unwritten.Over()
	c.controller.keepTexts(c.document.Load())
	return text.Bytes(), s.texts(), true
}

// notWritten says that the state cannot be written. The one that Redis has would have the
// session go on from long ago.
func (c *control) notWritten(err error) {
	if errors.Is(err, interpreter.ErrNoBoundary) {
		return
	}
	c.controller.options.Store.SaveState(c.record.ID, c.epoch, nil, nil)
	if again, about := c.unwritten.Found(); again {
		c.log().Error("the session's state cannot be kept: it ends with this controller", append([]any{"error", err}, about...)...)
	}
}

// texts are the hashes of the texts that the session needs again.
func (s *sessionState) texts() (hashes []string) {
	lists := [][]interpreter.Text{s.Session.Document}
	for i := range s.Session.Fetches {
		lists = append(lists, s.Session.Fetches[i].Document, s.Session.Fetches[i].Script)
	}
	for _, list := range lists {
		for _, text := range list {
			if text.Hash != "" && !slices.Contains(hashes, text.Hash) {
				hashes = append(hashes, text.Hash)
			}
		}
	}
	return hashes
}

// keepTexts gives the store what a document is compiled of.
func (c *Controller) keepTexts(d *interpreter.Document) {
	if len(d.Sources) == 0 || !c.IsDurable() {
		return
	}
	for i, text := range d.Texts() {
		c.options.Store.PutText(text.Hash, d.Sources[i])
	}
}

// keepFetched gives the store what <fetch> has brought.
func (c *Controller) keepFetched(r interpreter.FetchResult) {
	if r.Document != nil {
		c.keepTexts(r.Document)
	}
	if r.Script != nil && c.IsDurable() {
		c.options.Store.PutText(r.Script.Text().Hash, r.Script.Source)
	}
}

// whenWritten has the state of the session in Redis before f acts on the leg, so that whoever
// takes the session over knows of that. Without Redis, and when that is slow, f acts all the
// same. It runs in the goroutine of the session that has the leg by then.
func (l *leg) whenWritten(f func()) {
	c, store := l.control, l.control.controller.options.Store
	if !c.controller.IsDurable() || !store.Healthy() {
		f()
		return
	}
	c.session.Do(func() { // between two transitions
		data, texts, ok := c.encodedState()
		c.writeNow(data, texts, ok, func() { l.route.do(f) })
	})
}

// commit writes a snapshot before what is in it goes out (interpreter.Options).
func (c *control) commit(snap interpreter.Snapshot, done func(error)) {
	if !c.controller.options.Store.Healthy() {
		c.session.Do(func() { done(nil) })
		return
	}
	data, texts, ok := c.encode(snap)
	c.writeNow(data, texts, ok, func() { done(nil) })
}

// writeNow has a state in Redis, if there is one, before then is called in another
// goroutine; not if another controller has the session, which is dropped here.
func (c *control) writeNow(data []byte, texts []string, ok bool, then func()) {
	write := func(ctx context.Context) {
		ctx, cancel := clock.WithTimeout(ctx, c.controller.options.Clock, publishTimeout)
		defer cancel()
		err := c.controller.options.Store.SaveStateNow(ctx, c.record.ID, c.epoch, data, texts)
		if err != nil && !errors.Is(err, sessionstore.ErrStateTooLarge) { // which the store has said
			c.log().Warn("the session's state was not in redis before it acted", "error", err)
		}
		if !errors.Is(err, sessionstore.ErrLost) {
			then()
		}
	}
	if !ok || !c.controller.background(write) {
		c.session.Do(then)
	}
}

// goesOn tells what becomes of a request that was written before it went out, if it did
// (interpreter.Options).
func (c *control) goesOn(request any, usual interpreter.Again) interpreter.Again {
	has := false
	switch r := request.(type) {
	case interpreter.CallRequest:
		has = c.legs[r.ConnectionID] != nil
	case interpreter.AcceptRequest:
		l := c.legs[r.ConnectionID]
		has = l != nil && !l.state.Is(legAlerting)
	case interpreter.DialogRequest:
		_, starting := c.starting[r.DialogID]
		has = starting || c.prepared[r.DialogID] != nil || c.dialogs[r.DialogID] != nil
	}
	if has {
		return interpreter.GoesOn
	}
	return usual
}
