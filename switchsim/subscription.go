package switchsim

import (
	"regexp"
	"slices"
	"strings"
)

// myEvents are what the command myevents subscribes to (mod_event_socket.c).
var myEvents = []string{
	"CHANNEL_ANSWER", "CHANNEL_APPLICATION", "CHANNEL_BRIDGE", "CHANNEL_CREATE", "CHANNEL_DATA", "CHANNEL_DESTROY",
	"CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_ORIGINATE",
	"CHANNEL_UUID", "CHANNEL_OUTGOING", "CHANNEL_PARK", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_STATE",
	"CHANNEL_UNBRIDGE", "CHANNEL_UNPARK", "DETECTED_SPEECH", "DTMF", "NOTALK", "TALK",
}

// filters are a listener's: any positive match lets an event in, any negative
// one keeps it out. Positive ones without a pattern, the usual kind and often
// one per leg, are found by their value.
type filters struct {
	names    []string // of exact, in lower case
	exact    map[string]map[string]bool
	patterns []pattern
}

type pattern struct {
	name, text string
	positive   bool
	expression *regexp.Regexp // nil: text is compared
	compare    string
}

func (f *filters) empty() bool { return len(f.names) == 0 && len(f.patterns) == 0 }

func (f *filters) add(name, value string) {
	positive, compare := true, value
	for compare != "" && strings.IndexByte("+- ", compare[0]) >= 0 {
		if compare[0] != ' ' {
			positive = compare[0] == '+'
		}
		compare = compare[1:]
	}
	if positive && !strings.HasPrefix(value, "/") {
		key := strings.ToLower(name)
		if f.exact == nil {
			f.exact = make(map[string]map[string]bool)
		}
		if f.exact[key] == nil {
			f.exact[key] = make(map[string]bool)
			f.names = append(f.names, key)
		}
		f.exact[key][strings.ToLower(compare)] = true
		return
	}
	p := pattern{name: name, text: value, positive: positive, compare: compare}
	if text, ok := strings.CutPrefix(value, "/"); ok {
		p.expression, _ = regexp.Compile(strings.TrimSuffix(text, "/"))
	}
	f.patterns = append(f.patterns, p)
}

// remove deletes the filters on a header, all or those of one value.
func (f *filters) remove(name, value string) {
	key := strings.ToLower(name)
	if values := f.exact[key]; values != nil {
		delete(values, strings.ToLower(strings.TrimLeft(value, "+ ")))
		if value == "" || len(values) == 0 {
			delete(f.exact, key)
			f.names = slices.DeleteFunc(f.names, func(n string) bool { return n == key })
		}
	}
	f.patterns = slices.DeleteFunc(f.patterns, func(p pattern) bool {
		return strings.EqualFold(p.name, name) && (value == "" || strings.EqualFold(p.text, value))
	})
}

func (f *filters) pass(sw *Switch, e *event) bool {
	passed := false
	for _, name := range f.names {
		if value, ok := e.value(sw, name); ok && f.exact[name][strings.ToLower(value)] {
			passed = true
			break
		}
	}
	for i := range f.patterns {
		p := &f.patterns[i]
		if passed && p.positive {
			continue
		}
		value, ok := e.value(sw, p.name)
		if !ok || !p.matches(value) {
			continue
		}
		if !p.positive {
			return false
		}
		passed = true
	}
	return passed
}

func (p *pattern) matches(value string) bool {
	if p.expression != nil {
		return p.expression.MatchString(value)
	}
	return strings.EqualFold(value, p.compare)
}

// wants tells whether the listener asked for an event (mod_event_socket's
// event_handler).
func (l *listener) wants(e *event) bool {
	if !l.all && !l.events[e.name] {
		return false
	}
	if !l.all && e.name == "CUSTOM" && e.subclass != "" && !l.subclasses[e.subclass] {
		return false
	}
	if !l.filters.empty() && !l.filters.pass(l.sw, e) {
		return false
	}
	if l.myEvents && l.channel != nil && e.channel != l.channel {
		return e.owner == l.channel.uuid
	}
	return true
}

// refocus files the listener under the legs that it can hear of, so that an
// event need not ask all: 5,000 sockets with a filter on their own leg each are
// not asked 5,000 times per event.
func (l *listener) refocus() {
	l.displace()
	if l.gone || !l.all && len(l.events) == 0 {
		return
	}
	l.placed = true
	switch {
	case l.myEvents && l.channel != nil:
		l.focus = []string{l.channel.uuid}
	case len(l.filters.names) == 1 && l.filters.names[0] == "unique-id" && !slices.ContainsFunc(l.filters.patterns, func(p pattern) bool { return p.positive }):
		for uuid := range l.filters.exact["unique-id"] {
			l.focus = append(l.focus, uuid)
		}
	default:
		l.sw.broad = append(l.sw.broad, l)
		return
	}
	for _, uuid := range l.focus {
		l.sw.followers[uuid] = append(l.sw.followers[uuid], l)
	}
}

// displace takes the listener out of where refocus put it. The lists are
// replaced, not changed: an event may be on its way through them.
func (l *listener) displace() {
	if !l.placed {
		return
	}
	l.placed = false
	if l.focus == nil {
		l.sw.broad = without(l.sw.broad, l)
		return
	}
	for _, uuid := range l.focus {
		if rest := without(l.sw.followers[uuid], l); len(rest) > 0 {
			l.sw.followers[uuid] = rest
		} else {
			delete(l.sw.followers, uuid)
		}
	}
	l.focus = nil
}

func without[T comparable](list []T, gone T) []T {
	rest := make([]T, 0, len(list))
	for _, entry := range list {
		if entry != gone {
			rest = append(rest, entry)
		}
	}
	return rest
}
