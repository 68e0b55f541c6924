package interpreter

import (
	"errors"
	"fmt"

	"ccxmld/script"
)

// eventData is an event. Connection, Dialog and Conference are places in the snapshot's
// lists, and one; 0 for none.
type eventData struct {
	Name       string       `json:"name"`
	ID         string       `json:"id,omitempty"`
	Source     string       `json:"source,omitempty"`
	SourceType string       `json:"type,omitempty"`
	Fields     []namedField `json:"fields,omitempty"`
	Effect     *effectData  `json:"effect,omitempty"`
	Connection int          `json:"connection,omitempty"`
	Dialog     int          `json:"dialog,omitempty"`
	Conference int          `json:"conference,omitempty"`
}

// namedField is a Field.
type namedField struct {
	Name  string    `json:"n"`
	Value fieldData `json:"v,omitzero"`
}

// effectData is an Effect: the one member that is set.
type effectData struct {
	Connection *connectionEffectData `json:"connection,omitempty"`
	Dialog     *DialogEffect         `json:"dialog,omitempty"`
	Conference *ConferenceEffect     `json:"conference,omitempty"`
	Join       *JoinEffect           `json:"join,omitempty"`
	Unjoin     *UnjoinEffect         `json:"unjoin,omitempty"`
}

// connectionEffectData is a ConnectionEffect. New is a place in the snapshot's
// connections, and one.
type connectionEffectData struct {
	ID    string          `json:"id"`
	State ConnectionState `json:"state,omitempty"`
	New   int             `json:"new,omitempty"`
}

func (w *snapshotWriter) event(e *Event) eventData {
	d := eventData{
		Name: e.Name, ID: e.ID, Source: e.Source, SourceType: e.SourceType, Effect: w.effect(e),
		Connection: find(&w.connections, e.connection, nil), Dialog: find(&w.dialogs, e.dialog, nil),
		Conference: find(&w.conferences, e.conference, nil),
	}
	for _, field := range e.Fields {
		d.Fields = append(d.Fields, namedField{field.Name, w.field("the field "+field.Name+" of "+e.Name, field.Value)})
	}
	return d
}

func (w *snapshotWriter) lose(path, why string) {
	w.lost = append(w.lost, script.Lost{Path: path, Why: why})
}

func (w *snapshotWriter) effect(e *Event) *effectData {
	switch effect := e.Effect.(type) {
	case nil:
		return nil
	case ConnectionEffect:
		return &effectData{Connection: &connectionEffectData{effect.ConnectionID, effect.State, find(&w.connections, effect.New, nil)}}
	case DialogEffect:
		return &effectData{Dialog: &effect}
	case ConferenceEffect:
		return &effectData{Conference: &effect}
	case JoinEffect:
		return &effectData{Join: &effect}
	case UnjoinEffect:
		return &effectData{Unjoin: &effect}
	default:
		w.lose("the effect of "+e.Name, fmt.Sprintf("it is a %T", effect))
		return nil
	}
}

// event makes an event again.
func (r *resumption) event(d *eventData) (e *Event, err error) {
	e = &Event{Name: d.Name, ID: d.ID, Source: d.Source, SourceType: d.SourceType}
	for _, field := range d.Fields {
		e.Fields = append(e.Fields, Field{field.Name, field.Value.value})
	}
	if e.connection, err = at(r.connections, d.Connection); err != nil {
		return nil, err
	}
	if e.dialog, err = at(r.dialogs, d.Dialog); err != nil {
		return nil, err
	}
	if e.conference, err = at(r.conferences, d.Conference); err != nil {
		return nil, err
	}
	e.Effect, err = r.effect(d.Effect)
	return e, err
}

func (r *resumption) effect(d *effectData) (Effect, error) {
	switch {
	case d == nil:
		return nil, nil
	case d.Connection != nil:
		connection, err := at(r.connections, d.Connection.New)
		return ConnectionEffect{d.Connection.ID, d.Connection.State, connection}, err
	case d.Dialog != nil:
		return *d.Dialog, nil
	case d.Conference != nil:
		return *d.Conference, nil
	case d.Join != nil:
		return *d.Join, nil
	case d.Unjoin != nil:
		return *d.Unjoin, nil
	}
	return nil, errors.New("an event has an effect that is not known")
}

// at gives what stands at a place that find has given; the zero value for 0.
func at[T any](list []T, place int) (item T, err error) {
	if place == 0 {
		return item, nil
	}
	if place < 0 || place > len(list) {
		return item, fmt.Errorf("there is no place %d among %d", place, len(list))
	}
	return list[place-1], nil
}
