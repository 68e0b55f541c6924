package interpreter

import (
	"fmt"
	"net/url"

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

const formEncoded = "application/x-www-form-urlencoded"

// requestLine evaluates what a request submits, and how (GEN-10, GEN-11).
func (r *requestAttributes) requestLine(s *Session) (pairs []Pair, method, enctype string, err error) {
	if pairs, err = s.pairs(r.namelist); err != nil {
		return nil, "", "", err
	}
	if method, err = s.choice(r.method, "method", "get", "post"); err != nil {
		return nil, "", "", err
	}
	enctype, err = s.choice(r.enctype, "enctype", formEncoded, "multipart/form-data")
	return pairs, method, enctype, err
}

// dialogAttributes are those that <dialogprepare> and <dialogstart> share.
type dialogAttributes struct {
	place
	requestAttributes
	src, mediaType, connectionid, conferenceid, mediadirection, hints *script.Expression
	dialogid                                                          *script.Target
	parameters                                                        []namedValue
}

func compileDialog(e *element) dialogAttributes {
	d := dialogAttributes{
		place: e.place, requestAttributes: compileRequest(e),
		src: e.expression("src"), mediaType: e.expression("type"), mediadirection: e.expression("mediadirection"),
		hints: e.expression("hints"), dialogid: e.receiver("dialogid"), parameters: e.namelist("parameters"),
	}
	d.connectionid, d.conferenceid = e.either("connectionid", "conferenceid")
	if d.connectionid != nil && d.conferenceid != nil {
		e.problem(&e.place, fmt.Sprintf("<%s> takes one of connectionid and conferenceid", e.tag))
	}
	return d
}

// longestGet is how long a request of a document in Voxeo's manner may be before
// it is made by POST (VX-9).
const longestGet = 500

// request evaluates everything but what the dialog is for.
func (d *dialogAttributes) request(s *Session) (r DialogRequest, err error) {
	r.Base = d.base
	r.Beside = s.document.dialect.besideBridges
	if r.Source, err = s.required(d.src, "src"); err != nil {
		return r, err
	}
	if r.Type, err = s.text(d.mediaType, "application/voicexml+xml"); err != nil {
		return r, err
	}
	if r.MediaDirection, err = d.direction(s); err != nil {
		return r, err
	}
	if r.Parameters, err = s.pairs(d.parameters); err != nil {
		return r, err
	}
	if r.Namelist, r.Method, r.Enctype, err = d.requestLine(s); err != nil {
		return r, err
	}
	if d.method == nil && s.document.lenient && len(r.Namelist) > 0 && requestLength(r.Source, r.Namelist) > longestGet {
		r.Method = "post"
	}
	if r.MaxAge, err = s.age(d.maxage, "maxage"); err != nil {
		return r, err
	}
	if r.MaxStale, err = s.age(d.maxstale, "maxstale"); err != nil {
		return r, err
	}
	if r.Hints, err = s.hints(d.hints); r.Hints["background"] == true || r.Hints["background"] == "true" {
		r.Beside = true
	}
	return r, err
}

// requestLength is how long a GET would be.
func requestLength(uri string, pairs []Pair) int {
	n := len(uri)
	for _, pair := range pairs {
		n += len("&=") + len(pair.Name) + len(url.QueryEscape(pair.Value))
	}
	return n
}

func (d *dialogAttributes) direction(s *Session) (string, error) {
	return s.choice(d.mediadirection, "mediadirection", "both", "dialogtransmit", "dialogreceive")
}

// partner evaluates connectionid or conferenceid, at most one of which is given.
func (d *dialogAttributes) partner(s *Session) (connectionID, conferenceID string, err error) {
	switch {
	case d.conferenceid != nil:
		conferenceID, err = s.required(d.conferenceid, "conferenceid")
	case d.connectionid != nil:
		connectionID, err = s.required(d.connectionid, "connectionid")
	}
	return connectionID, conferenceID, err
}

// partnerKnown raises an error event for an id that names nothing (DLG-15).
func (d *dialogAttributes) partnerKnown(s *Session, r *DialogRequest) bool {
	switch {
	case r.ConferenceID != "" && s.conferences.get(r.ConferenceID) == nil && !IsConferenceID(r.ConferenceID):
		s.raiseUnknown(&d.place, "conference", r.ConferenceID)
		return false
	case r.ConnectionID != "" && s.connections.get(r.ConnectionID) == nil:
		s.raiseUnknown(&d.place, "connection", r.ConnectionID)
		return false
	}
	return true
}

// begin gives a new dialog its id and adds it to the session's. It says why that
// is one too many, "" if it is not.
func (d *dialogAttributes) begin(s *Session, r *DialogRequest, state DialogState) (refusal string, err error) {
	if err := s.receivable(d.dialogid); err != nil {
		return "", err
	}
	r.DialogID = s.newID()
	if err := s.receive(d.dialogid, r.DialogID); err != nil {
		return "", err
	}
	s.dialogs.add(r.DialogID, &Dialog{
		ID: r.DialogID, State: state, ConnectionID: r.ConnectionID, ConferenceID: r.ConferenceID,
		Source: r.Source, Type: r.Type, MediaDirection: r.MediaDirection, beside: r.Beside,
		namelist: d.namelist, parameters: d.parameters,
	})
	if s.dialogs.len() > s.limits.Dialogs {
		return fmt.Sprintf("the session has more than %d dialogs", s.limits.Dialogs), nil
	}
	return "", nil
}

// queueDialogError queues error.dialog.notprepared or error.dialog.notstarted.
// The dialog ends with it, unless effect is nil.
func (s *Session) queueDialogError(name string, r *DialogRequest, reason string, effect Effect) {
	s.Queue(&Event{
		Name: name, Source: r.DialogID, SourceType: "dialog",
		Fields: []Field{{"dialogid", r.DialogID}, {"connectionid", optional(r.ConnectionID)},
			{"conferenceid", optional(r.ConferenceID)}, {"reason", reason}},
		Effect: effect,
	})
}

// dialogPrepareElement is <dialogprepare> (CCXML 1.0, 7.2.1).
type dialogPrepareElement struct{ dialogAttributes }

func compileDialogPrepare(e *element) action { return &dialogPrepareElement{compileDialog(e)} }

func (d *dialogPrepareElement) run(s *Session) error {
	r, err := d.request(s)
	if err != nil {
		return err
	}
	if r.ConnectionID, r.ConferenceID, err = d.partner(s); err != nil {
		return err
	}
	if !d.partnerKnown(s, &r) {
		return nil
	}
	refusal, err := d.begin(s, &r, DialogPreparing)
	if err != nil {
		return err
	}
	s.dialogs.get(r.DialogID).likely = s.event.ConnectionID()
	if refusal != "" {
		s.queueDialogError("error.dialog.notprepared", &r, refusal, DialogEffect{r.DialogID, DialogNotPrepared})
		return nil
	}
	s.platform.PrepareDialog(r)
	return nil
}

// dialogStartElement is <dialogstart> (CCXML 1.0, 7.2.2).
type dialogStartElement struct {
	dialogAttributes
	prepared *script.Expression
}

func compileDialogStart(e *element) action {
	d := &dialogStartElement{compileDialog(e), e.expression("prepareddialogid")}
	_, prepared := e.attribute("prepareddialogid")
	if _, src := e.attribute("src"); !src && !prepared {
		e.problemAs(CodeMissingAttribute, &e.place, "<dialogstart> needs the attribute src, or prepareddialogid")
	}
	if prepared {
		for _, name := range []string{"src", "type", "namelist", "parameters", "method", "enctype", "maxage", "maxstale"} {
			if _, given := e.attribute(name); given { // DLG-11
				e.problem(&e.place, fmt.Sprintf("<dialogstart> with prepareddialogid takes no %s; give it to <dialogprepare>", name))
			}
		}
	}
	return d
}

func (d *dialogStartElement) run(s *Session) error {
	if d.prepared != nil {
		return d.startPrepared(s)
	}
	r, err := d.request(s)
	if err != nil {
		return err
	}
	if r.ConnectionID, r.ConferenceID, err = d.partner(s); err != nil {
		return err
	}
	if r.ConnectionID == "" && r.ConferenceID == "" { // DLG-8
		if r.ConnectionID, err = s.connectionID(nil); err != nil {
			return err
		}
	}
	if !d.partnerKnown(s, &r) {
		return nil
	}
	refusal, err := d.begin(s, &r, DialogStarting)
	if err != nil {
		return err
	}
	if refusal == "" {
		refusal = s.unready(&r)
	}
	if refusal != "" {
		s.queueDialogError("error.dialog.notstarted", &r, refusal, DialogEffect{r.DialogID, DialogEnded})
		return nil
	}
	s.platform.StartDialog(r)
	return nil
}

// unready says why nothing can be played to the dialog's connection (DLG-16), ""
// if it can.
func (s *Session) unready(r *DialogRequest) string {
	early := r.Hints["earlymedia"] == true || r.Hints["earlymedia"] == "true" // before a call is accepted
	if c := s.connections.get(r.ConnectionID); c != nil && c.State != Connected && !(c.State == Alerting && early) {
		return fmt.Sprintf("the connection is %s; a dialog needs one that is CONNECTED", orNone(c.State))
	}
	return ""
}

// startPrepared starts a dialog that is prepared, or is being prepared (DLG-14).
// One that cannot be started as asked stays prepared.
func (d *dialogStartElement) startPrepared(s *Session) (err error) {
	r := DialogRequest{Prepared: true, Base: d.base, Beside: s.document.dialect.besideBridges}
	if r.DialogID, err = s.required(d.prepared, "prepareddialogid"); err != nil {
		return err
	}
	if r.ConnectionID, r.ConferenceID, err = d.partner(s); err != nil {
		return err
	}
	if r.MediaDirection, err = d.direction(s); err != nil {
		return err
	}
	if r.Hints, err = s.hints(d.hints); err != nil {
		return err
	}
	if err := s.receivable(d.dialogid); err != nil {
		return err
	}
	if err := s.receive(d.dialogid, r.DialogID); err != nil { // DLG-27
		return err
	}
	if !d.partnerKnown(s, &r) {
		return nil
	}
	dialog := s.dialogs.get(r.DialogID)
	refusal := dialog.startable(&r)
	if refusal == "" {
		if err := s.associate(dialog, &r); err != nil {
			return err
		}
		refusal = s.unready(&r)
	}
	if refusal != "" {
		s.queueDialogError("error.dialog.notstarted", &r, refusal, nil)
		return nil
	}
	if d.mediadirection == nil {
		r.MediaDirection = dialog.MediaDirection
	}
	dialog.State, dialog.MediaDirection, dialog.beside = DialogStarting, r.MediaDirection, r.Beside
	dialog.ConnectionID, dialog.ConferenceID = r.ConnectionID, r.ConferenceID
	s.platform.StartDialog(r)
	return nil
}

// startable says why a prepared dialog cannot be started for what the request
// names (DLG-12, DLG-13), "" if it can. What is not there is nil.
func (d *Dialog) startable(r *DialogRequest) string {
	switch {
	case d == nil || d.State == DialogEnded:
		return fmt.Sprintf("there is no prepared dialog %q in this session", r.DialogID)
	case d.State != DialogPreparing && d.State != DialogPrepared:
		return fmt.Sprintf("dialog %s is %s; one that is prepared can be started once", d.ID, d.State)
	case d.ConnectionID == "" && d.ConferenceID == "" || r.ConnectionID == "" && r.ConferenceID == "":
	case d.ConnectionID != r.ConnectionID || d.ConferenceID != r.ConferenceID:
		return fmt.Sprintf("dialog %s was prepared for %s, not for %s", d.ID, d.ConnectionID+d.ConferenceID, r.ConnectionID+r.ConferenceID)
	}
	return ""
}

// associate completes the request to start a prepared dialog: it is for what the
// request names, what it was prepared for, the event's connection, or the
// connection of the event in which it was prepared (DLG-8, DLG-9).
func (s *Session) associate(d *Dialog, r *DialogRequest) (err error) {
	if r.ConnectionID != "" || r.ConferenceID != "" {
		return nil
	}
	r.ConnectionID, r.ConferenceID = d.ConnectionID, d.ConferenceID
	if r.ConnectionID != "" || r.ConferenceID != "" {
		return nil
	}
	if s.event.ConnectionID() == "" && s.connections.get(d.likely) != nil {
		r.ConnectionID = d.likely
		return nil
	}
	r.ConnectionID, err = s.connectionID(nil)
	return err
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
