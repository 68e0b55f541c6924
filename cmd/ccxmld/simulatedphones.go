package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ccxmld/esl/switchsim"
)

// input is something that the simulated caller presses or says: so long after the
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

// call makes the call and lets the caller do what the flags say.
func (s *simulation) call(ctx context.Context) error {
	caller, err := s.sw.Dial(switchsim.Call{From: s.from, To: s.to, Sockets: []string{s.daemon.ESLAddress()}})
	if err != nil {
		return err
	}
	s.line(phoneColour, s.from, "dials", "%s", s.to)
	s.watch(ctx, caller)
	s.phones.Go(func() { s.enter(ctx, caller, s.presses, "presses", caller.Press) })
	s.phones.Go(func() { s.enter(ctx, caller, s.sayings, "says", caller.Say) })
	s.phones.Go(func() { s.leave(ctx, caller) })
	return nil
}

// readsPrompt is how long a caller listens to a prompt before he presses or says
// something.
const readsPrompt = time.Second

// enter presses keys or says words, one after the other.
func (s *simulation) enter(ctx context.Context, caller *switchsim.Party, list []input, does string, do func(string)) {
	if caller.WaitAnswered(ctx) != nil {
		return
	}
	answered := time.Now()
	var last time.Time // when the prompt began that was answered
	for _, in := range list {
		wait := s.ours(in.at) - time.Since(answered)
		if !in.timed {
			if caller.WaitHeardFunc(ctx, func(sound switchsim.Sound) bool { return isPrompt(sound) && sound.From.After(last) }) != nil {
				return
			}
			wait = s.ours(readsPrompt)
		}
		if !pause(ctx, wait) {
			return
		}
		for _, sound := range caller.Heard() {
			if isPrompt(sound) && sound.From.After(last) {
				last = sound.From
			}
		}
		if _, err := waitNoLonger(caller); err == nil {
			return
		}
		s.line(phoneColour, s.from, does, "%s", in.text)
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
func (s *simulation) leave(ctx context.Context, caller *switchsim.Party) {
	if caller.WaitAnswered(ctx) != nil {
		return
	}
	stays := s.longest
	if s.hangup > 0 {
		stays = min(s.hangup, stays)
	}
	ctx, cancel := context.WithTimeout(ctx, s.ours(stays))
	defer cancel()
	if _, err := caller.WaitEnded(ctx); errors.Is(err, context.DeadlineExceeded) {
		s.line(phoneColour, caller.Number(), "hangs up", "")
		caller.Hangup()
	}
}

// watch prints what a party hears, and how its call ends.
func (s *simulation) watch(ctx context.Context, party *switchsim.Party) {
	s.follow(ctx, party)
	s.open.add(1)
	s.phones.Go(func() {
		defer s.open.add(-1)
		s.tellEnd(ctx, party)
	})
}

// openCalls counts the calls whose end was not told yet.
type openCalls struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when there are none, nil if nobody waits
}

func (c *openCalls) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n += n; c.n == 0 && c.none != nil {
		close(c.none)
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
		c.none = make(chan struct{})
	}
	none := c.none
	c.mu.Unlock()
	select {
	case <-none:
	case <-ctx.Done():
	}
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
	s.sw.Callee("*", switchsim.Answers{After: 2 * time.Second})
	for _, text := range s.callees {
		number, words, ok := strings.Cut(text, "=")
		behaviour, err := behaviourOf(words)
		if !ok || err != nil {
			return fmt.Errorf("--callee is %q; expected NUMBER=answers, answers:10s, busy, noanswer, rejects, notfound, unavailable or unreachable", text)
		}
		s.sw.Callee(number, behaviour)
	}
	s.phones.Go(func() {
		for {
			callee, err := s.sw.WaitCallee(ctx, "*")
			if err != nil {
				return
			}
			s.line(phoneColour, callee.Number(), "is called", "")
			s.watch(ctx, callee)
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

// pause waits in our time.
func pause(ctx context.Context, d time.Duration) (done bool) {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
