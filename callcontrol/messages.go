package callcontrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// Send carries a message to another session, a dialog or an HTTP server
// (interpreter.Messages).
func (c *control) Send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	if r.Target == c.record.ID { // what comes of it waits
		c.send(r, done)
		return
	}
	c.whenOurs(func(err error) {
		if err != nil {
			c.session.Do(func() { done(interpreter.SendResult{Failure: "failed", Reason: err.Error()}) })
			return
		}
		c.send(r, done)
	})
}

func (c *control) send(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	if strings.EqualFold(r.TargetType, "dialog") {
		c.session.Do(func() { done(c.sendDialog(r)) })
		return
	}
	if strings.EqualFold(r.TargetType, basicHTTP) {
		c.sendByHTTP(r, done)
		return
	}
	controller := c.controller
	if session := controller.session(r.Target); session != nil && !controller.peers.Busy(r.Target) {
		c.session.Do(func() { done(c.deliver(session, r)) })
		return
	}
	c.sendAway(r, done)
}

// maxAway bounds the messages of a session that are on their way to sessions that are
// not at hand. Each such session may take a goroutine.
const maxAway = 1000

// sendAway sends to a session that is not at hand.
func (c *control) sendAway(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	refused := fmt.Sprintf("%d messages of this session are on their way to other sessions already", maxAway)
	if c.away < maxAway {
		c.away++
		sent := func(result interpreter.SendResult) {
			c.session.Do(func() { c.away-- })
			done(result)
		}
		if c.controller.peers.InOrder(r.Target, func(ctx context.Context) { sent(c.sendFar(ctx, r)) }) {
			return
		}
		c.away--
		refused = fmt.Sprintf("%d messages wait for session %s already", peer.MaxQueued, r.Target)
	}
	c.session.Do(func() { done(interpreter.SendResult{Failure: "failed", Reason: refused}) })
}

// sendByHTTP makes the request of a basichttp send when those that the session has
// made to the same server are over, which are told of in that order, too. It may
// wait and be answered for as long as sendTimeout.
func (c *control) sendByHTTP(r interpreter.SendRequest, done func(interpreter.SendResult)) {
	target, err := fetch.Resolve(r.Base, r.Target)
	server := serverOf(target)
	timeout, cancel := clock.WithTimeout(c.controller.context, c.controller.options.Clock, sendTimeout)
	if !c.sends.add(c.controller, server, func(context.Context) {
		defer cancel()
		switch {
		case !c.mayAct(timeout):
			done(interpreter.SendResult{Failure: "failed", Reason: errTaken.Error()})
		case err != nil:
			done(interpreter.SendResult{Failure: "targetunavailable", Reason: err.Error()})
		case timeout.Err() != nil:
			done(interpreter.SendResult{Failure: "failed", Reason: fmt.Sprintf("not sent: after %v the server has not answered what was sent to it before", sendTimeout)})
		default:
			done(c.sendHTTP(timeout, r, target))
		}
	}) {
		cancel()
		c.session.Do(func() {
			done(interpreter.SendResult{Failure: "failed", Reason: fmt.Sprintf("not sent: %d messages of this session wait for HTTP servers already", maxRequestsWaiting)})
		})
	}
}

// deliver brings a message to a session that runs here.
func (c *control) deliver(session *interpreter.Session, r interpreter.SendRequest) interpreter.SendResult {
	if session == nil || !session.Post(interpreter.MessageEvent(r.SendID, c.record.ID, r.Event, r.Parameters)) {
		return unavailable(r.Target)
	}
	return interpreter.SendResult{}
}

func unavailable(session string) interpreter.SendResult {
	return interpreter.SendResult{Failure: "targetunavailable", Reason: "there is no session " + session}
}

// sendFar brings a message to a session that was not at hand when it was sent:
// it was being created here, or another controller runs it.
func (c *control) sendFar(ctx context.Context, r interpreter.SendRequest) interpreter.SendResult {
	if !c.mayAct(ctx) {
		return interpreter.SendResult{Failure: "failed", Reason: errTaken.Error()}
	}
	if session := c.controller.session(r.Target); session != nil {
		return c.deliver(session, r)
	}
	err := c.controller.peers.Send(ctx, peer.Event{
		Session: r.Target, ID: r.SendID, Source: c.record.ID, Name: r.Event, Parameters: toPeer(r.Parameters),
	})
	switch {
	case err == nil:
		return interpreter.SendResult{}
	case errors.Is(err, ErrNoSession):
		return unavailable(r.Target)
	case errors.Is(err, sessionstore.ErrNoController):
		return interpreter.SendResult{Failure: "targetunavailable", Reason: "the controller of session " + r.Target + " is gone"}
	}
	return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
}

// sendHTTP makes the request of a basichttp send. Any answer but 2xx is a failure
// (SND-10).
func (c *control) sendHTTP(ctx context.Context, r interpreter.SendRequest, target string) interpreter.SendResult {
	response, err := c.controller.options.Sends.Fetch(ctx, c.httpRequest(r, target))
	if err != nil {
		return interpreter.SendResult{Failure: "failed", Reason: err.Error()}
	}
	reply, err := replyEvent(response, target)
	if err != nil {
		c.log().Warn("the answer to a send makes no event", "target", target, "event", r.Event, "reason", err)
	}
	return interpreter.SendResult{Reply: reply}
}

// httpRequest has the namelist with the event's name and the sender's id (HTP-6),
// by GET as Voxeo's platform did (VX-55) unless hints.method or the event says post
// (HTP-7, VX-59). A
// document that gives a sessionid itself, such as the receiver's on another
// platform, has none added. Inline content is the whole body of a POST.
func (c *control) httpRequest(r interpreter.SendRequest, target string) fetch.Request {
	request := fetch.Request{URI: target, Method: methodOf(r), Timeout: sendTimeout,
		Header: http.Header{"Cache-Control": {"no-cache"}}}
	if r.Content != "" {
		request.Method, request.Body, request.ContentType = http.MethodPost, []byte(r.Content), "application/xml; charset=utf-8"
		return request
	}
	if r.Event != "" {
		request.Form = append(request.Form, fetch.Pair{Name: "name", Value: r.Event})
	}
	if !namesSession(r.Parameters, target) {
		request.Form = append(request.Form, fetch.Pair{Name: "sessionid", Value: c.record.ID})
	}
	for _, p := range r.Parameters {
		request.Form = append(request.Form, fetch.Pair{Name: p.Name, Value: p.Value})
	}
	return request
}

func namesSession(parameters []interpreter.Pair, target string) bool {
	if slices.ContainsFunc(parameters, func(p interpreter.Pair) bool { return p.Name == "sessionid" }) {
		return true
	}
	u, err := url.Parse(target)
	return err == nil && u.Query().Has("sessionid")
}

func methodOf(r interpreter.SendRequest) string {
	if method, ok := r.Hints["method"].(string); ok && strings.EqualFold(method, http.MethodPost) {
		return http.MethodPost
	}
	return cmp.Or(r.Method, http.MethodGet)
}

var replyField = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*){0,15}$`)

const maxReplyFields = 200

// replyEvent is the event that a server's answer asks for: the first line of its
// body is the event's name, each further line a property, name=value (VX-56). It
// is nil for an empty body. The error says why an answer makes no event, or which
// of its lines are left out: pages of web servers that know nothing of the rule
// are answers too.
func replyEvent(response *fetch.Response, target string) (*interpreter.Event, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(response.Text()), "\n")
	name := strings.TrimSpace(first)
	if name == "" {
		return nil, nil
	}
	if !interpreter.IsEventName(name) {
		return nil, fmt.Errorf("its first line is no event name: %.60q", name)
	}
	if err := injectable(name); err != nil {
		return nil, err
	}
	var parameters []interpreter.Pair
	var odd error
	for line := range strings.Lines(rest) {
		line = strings.TrimRight(line, "\r\n")
		field, value, ok := strings.Cut(line, "=")
		field = strings.TrimSpace(field)
		switch {
		case strings.TrimSpace(line) == "":
		case !ok || !replyField.MatchString(field):
			odd = fmt.Errorf("a line is not name=value and left out: %.60q", line)
		case len(parameters) == maxReplyFields:
			return nil, fmt.Errorf("it has more than %d properties", maxReplyFields)
		default:
			parameters = append(parameters, interpreter.Pair{Name: field, Value: value})
		}
	}
	event := interpreter.MessageEvent("", target, name, parameters)
	event.SourceType = basicHTTP
	return event, odd
}

// Fetch gets a document or script for a session (interpreter.Fetcher).
func (c *control) Fetch(r interpreter.FetchRequest, done func(interpreter.FetchResult)) {
	if !c.fetches.addAlone(c.controller, func(ctx context.Context) {
		if !c.mayAct(ctx) {
			done(interpreter.FetchResult{URI: r.URI, Err: errTaken})
			return
		}
		result := c.controller.documents.Fetch(ctx, r)
		c.controller.keepFetched(result)
		done(result)
	}) {
		c.session.Do(func() {
			done(interpreter.FetchResult{URI: r.URI, Err: errors.New("too much is being fetched already")})
		})
	}
}
