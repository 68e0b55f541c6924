package callcontrol

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/sessionstore"
)

// sendPatience bounds how long a message may take to be delivered.
const sendPatience = 30 * time.Second

// Send carries a message to another session or an HTTP server
// (interpreter.Messages).
func (c *control) Send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	if strings.EqualFold(r.TargetType, "basichttp") {
		c.controller.background(func(ctx context.Context) { done(c.sendHTTP(ctx, r)) })
		return
	}
	e := interpreter.MessageEvent(r.SendID, c.record.ID, r.Event, r.Parameters)
	if session := c.controller.session(r.Target); session != nil {
		c.session.Do(func() {
			if session.Post(e) {
				done(interpreter.SendResult{})
			} else {
				done(unavailable(r.Target))
			}
		})
		return
	}
	c.controller.background(func(ctx context.Context) { done(c.sendMail(ctx, r)) })
}

func unavailable(session string) interpreter.SendResult {
	return interpreter.SendResult{Failure: "targetunavailable", Reason: "there is no session " + session}
}

// message is a <send> on its way to a session of another controller.
type message struct {
	Session    string             `json:"session"`
	SendID     string             `json:"sendid"`
	Sender     string             `json:"sender"`
	Event      string             `json:"event"`
	Parameters []interpreter.Pair `json:"parameters"`
}

const messageKind = "send"

func (c *control) sendMail(ctx context.Context, r interpreter.SendRequest) interpreter.SendResult {
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	store := c.controller.options.Store
	owner, ok, err := store.Owner(ctx, r.Target)
	if err != nil {
		return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
	}
	if !ok || owner == c.controller.options.ID {
		return unavailable(r.Target)
	}
	body, err := json.Marshal(message{r.Target, r.SendID, c.record.ID, r.Event, r.Parameters})
	if err != nil {
		return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
	}
	if err := store.Post(ctx, owner, sessionstore.Mail{From: c.controller.options.ID, Kind: messageKind, Body: body}); err != nil {
		return interpreter.SendResult{Failure: "targetunavailable", Reason: err.Error()}
	}
	return interpreter.SendResult{}
}

// receiveMail takes what other controllers send to our sessions.
func (c *Controller) receiveMail(ctx context.Context) {
	err := c.options.Store.Receive(ctx, c.options.ID, func(mail sessionstore.Mail) {
		var m message
		if mail.Kind != messageKind || json.Unmarshal(mail.Body, &m) != nil {
			c.log.Warn("mail not understood", "kind", mail.Kind, "from", mail.From)
			return
		}
		session := c.session(m.Session)
		if session == nil || !session.Post(interpreter.MessageEvent(m.SendID, m.Sender, m.Event, m.Parameters)) {
			c.log.Warn("message for a session that is gone", "session", m.Session, "event", m.Event, "sender", m.Sender)
		}
	})
	if err != nil && ctx.Err() == nil {
		c.log.Error("mail from other controllers is not received", "error", err)
	}
}

// sendHTTP makes the request of a basichttp send: the namelist with the event's
// name and the sender's id (HTP-6), by GET as Voxeo's platform did (VX-55).
func (c *control) sendHTTP(ctx context.Context, r interpreter.SendRequest) interpreter.SendResult {
	target, err := fetch.Resolve(r.Base, r.Target)
	if err != nil {
		return interpreter.SendResult{Failure: "targetunavailable", Reason: err.Error()}
	}
	request := fetch.Request{URI: target, Method: methodOf(r.Hints), Timeout: sendPatience,
		Header: http.Header{"Cache-Control": {"no-cache"}}}
	request.Form = append(request.Form, fetch.Pair{Name: "name", Value: r.Event}, fetch.Pair{Name: "sessionid", Value: c.record.ID})
	for _, p := range r.Parameters {
		request.Form = append(request.Form, fetch.Pair(p))
	}
	response, err := c.controller.options.Fetch.Fetch(ctx, request)
	if err != nil {
		return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
	}
	return interpreter.SendResult{Reply: replyEvent(response, target)}
}

func methodOf(hints interpreter.Hints) string {
	if method, ok := hints["method"].(string); ok && strings.EqualFold(method, "post") {
		return "POST"
	}
	return "GET"
}

// unconditionalKill is the one event that no server may send (HTP-11).
const unconditionalKill = "ccxml.kill.unconditional"

// replyEvent is the event that a server's answer asks for: the first line of a
// plain text body is its name, the others are its fields, name=value (VX-56).
func replyEvent(response *fetch.Response, target string) *interpreter.Event {
	if response.ContentType != "text/plain" {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(response.Text()), "\n")
	name := strings.TrimSpace(lines[0])
	if name == "" || strings.ContainsAny(name, " \t<>=") || strings.EqualFold(name, unconditionalKill) {
		return nil
	}
	e := &interpreter.Event{Name: name, Source: target, SourceType: "basichttp"}
	for _, line := range lines[1:] {
		if field, value, ok := strings.Cut(strings.TrimRight(line, "\r"), "="); ok {
			e.Fields = append(e.Fields, interpreter.Field{Name: strings.TrimSpace(field), Value: value})
		}
	}
	return e
}

// Fetch gets a document or script for a session (interpreter.Fetcher).
func (c *control) Fetch(r interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	c.controller.background(func(ctx context.Context) { done(c.controller.documents.fetch(ctx, r)) })
}
