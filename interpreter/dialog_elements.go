package interpreter

import (
	"fmt"

	"ccxmld/script"
)

// requestAttributes are those of elements that make an HTTP request.
type requestAttributes struct {
	method, enctype, maxage, maxstale *script.Expression
	namelist                          []namedValue
}

func compileRequest(e *element) requestAttributes {
	return requestAttributes{e.expression("method"), e.expression("enctype"), e.expression("maxage"),
		e.expression("maxstale"), e.namelist("namelist")}
}

// dialogStartElement is <dialogstart> (CCXML 1.0, 7.2.2).
type dialogStartElement struct {
	place
	requestAttributes
	src, mediaType, connectionid, conferenceid, mediadirection, hints *script.Expression
	dialogid                                                          *script.Target
	parameters                                                        []namedValue
}

func compileDialogStart(e *element) action {
	d := &dialogStartElement{
		place: e.place, requestAttributes: compileRequest(e),
		src: e.expression("src"), mediaType: e.expression("type"), connectionid: e.expression("connectionid"),
		conferenceid: e.expression("conferenceid"), mediadirection: e.expression("mediadirection"),
		hints: e.expression("hints"), dialogid: e.target("dialogid"), parameters: e.namelist("parameters"),
	}
	_, prepared := e.attribute("prepareddialogid")
	switch _, src := e.attribute("src"); {
	case d.connectionid != nil && d.conferenceid != nil:
		e.problem(&e.place, "<dialogstart> takes one of connectionid and conferenceid")
	case prepared:
		e.notice(&e.place, "<dialogstart prepareddialogid> is not supported yet; it raises error.unsupported when it is reached")
		return &unsupported{e.place, "prepared dialogs are not supported"}
	case !src:
		e.problem(&e.place, "<dialogstart> needs the attribute src")
	}
	return d
}

func (d *dialogStartElement) run(s *Session) error {
	r, err := d.request(s)
	if err != nil {
		return err
	}
	if !d.partnerKnown(s, r) {
		return nil
	}
	if err := s.receivable(d.dialogid); err != nil {
		return err
	}
	r.DialogID = s.newID()
	if err := s.receive(d.dialogid, r.DialogID); err != nil {
		return err
	}
	s.dialogs.add(r.DialogID, &Dialog{
		ID: r.DialogID, State: DialogStarting, ConnectionID: r.ConnectionID, ConferenceID: r.ConferenceID,
		Source: r.Source, Type: r.Type, MediaDirection: r.MediaDirection, beside: r.Beside,
	})
	if reason := d.refusal(s, r); reason != "" {
		s.Queue(&Event{
			Name: "error.dialog.notstarted", Source: r.DialogID, SourceType: "dialog",
			Fields: []Field{{"dialogid", r.DialogID}, {"connectionid", optional(r.ConnectionID)},
				{"conferenceid", optional(r.ConferenceID)}, {"reason", reason}},
			Effect: DialogEffect{r.DialogID, DialogEnded},
		})
		return nil
	}
	s.platform.StartDialog(r)
	return nil
}

func (d *dialogStartElement) partnerKnown(s *Session, r DialogRequest) bool {
	if r.ConferenceID != "" {
		if s.conferences.get(r.ConferenceID) == nil && !IsConferenceID(r.ConferenceID) {
			s.raiseUnknown(&d.place, "conference", r.ConferenceID)
			return false
		}
		return true
	}
	if s.connections.get(r.ConnectionID) == nil {
		s.raiseUnknown(&d.place, "connection", r.ConnectionID)
		return false
	}
	return true
}

// refusal says why a dialog cannot start (DLG-16), "" if it can.
func (d *dialogStartElement) refusal(s *Session, r DialogRequest) string {
	if s.dialogs.len() > s.limits.Dialogs {
		return fmt.Sprintf("the session has more than %d dialogs", s.limits.Dialogs)
	}
	if c := s.connections.get(r.ConnectionID); c != nil && c.State != Connected {
		return fmt.Sprintf("the connection is %s; a dialog needs one that is CONNECTED", orNone(c.State))
	}
	return ""
}

func (d *dialogStartElement) request(s *Session) (r DialogRequest, err error) {
	r.Base = d.base
	r.Beside = s.document.dialect.besideBridges
	if r.Source, err = s.required(d.src, "src"); err != nil {
		return r, err
	}
	if r.Type, err = s.text(d.mediaType, "application/voicexml+xml"); err != nil {
		return r, err
	}
	if d.conferenceid != nil {
		r.ConferenceID, err = s.required(d.conferenceid, "conferenceid")
	} else {
		r.ConnectionID, err = s.connectionID(d.connectionid)
	}
	if err != nil {
		return r, err
	}
	if r.MediaDirection, err = s.choice(d.mediadirection, "mediadirection", "both", "dialogtransmit", "dialogreceive"); err != nil {
		return r, err
	}
	if r.Parameters, err = s.pairs(&d.place, d.parameters); err != nil {
		return r, err
	}
	if r.Namelist, r.Method, r.Enctype, err = d.requestLine(s, &d.place); err != nil {
		return r, err
	}
	if r.MaxAge, err = s.age(d.maxage, "maxage"); err != nil {
		return r, err
	}
	if r.MaxStale, err = s.age(d.maxstale, "maxstale"); err != nil {
		return r, err
	}
	r.Hints, err = s.hints(d.hints)
	return r, err
}

const formEncoded = "application/x-www-form-urlencoded"

// requestLine evaluates what a request submits, and how (GEN-10, GEN-11).
func (r *requestAttributes) requestLine(s *Session, at *place) (pairs []Pair, method, enctype string, err error) {
	if pairs, err = s.pairs(at, r.namelist); err != nil {
		return nil, "", "", err
	}
	if method, err = s.choice(r.method, "method", "get", "post"); err != nil {
		return nil, "", "", err
	}
	enctype, err = s.choice(r.enctype, "enctype", formEncoded, "multipart/form-data")
	return pairs, method, enctype, err
}

// dialogTerminateElement is <dialogterminate> (CCXML 1.0, 7.2.3).
type dialogTerminateElement struct {
	place
	dialogid, immediate, hints *script.Expression
}

func compileDialogTerminate(e *element) action {
	return &dialogTerminateElement{e.place, e.expression("dialogid"), e.expression("immediate"), e.expression("hints")}
}

func (d *dialogTerminateElement) run(s *Session) error {
	id, err := s.required(d.dialogid, "dialogid")
	if err != nil {
		return err
	}
	immediate, err := s.boolean(d.immediate, "immediate")
	if err != nil {
		return err
	}
	hints, err := s.hints(d.hints)
	if err != nil {
		return err
	}
	dialog := s.dialogs.get(id)
	switch {
	case dialog == nil || dialog.State == DialogEnded:
		s.raiseUnknown(&d.place, "dialog", id)
	case dialog.State == DialogTerminating && !immediate: // already asked to (DLG-25)
	default:
		dialog.State = DialogTerminating
		s.platform.TerminateDialog(TerminateRequest{id, immediate, hints})
	}
	return nil
}
