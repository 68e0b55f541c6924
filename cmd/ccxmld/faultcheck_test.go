package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// channels are the ids of the calls that the nodes have, and of the cascades between them.
func (s *faultSite) channels() (calls, cascades map[string]bool) {
	calls, cascades = make(map[string]bool), make(map[string]bool)
	for _, n := range s.nodes {
		for line := range strings.Lines(n.API("show channels")) {
			switch id, rest, ok := strings.Cut(line, ","); {
			case !ok || id == "uuid":
			case strings.Contains(rest, ",sofia/ccxmld/"):
				cascades[id] = true
			default:
				calls[id] = true
			}
		}
	}
	return calls, cascades
}

// looking bounds one look at Redis.
func (s *faultSite) looking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.Context(), 5*time.Second)
}

// strays tells of calls and sessions that do not belong to exactly one living controller.
func (s *faultSite) strays() string {
	ctx, cancel := s.looking()
	defer cancel()
	calls, _ := s.channels()
	owner, sessions := make(map[string]string), int64(0)
	for session, err := range s.store.Sessions(ctx) {
		if err != nil {
			return err.Error()
		}
		if !slices.ContainsFunc(s.living, func(c *faultController) bool { return c.name == session.Controller }) {
			return fmt.Sprintf("session %s is of %s, which is dead", session.ID, session.Controller)
		}
		sessions++
		for _, id := range session.Connections {
			if owner[id] != "" {
				return fmt.Sprintf("call %s is of sessions %s and %s", id, owner[id], session.ID)
			}
			owner[id] = session.ID
			if !calls[id] {
				return fmt.Sprintf("call %s of session %s (%s) is not there", id, session.ID, session.Controller)
			}
		}
	}
	for id := range calls {
		if owner[id] == "" {
			return fmt.Sprintf("call %s has no session", id)
		}
	}
	var running, legs int64
	for _, c := range s.living {
		n, err := c.number("sessions")
		if err != nil {
			return c.name + ": " + err.Error()
		}
		has, err := c.number("connections")
		if err != nil {
			return c.name + ": " + err.Error()
		}
		running, legs = running+n, legs+has
	}
	if running != sessions || legs != int64(len(calls)) {
		return fmt.Sprintf("%d sessions run, and %d are in redis; controllers have %d legs, and the nodes %d", running, sessions, legs, len(calls))
	}
	return ""
}

// roster tells of conferences whose members in Redis are not those of the nodes.
func (s *faultSite) roster() string {
	ctx, cancel := s.looking()
	defer cancel()
	_, cascades := s.channels()
	for c, err := range s.rooms.List(ctx) {
		if err != nil {
			return err.Error()
		}
		members, err := s.rooms.Members(ctx, c.ID)
		if err != nil {
			return err.Error()
		}
		var known, in []string
		for _, m := range members {
			known = append(known, m.Connection)
		}
		for _, n := range s.nodes {
			for _, m := range n.Conference(c.Room) {
				if !cascades[m.UUID] {
					in = append(in, m.UUID)
				}
			}
		}
		slices.Sort(known)
		slices.Sort(in)
		if !slices.Equal(known, in) {
			return fmt.Sprintf("of %s (%s) the members %q are known, and %q are in it", c.ID, c.Room, known, in)
		}
	}
	return ""
}

// audio tells of callers that do not hear whom they should: the callee of a bridge, and all
// that are in a conference.
func (s *faultSite) audio() string {
	want := make(map[*faultCall][]string)
	for _, call := range s.calls {
		if call.ready.IsZero() {
			continue
		}
		number := call.caller.Number()
		switch call.kind {
		case "prompt": // whose controller hears digits once it plays the prompt
			heard, n := call.caller.Heard(), s.nodes[call.node].Sockets(call.caller.UUID())
			if n == 0 || len(heard) == 0 || !heard[len(heard)-1].To.IsZero() {
				return fmt.Sprintf("%s (%s) on %s has %d sockets, or hears no prompt", call.caller.Number(), call.caller.UUID(), s.nodes[call.node].name, n)
			}
		case "bridge":
			want[call] = []string{"9" + number}
		case "room":
			want[call] = []string{}
			for _, other := range s.calls {
				if other != call && other.kind == "room" && sameRoom(other, call) && !other.ready.IsZero() {
					want[call] = append(want[call], other.caller.Number())
				}
			}
		}
	}
	for call, numbers := range want {
		slices.Sort(numbers)
		if hears := call.caller.Hears(); !slices.Equal(hears, numbers) {
			return fmt.Sprintf("%s, in a %s on %s, hears %q and not %q", call.caller.Number(), call.kind, s.nodes[call.node].name, hears, numbers)
		}
	}
	return ""
}

// sameRoom: the documents take the number modulo 3.
func sameRoom(one, other *faultCall) bool {
	return (lastOf(one)-lastOf(other))%3 == 0
}

func lastOf(call *faultCall) (n int) {
	_, _ = fmt.Sscan(call.caller.Number(), &n)
	return n
}

// wrong tells what is wrong with the site.
func (s *faultSite) wrong() string {
	s.note()
	for _, look := range []func() string{s.strays, s.roster, s.audio} {
		if what := look(); what != "" {
			return what
		}
	}
	return ""
}

// ended are the callers whose calls have ended though they have not hung up.
func (s *faultSite) ended() (ended []*faultCall) {
	calls, _ := s.channels()
	for _, call := range s.calls {
		if !calls[call.caller.UUID()] {
			ended = append(ended, call)
		}
	}
	return ended
}

// probe has callers press digits, each of which is to be told once.
func (s *faultSite) probe() (digits int) {
	s.Helper()
	for _, call := range s.calls {
		if call.kind == "prompt" && !call.ready.IsZero() {
			call.presses++
			digits++
			call.caller.Press("7")
		}
	}
	s.await("each digit is told once", func() string {
		for _, call := range s.calls {
			if n := s.said.count("digit " + call.caller.Number()); n != call.presses {
				return fmt.Sprintf("of %d digits of %s (%s) %d were told", call.presses, call.caller.Number(), call.caller.UUID(), n)
			}
		}
		return ""
	})
	return digits
}

// finish ends all calls, and checks that nothing is left.
func (s *faultSite) finish() {
	s.Helper()
	s.await("all sends are due", func() string {
		for _, send := range s.sends {
			if time.Now().Before(send.due) {
				return send.name
			}
		}
		return ""
	})
	for _, call := range s.calls {
		call.caller.Hangup()
	}
	s.calls = nil
	s.await("nothing is left", func() string {
		for _, n := range s.nodes {
			if left := n.Channels(); left > 0 {
				return fmt.Sprintf("%s has %d calls", n.name, left)
			}
		}
		for _, c := range s.living {
			for _, name := range []string{"sessions", "connections"} {
				if n, err := c.number(name); n != 0 || err != nil {
					return fmt.Sprintf("%s has %d %s, %v", c.name, n, name, err)
				}
			}
		}
		return s.keys()
	})
	s.checkSends()
	for _, c := range s.living {
		c.signal()
	}
	for _, c := range s.living {
		c.waitEnded()
	}
	s.said.mu.Lock()
	defer s.said.mu.Unlock()
	if len(s.said.mistakes) > 0 {
		s.Errorf("logs tell of mistakes of ours:\n%s", strings.Join(s.said.mistakes, "\n"))
	}
}

// keys tells of a key in Redis that should not be there any more.
func (s *faultSite) keys() string {
	ctx, cancel := s.looking()
	defer cancel()
	all, err := s.store.Client().Keys(ctx, "*").Result()
	if err != nil {
		return err.Error()
	}
	for _, key := range all {
		switch kind, rest, _ := strings.Cut(strings.TrimPrefix(key, "ccxml:"), ":"); {
		case kind == "session" && strings.HasSuffix(key, "}"): // the epoch of one that was claimed
			fields, err := s.store.Client().HKeys(ctx, key).Result()
			if err != nil || !slices.Equal(fields, []string{"epoch"}) {
				return fmt.Sprintf("%s is left with %q, %v", key, fields, err)
			}
		case kind == "controller" && strings.HasSuffix(rest, ":sessions"):
			return key + " is left"
		case kind == "health", kind == "controllers", kind == "controller", kind == "text":
		case kind == "conference" && (strings.HasSuffix(key, ":epoch") || strings.HasSuffix(key, ":ended")):
		case strings.HasPrefix(key, "ccxml:conference:"):
			c, _ := s.store.Client().HGetAll(ctx, key[:strings.Index(key, "}")+1]).Result()
			sessions, _ := s.store.Client().HGetAll(ctx, key[:strings.Index(key, "}")+1]+":sessions").Result()
			return fmt.Sprintf("%s is left, of %s, which has it for %v", key, c["owner"], sessions)
		default:
			return key + " is left"
		}
	}
	return ""
}

// checkSends checks that each delayed send was fired once. One whose session had not been
// written down when its controller went is lost, and one whose firing had not is fired again.
func (s *faultSite) checkSends() {
	s.Helper()
	near := func(at time.Time) bool {
		return slices.ContainsFunc(s.losses, func(loss time.Time) bool { return loss.Sub(at).Abs() < time.Second })
	}
	for _, send := range s.sends {
		n := s.said.count("due " + send.name)
		if n != 1 && !near(send.started) && !near(send.due) {
			s.Errorf("send %s, started at %v and due at %v, was fired %d times", send.name, send.started, send.due, n)
		}
		if n > 2 {
			s.Errorf("send %s was fired %d times", send.name, n)
		}
	}
}
