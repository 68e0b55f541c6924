package switchsim

import (
	"net"
	"strings"
)

// parking is what park and socket have in common: the leg waits for commands
// until it is told otherwise or its controller has gone.
type parking struct{ parked bool }

func (p *parking) park(f *frame) {
	p.parked = true
	f.c.beginPark()
}

func (p *parking) unpark(c *channel) {
	if !p.parked {
		return
	}
	p.parked = false
	c.acknowledge()
	c.endPark()
}

func (p *parking) pause(*frame) {}

// resume goes on waiting, unless the controller went meanwhile.
func (p *parking) resume(f *frame) {
	if p.parked && !f.c.controlled {
		p.leave(f)
	}
}

// leave ends the wait; the dialplan goes on.
func (p *parking) leave(f *frame) {
	p.unpark(f.c)
	if f.c.next == stateReset {
		f.c.next = stateExecute
	}
	f.finish()
}

func (p *parking) abort(f *frame) { p.unpark(f.c) }

// parkApplication is park.
type parkApplication struct{ parking }

func (p *parkApplication) start(f *frame) { p.park(f) }

// socketApplication is socket: it hands the leg to a controller.
type socketApplication struct {
	parking
	f        *frame
	listener *listener
}

func (s *socketApplication) start(f *frame) {
	s.f = f
	words := strings.Fields(f.data)
	if len(words) == 0 {
		f.finish()
		return
	}
	sw := f.c.sw
	hosts := strings.Split(words[0], "|")
	f.c.setSocketHost(hosts[0])
	sw.connecting++
	sw.begin(func() {
		for i, host := range hosts {
			if i > 0 {
				sw.lock()
				f.c.setSocketHost(host)
				sw.unlock()
			}
			if conn, err := sw.dial(host); err == nil {
				s.attach(conn, words[1:])
				return
			}
		}
		sw.lock()
		defer sw.unlock()
		sw.connecting--
		if !f.ended && !sw.closed {
			sw.log.Debug("no controller listens", "socket", f.data)
			f.finish()
		}
	})
}

// setSocketHost tells the dialplan which controller is tried; a path behind
// the port is for the controller to read.
func (c *channel) setSocketHost(host string) {
	host, path, _ := strings.Cut(host, "/")
	if path != "" {
		c.vars.set("socket_path", path)
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	c.vars.set("socket_host", host)
}

// dial connects to a controller; the port is 8084 where none is named.
func (sw *Switch) dial(host string) (net.Conn, error) {
	host, _, _ = strings.Cut(host, "/")
	if !strings.Contains(host, ":") {
		host += ":8084"
	}
	return sw.options.Dial(sw.dialing, "tcp", host)
}

// attach makes a connection the leg's socket.
func (s *socketApplication) attach(conn net.Conn, args []string) {
	sw := s.f.c.sw
	sw.lock()
	defer sw.unlock()
	sw.connecting--
	if sw.closed || s.f.ended {
		conn.Close()
		return
	}
	l := sw.newListener(conn, s.f.c)
	l.socket, s.listener = s, l
	for _, arg := range args {
		l.full = l.full || strings.EqualFold(arg, "full")
		l.async = l.async || strings.EqualFold(arg, "async")
	}
}

// connected parks the leg once its controller said "connect".
func (s *socketApplication) connected() {
	if !s.f.ended && !s.parked && !s.f.c.down() {
		s.park(s.f)
	}
}

// abandoned is told that a listener let go of the leg (the end of listener_run).
// A leg that is parked by an application goes on in its dialplan; with socket_resume
// one that plays does so, too. What is bridged, in a conference or in CS_PARK stays there.
func (c *channel) abandoned(l *listener) {
	c.listeners = without(c.listeners, l)
	if c.ended {
		c.destroyIfFree()
	}
	if c.down() || c.sw.closed {
		return
	}
	if s := l.socket; s != nil && !l.connected {
		// It went before it said connect: the leg is parked without an owner.
		s.connected()
		return
	}
	c.controlled = false
	resume := isTrue(c.vars.get("socket_resume")) && l.socket != nil
	c.sw.soon(func() { c.goOn(resume) })
}

// goOn leaves a park without controller.
func (c *channel) goOn(resume bool) {
	if c.down() || c.controlled || c.next != stateExecute {
		if c.next == statePark && !c.controlled {
			c.sw.agenda.cancel(c.expiry) // the wait in which it is counted is over
		}
		return
	}
	if resume && len(c.members) == 0 {
		c.next = stateReset
		for c.top() != nil && c.parkedIn() == nil {
			c.abortTop()
		}
	}
	if p := c.parkedIn(); p != nil {
		p.leave(c.top())
	}
}

// parkedIn returns the park that the leg is in, nil if something else runs.
func (c *channel) parkedIn() *parking {
	f := c.top()
	if f == nil {
		return nil
	}
	switch app := f.app.(type) {
	case *socketApplication:
		if app.parked {
			return &app.parking
		}
	case *parkApplication:
		return &app.parking
	}
	return nil
}
