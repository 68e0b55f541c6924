package switchsim

import "strconv"

// channel is one leg, as FreeSWITCH has it. The switch's lock guards it. It has
// no goroutine: commands, the switch's agenda and its party move it on.
type channel struct {
	sw         *Switch
	uuid       string
	name       string
	inbound    bool
	profile    *profile
	other      *profile // whom it is bridged to
	otherType  string
	vars       variables
	voice      []stretch                // when the party speaks
	detectors  map[string]*toneDetector // by key
	recognizer *recognizer              // of detect_speech, or nil
	hearsKeys  bool                     // in what the party says (start_dtmf)
	displaced  map[string]int           // the party's sounds under all others, by path

	running   state // the state whose handler runs
	next      state // the state that was set; ahead of running during a change
	callState string
	early     bool
	answered  bool
	dialplan  bool // it went through a dialplan
	matched   bool // by a pattern of it
	cause     string
	holds     []held // by the party
	remoteBye bool   // the far end hung up
	released  bool   // the far end has been told BYE, and the leg is still there

	readCodec string // PCMU, or L16 while something records or mixes
	media     bool   // the codec's headers are there

	actions   []Action // the dialplan's, still to come
	stack     []*frame // applications that run, innermost last
	queue     []*message
	eventLock bool
	pumping   bool
	broken    bool // by uuid_break: loops end, too
	tick      *appointment
	acked     bool // the ACK brought its variables

	controlled    bool // parked, with or without a controller
	listeners     []*listener
	bridge        *bridge
	members       []*member
	recordings    []*recording
	scheduled     []*appointment     // of sched_hangup
	peer          *channel           // the far end of a call with another switch; the switch's lock guards the word, not what it names
	far, near     *channel           // the other half of a loopback call that is in a conference, and the way back
	eavesdroppers []*frame           // on other legs, that listen to this one
	job           func(reply string) // who waits for the originate
	ended         bool               // CHANNEL_HANGUP_COMPLETE was fired
	destroyed     bool

	party       *Party
	digits      []byte       // pressed by the party, and read
	kept        []byte       // of them, those that wait until somebody reads them
	expiry      *appointment // of the park that the leg is in
	digitAction *Action      // what the party's digits do, nil for nothing
	application string       // the last that ran, for the call detail
	argument    string
	placeholder placeholders
	commands    []string
}

// state is a channel's state; its number stands in events.
type state int

// The states, numbered as in switch_types.h.
const (
	stateNew state = iota
	stateInit
	stateRouting
	stateSoftExecute
	stateExecute
	stateExchangeMedia
	statePark
	stateConsumeMedia
	stateHibernate
	stateReset
	stateHangup
	stateReporting
	stateDestroy
	stateNone
)

var stateNames = [...]string{
	"CS_NEW", "CS_INIT", "CS_ROUTING", "CS_SOFT_EXECUTE", "CS_EXECUTE", "CS_EXCHANGE_MEDIA", "CS_PARK",
	"CS_CONSUME_MEDIA", "CS_HIBERNATE", "CS_RESET", "CS_HANGUP", "CS_REPORTING", "CS_DESTROY", "CS_NONE",
}

// down tells whether the channel was hung up.
func (c *channel) down() bool { return c.cause != "" }

// appendTo writes the channel's headers, without its variables
// (switch_channel_event_set_basic_data).
func (c *channel) appendTo(to []byte) []byte {
	to = append(to, "Channel-State: "...)
	to = append(to, stateNames[c.running]...)
	to = append(to, "\nChannel-Call-State: "...)
	to = append(to, c.callState...)
	to = append(to, "\nChannel-State-Number: "...)
	to = strconv.AppendInt(to, int64(c.next), 10)
	to = append(to, "\nChannel-Name: "...)
	to = appendEncoded(to, c.name)
	to = append(to, "\nUnique-ID: "...)
	to = append(to, c.uuid...)
	direction := "outbound"
	if c.inbound {
		direction = "inbound"
	}
	to = append(to, "\nCall-Direction: "...)
	to = append(to, direction...)
	to = append(to, "\nPresence-Call-Direction: "...)
	to = append(to, direction...)
	to = append(to, "\nChannel-HIT-Dialplan: "...)
	to = strconv.AppendBool(to, c.inbound || c.dialplan)
	to = append(to, "\nChannel-Call-UUID: "...)
	if call := c.vars.get("call_uuid"); call != "" {
		to = append(to, call...)
	} else {
		to = append(to, c.uuid...)
	}
	to = append(to, "\nAnswer-State: "...)
	to = append(to, c.answerState()...)
	to = append(to, '\n')
	if c.cause != "" {
		to = appendHeader(to, "Hangup-Cause", c.cause)
	}
	if c.media {
		to = append(to, "Channel-Read-Codec-Name: "...)
		to = append(to, c.readCodec...)
		to = append(to, "\nChannel-Read-Codec-Rate: 8000\nChannel-Read-Codec-Bit-Rate: "...)
		if c.readCodec == codecMixed {
			to = append(to, "128000"...)
		} else {
			to = append(to, "64000"...)
		}
		to = append(to, "\nChannel-Write-Codec-Name: PCMU\nChannel-Write-Codec-Rate: 8000\nChannel-Write-Codec-Bit-Rate: 64000\n"...)
	}
	if c.profile != nil {
		to = c.profile.appendTo(to, "Caller")
	}
	if c.other != nil {
		to = appendHeader(to, "Other-Type", c.otherType)
		to = c.other.appendTo(to, "Other-Leg")
	}
	return to
}

// The codecs of the recordings.
const (
	codecWire  = "PCMU"
	codecMixed = "L16"
)

func (c *channel) answerState() string {
	switch {
	case c.down():
		return "hangup"
	case c.answered:
		return "answered"
	case c.early:
		return "early"
	}
	return "ringing"
}

// appendVariables writes the channel's variables.
func (c *channel) appendVariables(to []byte) []byte {
	for i := range c.vars {
		v := &c.vars[i]
		to = append(to, "variable_"...)
		to = append(to, v.name...)
		to = append(to, ": "...)
		to = append(to, v.encoded...)
		to = append(to, '\n')
	}
	return to
}

// fire tells of something on this channel.
func (c *channel) fire(name string, at site, after ...header) {
	c.sw.fire(&event{name: name, site: at, channel: c, after: after})
}

// fireBrief does so without the variables.
func (c *channel) fireBrief(name string, at site, after ...header) {
	c.sw.fire(&event{name: name, site: at, channel: c, brief: true, after: after})
}

// enter moves the channel to a state and tells of it, as
// switch_channel_perform_set_running_state does.
func (c *channel) enter(s state) {
	c.running, c.next = s, s
	if c.inbound && s < stateHangup {
		switch {
		case s == stateRouting:
			c.setCallState("RINGING")
		case c.answered:
			c.setCallState("ACTIVE")
		case c.early:
			c.setCallState("EARLY")
		}
	}
	c.fireBrief("CHANNEL_STATE", site{"switch_channel.c", "switch_channel_perform_set_running_state", 2409})
}

var callStateNumbers = map[string]string{"DOWN": "0", "DIALING": "1", "RINGING": "2", "EARLY": "3", "ACTIVE": "4", "HELD": "5", "RING_WAIT": "6", "HANGUP": "7", "UNHELD": "8"}

func (c *channel) setCallState(to string) {
	if c.callState == to {
		return
	}
	from := c.callState
	c.callState = to
	c.sw.fire(&event{name: "CHANNEL_CALLSTATE", site: site{"switch_channel.c", "switch_channel_perform_set_callstate", 310}, channel: c, brief: true,
		before: []header{{"Original-Channel-Call-State", from}, {"Channel-Call-State-Number", callStateNumbers[to]}}})
}

// preAnswer opens the media of an incoming leg.
func (c *channel) preAnswer() {
	if c.early || c.answered || c.down() {
		return
	}
	c.early, c.media, c.readCodec = true, true, codecWire
	c.profile.progressMedia = c.sw.now()
	c.apply(inboundMedia)
	c.fire("CHANNEL_PROGRESS_MEDIA", site{"switch_channel.c", "switch_channel_perform_mark_pre_answered", 3562})
	c.setCallState("EARLY")
}

// answer answers an incoming leg.
func (c *channel) answer() {
	if c.answered || c.down() {
		return
	}
	c.preAnswer()
	c.apply(inboundAnswer)
	c.markAnswered()
	c.vars.set("endpoint_disposition", "ANSWER")
	c.acked = false
}

// markAnswered tells of the answer, whoever gave it.
func (c *channel) markAnswered() {
	c.answered, c.media, c.readCodec = true, true, codecWire
	c.profile.answered = c.sw.now()
	c.fire("CHANNEL_ANSWER", site{"switch_channel.c", "switch_channel_perform_mark_answered", 3848})
	c.setCallState("ACTIVE")
	c.party.answeredNow()
	c.peerAnswered()
}

// acknowledge brings what the ACK of an answered incoming leg brings; that is
// after the answer was reported and before anything else is.
func (c *channel) acknowledge() {
	if c.acked || !c.answered || !c.inbound {
		return
	}
	c.acked = true
	c.apply(inboundAck)
}

// ring tells the caller of an incoming leg that it rings.
func (c *channel) ring() {
	if !c.profile.progress.IsZero() || c.early || c.answered {
		return
	}
	c.profile.progress = c.sw.now()
	c.vars.set("sip_to_tag", c.placeholder.toTag)
	c.fire("CHANNEL_PROGRESS", site{"switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3507})
}
