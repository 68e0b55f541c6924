package callcontrol

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/metrics"
	"ccxmld/sip"
)

var errNoSocket = errors.New("the leg has no socket to FreeSWITCH")

// CreateCall dials out (interpreter.Telephony).
func (c *control) CreateCall(r interpreter.CallRequest) {
	dial, err := c.controller.options.Dial(r.Destination)
	if err != nil {
		reason := reasonUnreachable
		if errors.Is(err, ErrBadNumber) {
			reason = reasonBadNumber
		}
		c.log().Warn("call not placed", "connection", r.ConnectionID, "destination", r.Destination, "error", err)
		c.callFailed(r.ConnectionID, reason, err.Error())
		return
	}
	if err := c.roomForLeg(); err != nil { // the document may not have seen yet what was moved here
		c.callFailed(r.ConnectionID, reasonUnknown, err.Error())
		return
	}
	analysed, err := newAnalysis(r)
	if err == nil {
		err = hintVariables(r.Hints, make(map[string]string))
	}
	if err != nil {
		c.callFailed(r.ConnectionID, reasonUnknown, err.Error())
		return
	}
	node, err := c.controller.nodes.Pick()
	if err != nil {
		c.log().Warn("call not placed", "connection", r.ConnectionID, "destination", r.Destination, "error", err)
		c.callFailed(r.ConnectionID, reasonUnreachable, err.Error())
		return
	}
	l := c.controller.newLeg(r.ConnectionID, legWaiting)
	l.connection = connectionStates.At(connectionPlaced)
	c.controller.options.Metrics.CallBegan(metrics.Out)
	l.node, l.call = node, dialog.Call{Local: r.CallerID, Remote: r.Destination, Originator: r.CallerID}
	l.tones, l.takesEarly = hearsTones(r.Hints), !ignoresEarlyMedia(r.Hints)
	if r.JoinID != "" {
		l.join = &r
	} else {
		l.analysis = analysed
	}
	c.own(l)
	c.save()
	l.bind(c)
	c.controller.addLeg(l)
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = c.controller.limits().CallTimeout
	}
	l.answerBy = c.controller.options.Clock.Now().Add(timeout)
	l.callTimer = l.after(timeout, func() { l.control.callTimedOut(l) })
	c.originate(l, r, dial, timeout)
}

// ErrBadNumber is wrapped by errors of Options.Dial for destinations that nobody
// could dial.
var ErrBadNumber = errors.New("not a destination that can be dialled")

func (c *control) originate(l *leg, r interpreter.CallRequest, dial DialString, timeout time.Duration) {
	variables := c.callVariables(r.CallerID, dial)
	variables[freeswitch.IgnoreEarlyMedia] = strconv.FormatBool(!l.takesEarly)
	_ = hintVariables(r.Hints, variables) // CreateCall has looked at them
	if r.AAI != "" {
		variables[freeswitch.HeaderPrefix+userToUserHeader] = userToUser(r.AAI)
	}
	c.dial(l, dial, variables, timeout)
}

// callVariables are the channel variables of all calls that we make.
func (c *control) callVariables(callerID string, dial DialString) map[string]string {
	variables := freeswitch.OutboundVariables(c.controller.options.ID)
	variables[freeswitch.SessionVariable] = c.session.ID()
	if callerID == "" {
		callerID = dial.CallerID
	}
	switch number, name := callerOf(callerID); {
	case number != "":
		variables[freeswitch.CallerNumber] = number
		variables[freeswitch.CallerName] = cmp.Or(name, number)
	case callerID != "":
		c.log().Warn("the caller id is neither a number nor an address, and is not sent", "callerid", fmt.Sprintf("%.80q", callerID))
	}
	return variables
}

// dial places the call of a leg when its turn comes.
func (c *control) dial(l *leg, dial DialString, variables map[string]string, timeout time.Duration) {
	job := esl.Originate{
		UUID: l.id, Timeout: timeout + time.Second, Vars: variables, Dial: dial.Text,
		Apps: c.controller.home().Begin(),
	}
	l.calling = &calling{job: job}
	l.attempt = l.calling
	c.whenItsTurn(l, job)
}

// turnsOf says among whom the session's calls take turns.
func (c *control) turnsOf() []string {
	group := c.record.ID
	if c.record.Token != "" {
		group = "token " + c.record.Token
	}
	return []string{group, c.record.ID}
}

// whenItsTurn places a call when the node takes one more.
func (c *control) whenItsTurn(l *leg, job esl.Originate) {
	call := l.calling // nil for a stand-in
	one, now, err := l.node.TakeTurn(l.route.do, c.turnsOf(), func() (wanted bool) {
		if wanted = l.awaitsTurn(call); wanted {
			l.control.place(l, job)
		}
		return wanted
	})
	switch {
	case err != nil:
		l.route.do(func() { l.tooManyWait(err) })
	case now:
		c.place(l, job)
	default:
		l.turn = one
	}
}

// awaitsTurn tells whether an attempt to place the call, nil for a stand-in's, is to be
// made when its turn comes.
func (l *leg) awaitsTurn(call *calling) bool {
	return l.state.Is(legWaiting) && l.calling == call && !l.isEnding()
}

// tooManyWait ends a call that cannot even wait. It is not the node's fault.
func (l *leg) tooManyWait(err error) {
	l.log().Warn("call not placed", "error", err)
	l.calling, l.failure = nil, reasonUnreachable
	l.detail = "FreeSWITCH node " + l.node.Name() + ": " + err.Error()
	l.gone(freeswitch.Hangup{Cause: "SWITCH_CONGESTION"})
}

// place gives the originate job to the node, once it is written that the call is placed: whoever
// takes the session over must not place it once more.
func (c *control) place(l *leg, job esl.Originate) {
	if l.isHidden() || l.attempt == nil {
		c.originateNow(l, job)
		return
	}
	call := l.attempt
	call.placed = true
	c.whenOurs(func(err error) {
		switch {
		case !l.awaitsTurn(call): // it was given up meanwhile
		case err != nil:
			l.detail = err.Error()
			l.gone(freeswitch.Hangup{Cause: "NORMAL_TEMPORARY_FAILURE"})
		default:
			l.whenWritten(func() {
				if l.awaitsTurn(call) {
					l.control.originateNow(l, job)
				}
			})
		}
	})
}

func (c *control) originateNow(l *leg, job esl.Originate) {
	l.take(legTurnCame)
	l.log().Info("originate", "dial", job.Dial)
	call := l.attempt
	l.node.Originate(job, func(result string, err error) {
		told := l.route.do(func() {
			if l.attempt == call && (l.calling == call || l.state.Is(legAttaching, legAttachingEarly)) {
				l.control.originated(l, strings.TrimSpace(result), err)
			}
		})
		if !told && (err != nil || strings.HasPrefix(result, "-ERR")) {
			c.controller.forgetLeg(l)
		}
	})
}

// originated takes the result of the originate job.
func (c *control) originated(l *leg, result string, err error) {
	cause, failed := strings.CutPrefix(result, "-ERR ")
	switch {
	case l.isGone():
	case l.conn != nil || l.isConnected():
	case err != nil && l.state.Is(legAttaching, legAttachingEarly): // the answer was heard of before
	case err != nil:
		c.notPlaced(l, err)
	case failed && knowsMore(cause):
		call, was := l.attempt, l.state.State()
		l.after(detailTimeout, func() {
			if l.attempt == call && (l.state.Is(was) || slices.Contains(dialled, was) && l.state.Is(dialled...)) {
				l.gone(freeswitch.Hangup{Cause: cause})
			}
		})
	case failed:
		l.gone(freeswitch.Hangup{Cause: cause})
	default:
		c.isPlaced(l)
	}
}

// isPlaced notes that a call was answered, or has early media, and comes to our socket.
func (c *control) isPlaced(l *leg) {
	if l.take(legPlaced) == awaitSocket {
		c.awaitAttach(l)
	}
}

// awaitAttach waits for a leg that was answered, or has early media, to come to our
// socket.
func (c *control) awaitAttach(l *leg) {
	c.answeredOn(l)
	if l.isEnding() { // our hangup crossed the answer, or came before the call
		l.hangUp("NORMAL_CLEARING")
	}
	if !l.comesEarly() { // else its channel says whether it is answered
		l.callTimer.Stop()
	}
	l.expectSocket()
}

// expectSocket ends a leg that was answered and does not come to our socket.
func (l *leg) expectSocket() {
	c := l.control
	l.socketTimer.Stop()
	l.socketTimer = l.after(attachTimeout, func() {
		if l.state.Is(legAttaching, legAttachingEarly) {
			l.failure = reasonUnreachable
			if l.complain("the answered leg did not come to our socket; check esl.advertise", "advertise", c.controller.options.Advertise) {
				l.detail = "the call was answered, and did not come to the socket of ccxmld; check esl.advertise"
			} else {
				l.detail = "the call was answered, and FreeSWITCH node " + l.node.Name() + " is not reached any more"
			}
			l.hangUp("NORMAL_TEMPORARY_FAILURE")
		}
	})
}

// answeredOn notes that a call needs no other node.
func (c *control) answeredOn(l *leg) {
	if l.calling != nil {
		l.calling = nil
		l.node.Worked()
	}
}

// knowsMore tells whether the leg's own hangup event may say more than the job's
// result: a leg that was really dialled has a SIP status.
func knowsMore(cause string) bool {
	switch cause {
	case "INVALID_GATEWAY", "CHAN_NOT_IMPLEMENTED", "INVALID_URL", "INVALID_PROFILE", "GATEWAY_DOWN", "SUBSCRIBER_ABSENT":
		return false
	}
	return true
}

func (c *control) callTimedOut(l *leg) {
	switch {
	case l.state.Is(legWaiting, legDialing, legRinging, legMedia, legEarly):
	case l.state.Is(legAttaching, legAttachingEarly): // with early media, or answered a moment ago
		l.callTimer = l.after(time.Second, func() { l.control.callTimedOut(l) })
		return
	default:
		return
	}
	l.failure = reasonTimedOut
	l.hangUp("ORIGINATOR_CANCEL")
}

// progressing takes that the far end rings, or sends early media.
func (c *control) progressing(l *leg, media bool) {
	if l.isEnding() && l.state.Is(dialled...) { // our hangup came before FreeSWITCH had the call
		l.hangUp("ORIGINATOR_CANCEL")
		return
	}
	input, early := legRings, media && l.takesEarly
	if early {
		input = legSendsMedia
	}
	if l.take(input) == tellProgress {
		c.tellProgress(l, early)
	}
}

// tellProgress tells the document once that the far end rings, and once when there is
// early media.
func (c *control) tellProgress(l *leg, early bool) {
	switch {
	case l.isHidden():
		return
	case early:
		early = c.tellConnection(l, earlyMediaEvent, interpreter.Field{Name: "info", Value: map[string]any{"earlymedia": true}})
	default:
		early = c.tellConnection(l, progressingEvent)
	}
	if early {
		l.node.Worked()
	}
}

// attached takes an outbound leg that came to our socket, or a leg that was fetched
// or that another controller or an operator has sent. Its channel says whether it is
// answered; home is the mark of its last way home.
func (c *control) attached(l *leg, answered bool, home string) {
	switch {
	case l.isGone():
	case l.arriving != nil:
		c.settle(l)
	case l.isHoming():
		if !l.homing.Is(homeFetched) || home == l.home { // else it came by itself, and the transfer that fetches it follows
			c.transferHome(l, nil) // where it has as many actions behind it as any leg
		}
	case l.state.Is(placing...):
		l.socketTimer.Stop()
		c.answeredOn(l)
		switch {
		case l.isEnding() && answered:
			l.hangUp("NORMAL_CLEARING")
			return
		case l.isEnding():
			l.hangUp("ORIGINATOR_CANCEL")
			return
		case !answered:
			if l.take(legCameUnanswered) == takeEarly {
				c.attachedEarly(l)
			}
			return
		}
		l.callTimer.Stop()
		if l.take(legCameAnswered) != tellConnected || l.handover != nil { // who gets it is told
			return
		}
		c.connected(l)
		l.nextMove() // what waited for early media
	default:
		if !l.moving() { // what it was in is over
			l.playing().BreakOff("the leg's socket to FreeSWITCH was lost")
			c.bringHome(l)
		}
	}
}

// connected tells the document that a leg is answered and under control. A call
// with joinid is bridged first (CAL-5).
func (c *control) connected(l *leg) {
	switch {
	case l.standIn != nil:
		c.standsIn(l)
		return
	case l.browser != nil:
		l.browser.answered()
		return
	}
	l.hearTones()
	if l.join == nil {
		c.tellConnection(l, connectedEvent)
		if l.analysis != nil {
			l.analysis.begin(l)
		}
		return
	}
	c.tellConnection(l, connectedEvent)
	c.joinCall(l)
}

// joinCall makes the join that createcall asked for.
func (c *control) joinCall(l *leg) {
	r := *l.join
	l.join = nil
	join := interpreter.JoinRequest{ID1: l.id, ID2: r.JoinID}
	switch r.JoinDirection {
	case "callreceive":
		join.Half = true
	case "calltransmit":
		join.ID1, join.ID2, join.Half = r.JoinID, l.id, true
	}
	c.join(join, true)
}

// callFailed tells the document that a call could not even be tried.
func (c *control) callFailed(id, reason, words string) {
	connection := connectionStates.At(connectionPlaced)
	connection.Take(failedEvent, c.log)
	c.session.Queue(&interpreter.Event{
		Name: "connection.failed", Source: id, SourceType: "connection",
		Fields: append(connectionFields(id), interpreter.Field{Name: "reason", Value: reason},
			interpreter.Field{Name: "detail", Value: words}),
		Effect: interpreter.ConnectionEffect{ConnectionID: id, State: connection.State().seen()},
	})
}

// callerOf takes the number and the display name out of a caller id: a number, a
// name that may stand for one, or an address of SIP or a telephone, which may have a
// display name. What is none of these gives no number, rather than a wrong one.
func callerOf(callerID string) (number, name string) {
	callerID = strings.TrimSpace(callerID)
	if address, err := sip.Parse(callerID); err == nil {
		number, name = address.User, callerName(address.Name)
	} else {
		number = callerID
	}
	if !callerNumber.MatchString(number) {
		return "", ""
	}
	return number, name
}

// callerNumber is what the user part of an address is made of that carriers take.
var callerNumber = regexp.MustCompile(`^[A-Za-z0-9+*#._-]{1,128}$`)

// callerName makes a text fit for a display name. FreeSWITCH puts it between quotation
// marks as it is, so that none may be in it, nor what could end the header.
func callerName(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\' || r == '<' || r == '>' || unicode.IsControl(r):
			return -1
		}
		return r
	}, text))
}
