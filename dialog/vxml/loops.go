package vxml

import (
	"fmt"
	"strings"
	"time"

	"ccxmld/clock"
)

// loops notices a page that goes on for ever without the party: in circles, or with
// errors whose handlers bring about the next ones.
type loops struct {
	steps  int          // items visited, less what the time in which the party was heard allows
	errors clock.Window // of errorTime
}

const (
	// mostSteps bounds how many items are visited while nothing is heard: a page
	// that goes in circles ends there.
	mostSteps = 1000
	// stepTime is how long a party is to be heard or played to for each of these.
	stepTime = time.Millisecond
	// shortestTurn is how long a turn takes in which a party can be heard. One
	// without prompts and with a timeout of 0 is shorter.
	shortestTurn = 10 * time.Millisecond
	// mostErrors within errorTime are a loop, whatever is between them.
	mostErrors = 200
	errorTime  = 10 * time.Second
)

// heard notes a turn that took so long.
func (l *loops) heard(turn time.Duration) {
	if turn >= shortestTurn {
		l.steps = max(0, l.steps-int(turn/stepTime))
	}
}

// visiting counts an item or page that is visited.
func (x *execution) visiting() error {
	if x.loops.steps++; x.loops.steps > mostSteps {
		return &exit{reason: fmt.Sprintf("%s: the page goes in circles without being heard", x.where())}
	}
	return nil
}

// guardErrors ends a dialog that has too many errors in a short time: prompts that
// fail take time, and a turn that does is no circle.
func (x *execution) guardErrors(t *thrown) error {
	if !strings.HasPrefix(t.event, "error.") {
		return nil
	}
	if n := x.loops.errors.Count(x.browser.clock().Now(), errorTime); n >= mostErrors {
		return &exit{reason: fmt.Sprintf("%s: %d error events within %s; the last was %v", x.where(), n, errorTime, t)}
	}
	return nil
}
