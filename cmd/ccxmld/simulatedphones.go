package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// input is something that the simulated caller, or callee where nobody calls, presses or says: so long after the
// answer, or when the next prompt is heard.
type input struct {
	text  string
	at    time.Duration
	timed bool
}

// parseInput reads a list of WHAT or TIME:WHAT, separated by commas.
func parseInput(flag, text string) (list []input, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		in := input{text: part}
		if at, what, timed := strings.Cut(part, ":"); timed {
			if in.at, err = time.ParseDuration(at); err != nil {
				return nil, fmt.Errorf("%s: %q is no time, such as 2s or 500ms", flag, at)
			}
			in.text, in.timed = what, true
		}
		if in.text == "" {
			return nil, fmt.Errorf("%s: nothing comes after %q", flag, part)
		}
		list = append(list, in)
	}
	return list, nil
}

// parseDigits reads --digits.
func parseDigits(text string) ([]input, error) {
	presses, err := parseInput("--digits", text)
	for _, in := range presses {
		if strings.Trim(in.text, "0123456789*#ABCDwW") != "" {
			return nil, fmt.Errorf("--digits: %q are no keys; expected some of 0123456789*#ABCD, and w for a pause of half a second", in.text)
		}
	}
	return presses, err
}

// call makes the call.
func (s *simulation) call(ctx context.Context) error {
	caller, err := s.Switch.Dial(switchsim.Call{From: s.from, To: s.to, Sockets: []string{s.Daemon.ESLAddress()}})
	if err != nil {
		return err
	}
	s.line(phoneColour, s.from, "dials", "%s [%s]", s.to, s.leg(caller.UUID(), "caller"))
	s.watch(ctx, caller)
	s.act(ctx, caller)
	return nil
}

// act lets the caller, or the first who is called where nobody calls, do what the flags
// say.
func (s *simulation) act(ctx context.Context, party *switchsim.Party) {
	s.onThePhone(func() { s.enter(ctx, party, s.presses, "presses", party.Press) })
	s.onThePhone(func() { s.enter(ctx, party, s.sayings, "says", party.Say) })
	s.onThePhone(func() { s.leave(ctx, party) })
}

// readsPrompt is how long somebody listens to a prompt before he presses or says
// something.
const readsPrompt = time.Second

// enter presses keys or says words, one after the other.
func (s *simulation) enter(ctx context.Context, party *switchsim.Party, list []input, does string, do func(string)) {
	if party.WaitAnswered(ctx) != nil {
		return
	}
	answered := s.Clock.Now()
	var last time.Time // when the prompt began that was answered
	for _, in := range list {
		wait := in.at - clock.Since(s.Clock, answered)
		if !in.timed {
			if party.WaitHeardFunc(ctx, func(sound switchsim.Sound) bool { return isPrompt(sound) && sound.From.After(last) }) != nil {
				return
			}
			wait = readsPrompt
		}
		if !clock.Sleep(ctx, s.Clock, wait) {
			return
		}
		for _, sound := range party.Heard() {
			if isPrompt(sound) && sound.From.After(last) {
				last = sound.From
			}
		}
		if _, err := waitNoLonger(party); err == nil {
			return
		}
		s.line(phoneColour, party.Number(), does, "%s", in.text)
		do(in.text)
	}
}

func isPrompt(sound switchsim.Sound) bool { return sound.Kind == "speech" || sound.Kind == "file" }

// waitNoLonger gives the ending of a call that has ended, else an error.
func waitNoLonger(party *switchsim.Party) (switchsim.Ending, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return party.WaitEnded(ctx)
}

// leave hangs up when it is time to.
func (s *simulation) leave(ctx context.Context, party *switchsim.Party) {
	if party.WaitAnswered(ctx) != nil {
		return
	}
	stays := s.longest
	if s.hangup > 0 {
		stays = min(s.hangup, stays)
	}
	staying, cancel := clock.WithTimeout(ctx, s.Clock, stays)
	defer cancel()
	if _, err := party.WaitEnded(staying); err != nil && ctx.Err() == nil {
		s.line(phoneColour, party.Number(), "hangs up", "")
		party.Hangup()
	}
}

// watch prints what a party hears, and how its call ends.
func (s *simulation) watch(ctx context.Context, party *switchsim.Party) {
	s.follow(ctx, party)
	s.open.add(1)
	s.onThePhone(func() {
		defer s.open.add(-1)
		s.tellEnd(ctx, party)
	})
}

// openCalls counts the calls whose end was not told yet.
type openCalls struct {
	clock clock.Clock

	mu   sync.Mutex
	n    int
	none *clock.Latch // there are none; nil if nobody waits for that
}

func (c *openCalls) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n += n; c.n == 0 && c.none != nil {
		c.none.Open()
		c.none = nil
	}
}

// wait waits until there are none, or ctx ends.
func (c *openCalls) wait(ctx context.Context) {
	c.mu.Lock()
	if c.n == 0 {
		c.mu.Unlock()
		return
	}
	if c.none == nil {
		c.none = clock.NewLatch(c.clock)
	}
	none := c.none
	c.mu.Unlock()
	_ = none.Wait(ctx)
}

func (s *simulation) tellEnd(ctx context.Context, party *switchsim.Party) {
	ending, err := party.WaitEnded(ctx)
	if err != nil {
		return
	}
	by := "by ccxmld"
	if ending.By == "remote" {
		by = "by " + party.Number()
	}
	s.line(boldColour, party.Number(), "call ends", "%s %s, SIP %d", by, ending.Cause, ending.SIPStatus)
}

// employ gives the numbers that may be called their behaviours, and follows who is
// called.
func (s *simulation) employ(ctx context.Context) error {
	s.Switch.Callee("*", switchsim.Answers{After: 2 * time.Second})
	for _, text := range s.callees {
		number, words, ok := strings.Cut(text, "=")
		behaviour, err := behaviourOf(words)
		if !ok || err != nil {
			return fmt.Errorf("--callee is %q; expected NUMBER=answers, answers:10s, busy, noanswer, rejects, notfound, unavailable or unreachable", text)
		}
		s.Switch.Callee(number, behaviour)
	}
	s.onThePhone(func() {
		for n := 1; ; n++ {
			callee, err := s.Switch.WaitCallee(ctx, "*")
			if err != nil {
				return
			}
			s.line(phoneColour, callee.Number(), "is called", "[%s]", s.leg(callee.UUID(), "callee "+strconv.Itoa(n)))
			s.watch(ctx, callee)
			if n == 1 && len(s.values) > 0 {
				s.act(ctx, callee)
			}
		}
	})
	return nil
}

// behaviourOf gives what someone does who is called.
func behaviourOf(words string) (switchsim.Behaviour, error) {
	const rings = 2 * time.Second
	word, stays, timed := strings.Cut(words, ":")
	if timed {
		d, err := time.ParseDuration(stays)
		if err == nil && word != "answers" {
			err = errors.New("a time where there is none")
		}
		return switchsim.Answers{After: rings, HangupAfter: d}, err
	}
	behaviour, ok := map[string]switchsim.Behaviour{
		"answers": switchsim.Answers{After: rings}, "busy": switchsim.Busy{After: rings}, "noanswer": switchsim.NoAnswer{},
		"rejects": switchsim.Rejects{After: rings}, "notfound": switchsim.NotFound{}, "unavailable": switchsim.Unavailable{},
		"unreachable": switchsim.Unreachable{},
	}[word]
	if !ok {
		return nil, errors.New("no such behaviour")
	}
	return behaviour, nil
}
