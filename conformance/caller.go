package conformance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
)

// Caller is who calls for a test.
type Caller struct {
	Steps   []Step
	Headers map[string]string // SIP headers of the INVITE
	More    *More             // what it does then, when it is asked to
}

// variables are the channel variables in which mod_sofia keeps a caller's headers.
func (c Caller) variables() map[string]string {
	variables := make(map[string]string, len(c.Headers))
	for name, value := range c.Headers {
		if name == "History-Info" {
			variables["sip_history_info"] = value
			continue
		}
		variables["sip_h_"+name] = value
	}
	return variables
}

// Step is something that a caller does, one after the other.
type Step struct {
	Do   Action
	Wait time.Duration // of Wait
	Keys string        // of Press
}

// Action is a kind of step.
type Action int

// What callers do.
const (
	Answered Action = iota // wait until the call is answered
	Wait
	Press
	HangUp
)

// next gives the steps that the caller is to take after its first ones; none when
// the test is over.
func (c Caller) next(ctx context.Context) []Step {
	for ctx.Err() == nil {
		if steps, ok := c.More.take(); ok {
			return steps
		}
		c.More.come.WaitContext(ctx)
	}
	return nil
}

// More is what a caller is asked to do while it is on the phone. One goroutine takes
// it.
type More struct {
	come *clock.Waiter

	mu    sync.Mutex
	steps [][]Step
}

// put asks for more; not taken if there is too much already.
func (m *More) put(steps []Step) (taken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.steps) >= mostAsked {
		return false
	}
	m.steps = append(m.steps, steps)
	m.come.Wake()
	return true
}

func (m *More) take() (steps []Step, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.steps) == 0 {
		return nil, false
	}
	steps, m.steps = m.steps[0], m.steps[1:]
	return steps, true
}

// parseKeys reads the keys that a page asks to be pressed, as they stand in the
// name of an event: h for #, s for *, - for a moment in between, and x for hanging up.
func parseKeys(keys string) (steps []Step) {
	const moment = 300 * time.Millisecond
	for i, part := range strings.Split(keys, "-") {
		if i > 0 {
			steps = append(steps, Step{Do: Wait, Wait: moment})
		}
		part, hangsUp := strings.CutSuffix(part, "x")
		if part = strings.NewReplacer("h", "#", "s", "*").Replace(part); part != "" {
			steps = append(steps, Step{Do: Press, Keys: part})
		}
		if hangsUp {
			steps = append(steps, Step{Do: HangUp})
		}
	}
	return steps
}

// parseSteps reads what a caller does: steps separated by semicolons, such as
// "answered; wait 300ms; press 12#; hang up". Without a step it stays on the
// phone.
func parseSteps(text string) (steps []Step, err error) {
	for part := range strings.SplitSeq(text, ";") {
		word, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
		rest = strings.TrimSpace(rest)
		step := Step{}
		switch {
		case word == "":
			continue
		case word == "answered":
		case word == "wait":
			step.Do = Wait
			if step.Wait, err = time.ParseDuration(rest); err != nil {
				return nil, fmt.Errorf("caller: %w", err)
			}
		case word == "press" && rest != "":
			step.Do, step.Keys = Press, rest
		case word == "hang" && rest == "up":
			step.Do = HangUp
		default:
			return nil, fmt.Errorf("caller: %q is none of: answered, wait TIME, press KEYS, hang up", part)
		}
		steps = append(steps, step)
	}
	return steps, nil
}
