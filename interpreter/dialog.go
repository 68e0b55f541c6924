package interpreter

import "strings"

// DialogState is the state of a dialog (CCXML 1.0, 7).
type DialogState string

// The states of a dialog.
const (
	DialogPreparing   DialogState = "PREPARING"
	DialogPrepared    DialogState = "PREPARED"
	DialogStarting    DialogState = "STARTING"
	DialogStarted     DialogState = "STARTED"
	DialogTerminating DialogState = "TERMINATING"
	DialogEnded       DialogState = "TERMINATED"
)

// DialogNotPrepared is where an effect moves a dialog whose preparation has
// failed: to its end, unless it has been started meanwhile, which then fails with
// an event of its own.
const DialogNotPrepared DialogState = "NOT PREPARED"

// Dialog is a dialog as documents see it (CCXML 1.0, 7.3).
type Dialog struct {
	ID             string
	State          DialogState
	ConnectionID   string
	ConferenceID   string
	Source         string
	Type           string
	MediaDirection string

	namelist, parameters []namedValue

	likely string // the connection it is for if nobody says; "" for none
	beside bool   // leaves the connection's bridges alone (2002 dialect)
}

// moveTo is where a dialog's state changes by an event. Dialogs can be started and
// terminated before the events of their preparation are handled.
func (d *Dialog) moveTo(state DialogState) {
	switch {
	case state == "":
	case state == DialogNotPrepared:
		if d.State != DialogStarting {
			d.State = DialogEnded
		}
	case state == DialogPrepared && d.State != DialogPreparing:
	case d.State == DialogTerminating && state != DialogEnded:
	default:
		d.State = state
	}
}

// property gives a property of the dialog object.
func (d *Dialog) property(s *Session, key string) (any, bool) {
	switch key {
	case "dialogid", "id":
		return d.ID, true
	case "state":
		return string(d.State), true
	case "connectionid":
		return optional(d.ConnectionID), true
	case "conferenceid":
		return optional(d.ConferenceID), true
	case "src":
		return d.Source, true
	case "type":
		return d.Type, true
	case "mediadirection":
		return d.MediaDirection, true
	case "namelist":
		return optional(names(d.namelist)), true
	case "parameters":
		return optional(names(d.parameters)), true
	}
	return s.mediaProperty(d.ID, "dialog", key)
}

func (d *Dialog) keys() []string {
	return []string{"dialogid", "state", "connectionid", "conferenceid", "src", "type", "namelist", "parameters", "mediadirection", "input", "outputs", "objecttype"}
}

// names gives back a list of variables as it is written.
func names(list []namedValue) string {
	var text []string
	for _, variable := range list {
		text = append(text, variable.name)
	}
	return strings.Join(text, " ")
}

// bridgeDialog makes the implicit bridge between a dialog that has started and
// its connection or conference (CCXML 1.0, 7.2, mediadirection).
func (s *Session) bridgeDialog(d *Dialog) {
	if d.beside {
		return
	}
	if c := s.connections.get(d.ConnectionID); d.ConnectionID != "" && (c == nil || c.State.final()) {
		return // it hung up meanwhile
	}
	dialog := Endpoint{ID: d.ID}
	partner := Endpoint{ID: d.ConnectionID}
	if d.ConferenceID != "" {
		partner = Endpoint{ID: d.ConferenceID, Conference: true}
	}
	switch d.MediaDirection {
	case "dialogtransmit":
		s.media.Join(partner, dialog, Half, false)
	case "dialogreceive":
		s.media.Join(dialog, partner, Half, false)
	default:
		s.media.Join(partner, dialog, Full, false)
	}
}

// optional gives undefined for an id that is not there.
func optional(id string) any {
	if id == "" {
		return nil
	}
	return id
}
