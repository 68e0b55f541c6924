package switchsim

import (
	"strconv"
	"time"
)

// profile is who calls whom: FreeSWITCH's caller profile. A transfer or a
// bridge puts a new one in front of the old.
type profile struct {
	direction, logical       string
	username                 string
	dialplan                 string
	callerName, callerNumber string
	origName, origNumber     string
	calleeName, calleeNumber string
	networkAddr, ani         string
	destination              string
	uniqueID, source         string
	transferSource           string
	context, rdnis           string
	channelName              string
	index                    int
	created, channelCreated  time.Time
	answered                 time.Time
	progress, progressMedia  time.Time
	hungUp, bridged          time.Time
	lastHold                 time.Time
	held                     time.Duration // in all, by holds that are over
}

// step returns a copy to change, one further in the list of profiles.
func (p *profile) step(now time.Time) *profile {
	next := *p
	next.index++
	next.created = now
	next.bridged = time.Time{}
	return &next
}

// appendTo writes the profile's headers, named with a prefix, as
// switch_caller_profile_event_set_data does.
func (p *profile) appendTo(to []byte, prefix string) []byte {
	text := func(name, value string) {
		if value != "" {
			to = append(to, prefix...)
			to = append(to, name...)
			to = append(to, ": "...)
			to = appendEncoded(to, value)
			to = append(to, '\n')
		}
	}
	text("-Direction", p.direction)
	text("-Logical-Direction", p.logical)
	text("-Username", p.username)
	text("-Dialplan", p.dialplan)
	text("-Caller-ID-Name", p.callerName)
	text("-Caller-ID-Number", p.callerNumber)
	if p.callerName != "" {
		text("-Orig-Caller-ID-Name", p.origName)
	}
	if p.callerNumber != "" {
		text("-Orig-Caller-ID-Number", p.origNumber)
	}
	text("-Callee-ID-Name", p.calleeName)
	text("-Callee-ID-Number", p.calleeNumber)
	text("-Network-Addr", p.networkAddr)
	text("-ANI", p.ani)
	text("-Destination-Number", p.destination)
	text("-Unique-ID", p.uniqueID)
	text("-Source", p.source)
	text("-Transfer-Source", p.transferSource)
	text("-Context", p.context)
	text("-RDNIS", p.rdnis)
	text("-Channel-Name", p.channelName)
	if p.index > 0 {
		text("-Profile-Index", strconv.Itoa(p.index))
	}
	stamp := func(name string, at time.Time) {
		to = append(to, prefix...)
		to = append(to, name...)
		to = append(to, ": "...)
		to = strconv.AppendInt(to, micros(at), 10)
		to = append(to, '\n')
	}
	stamp("-Profile-Created-Time", p.created)
	stamp("-Channel-Created-Time", p.channelCreated)
	stamp("-Channel-Answered-Time", p.answered)
	stamp("-Channel-Progress-Time", p.progress)
	stamp("-Channel-Progress-Media-Time", p.progressMedia)
	stamp("-Channel-Hangup-Time", p.hungUp)
	stamp("-Channel-Transfer-Time", time.Time{})
	stamp("-Channel-Resurrect-Time", time.Time{})
	stamp("-Channel-Bridged-Time", p.bridged)
	stamp("-Channel-Last-Hold", p.lastHold)
	to = append(to, prefix...)
	to = append(to, "-Channel-Hold-Accum: "...)
	to = strconv.AppendInt(to, p.held.Microseconds(), 10)
	to = append(to, '\n')
	for _, flag := range profileFlags {
		to = append(to, prefix...)
		to = append(to, flag...)
	}
	return to
}

var profileFlags = [...]string{"-Screen-Bit: true\n", "-Privacy-Hide-Name: false\n", "-Privacy-Hide-Number: false\n"}

// otherLeg returns the profile as it stands in the events of the channel that
// this one's is bridged to. The one who was asked to bridge sees the other's
// times, the other sees none.
func (p *profile) otherLeg(seenByOriginator bool) *profile {
	other := *p
	other.index = 0
	other.transferSource = ""
	other.logical = "inbound"
	if !seenByOriginator {
		other.created, other.channelCreated, other.answered = time.Time{}, time.Time{}, time.Time{}
		other.progress, other.progressMedia, other.hungUp, other.bridged = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		other.lastHold, other.held = time.Time{}, 0
	}
	return &other
}

// micros is a time as FreeSWITCH's headers give it; no time is 0.
func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}
