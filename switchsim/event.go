package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// event is something that the switch tells its listeners. It is written out
// only when somebody listens.
type event struct {
	name     string
	subclass string
	site     site
	before   []header // ahead of the channel's headers
	channel  *channel
	brief    bool // without the channel's variables
	after    []header
	body     string
	owner    string // Job-Owner-UUID: the leg whose socket began a job
}

// header is one line; its value is not yet encoded.
type header struct{ name, value string }

// site is where in FreeSWITCH's source an event is fired.
type site struct {
	file, function string
	line           int
}

// value returns the value of a header, as filters compare it.
func (e *event) value(sw *Switch, name string) (string, bool) {
	if strings.EqualFold(name, "Unique-ID") && e.channel != nil {
		return e.channel.uuid, true
	}
	for _, list := range [2][]header{e.before, e.after} {
		for _, h := range list {
			if strings.EqualFold(h.name, name) {
				return h.value, true
			}
		}
	}
	if strings.EqualFold(name, "Job-UUID") || strings.EqualFold(name, "Conference-Name") || strings.EqualFold(name, "Job-Owner-UUID") {
		return "", false
	}
	return findHeader(sw.render(e), name)
}

// findHeader searches an event that was written out.
func findHeader(text []byte, name string) (string, bool) {
	for line := range strings.SplitSeq(string(text), "\n") {
		if line == "" {
			break
		}
		key, value, ok := strings.Cut(line, ": ")
		if ok && strings.EqualFold(key, name) {
			return decode(value), true
		}
	}
	return "", false
}

// decode undoes encode.
func decode(value string) string {
	if !strings.Contains(value, "%") {
		return value
	}
	var plain strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			if code, err := strconv.ParseUint(value[i+1:i+3], 16, 8); err == nil {
				plain.WriteByte(byte(code))
				i += 2
				continue
			}
		}
		plain.WriteByte(value[i])
	}
	return plain.String()
}

// fire tells everyone who listens for the event. Its text is written once, into
// a buffer that the switch keeps.
func (sw *Switch) fire(e *event) {
	sw.sequence++
	sw.scratchOf = nil
	for _, l := range sw.broad {
		sw.offer(l, e)
	}
	if e.channel != nil {
		for _, l := range sw.followers[e.channel.uuid] {
			sw.offer(l, e)
		}
	} else if e.owner != "" {
		for _, l := range sw.followers[e.owner] {
			sw.offer(l, e)
		}
	}
	sw.scratchOf = nil
}

func (sw *Switch) offer(l *listener, e *event) {
	if l.wants(e) {
		l.sendEvent(sw.render(e))
	}
}

// render writes an event out. The result lasts until the next event.
func (sw *Switch) render(e *event) []byte {
	if sw.scratchOf == e {
		return sw.scratch
	}
	sw.scratch = sw.appendEvent(sw.scratch[:0], e)
	sw.scratchOf = e
	return sw.scratch
}

// appendEvent writes an event out in the order of switch_event_prep_for_delivery
// and switch_channel_event_set_data.
func (sw *Switch) appendEvent(to []byte, e *event) []byte {
	if e.subclass != "" {
		to = appendHeader(to, "Event-Subclass", e.subclass)
	}
	to = sw.appendEventHead(to, e)
	to = appendHeaders(to, e.before)
	if e.channel != nil {
		to = e.channel.appendTo(to)
		if !e.brief {
			to = e.channel.appendVariables(to)
		}
	}
	to = appendHeaders(to, e.after)
	if e.body != "" {
		to = append(to, "Content-Length: "...)
		to = strconv.AppendInt(to, int64(len(e.body)), 10)
		to = append(to, "\n\n"...)
		return append(to, e.body...)
	}
	return append(to, '\n')
}

// appendEventHead writes what every event begins with.
func (sw *Switch) appendEventHead(to []byte, e *event) []byte {
	to = append(to, "Event-Name: "...)
	to = append(to, e.name...)
	to = append(to, sw.node...)
	now := sw.now()
	to = append(to, sw.dateHeaders(now)...)
	to = strconv.AppendInt(to, now.UnixMicro(), 10)
	to = append(to, "\nEvent-Calling-File: "...)
	to = append(to, e.site.file...)
	to = append(to, "\nEvent-Calling-Function: "...)
	to = append(to, e.site.function...)
	to = append(to, "\nEvent-Calling-Line-Number: "...)
	to = strconv.AppendInt(to, int64(e.site.line), 10)
	to = append(to, "\nEvent-Sequence: "...)
	to = strconv.AppendInt(to, sw.sequence, 10)
	return append(to, '\n')
}

// dateHeaders are written once a second.
func (sw *Switch) dateHeaders(now time.Time) []byte {
	if second := now.Unix(); second != sw.dateSecond || sw.date == nil {
		sw.dateSecond = second
		sw.date = append(sw.date[:0], "Event-Date-Local: "...)
		sw.date = appendEncoded(sw.date, now.Format(time.DateTime))
		sw.date = append(sw.date, "\nEvent-Date-GMT: "...)
		sw.date = appendEncoded(sw.date, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		sw.date = append(sw.date, "\nEvent-Date-Timestamp: "...)
	}
	return sw.date
}

func appendHeader(to []byte, name, value string) []byte {
	to = append(to, name...)
	to = append(to, ": "...)
	to = appendEncoded(to, value)
	return append(to, '\n')
}

func appendHeaders(to []byte, headers []header) []byte {
	for _, h := range headers {
		to = appendHeader(to, h.name, h.value)
	}
	return to
}
