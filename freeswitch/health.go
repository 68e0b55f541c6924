package freeswitch

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/fsm"
)

// failuresInARow is after how many calls that fail by its own fault a node is passed
// over.
const failuresInARow = 3

// health tells whether a node's calls fail by its own fault. A node whose calls do
// is passed over for a while, and then tried again with one.
type health struct {
	node *Node

	mu       sync.Mutex
	state    fsm.Machine[healthState, healthInput]
	failures int // in a row
	rest     time.Duration
	resting  string       // why it is passed over
	timer    *clock.Timer // of the rest
}

// problem says why the node is passed over, "" if it is not.
func (h *health) problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.state.Is(nodePassedOver) {
		return ""
	}
	return h.resting
}

// failed notes a call that failed by the node's own fault.
func (h *health) failed(cause string) {
	rest, failures, later := h.passOver(cause)
	log := h.node.log
	later(log)
	if rest == 0 {
		return
	}
	log.Warn("node is passed over", "for", rest, "failures", failures, "cause", cause)
	timer := h.node.all.after(rest, func() {
		if h.tryAgain() {
			log.Info("node is tried again")
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.state.Is(nodePassedOver) { // a call has worked meanwhile
		timer.Stop()
		return
	}
	h.timer = timer
}

// passOver counts a failure, and tells for how long the node is passed over from now
// on; 0 if it is not, or is already.
func (h *health) passOver(cause string) (rest time.Duration, failures int, later func(*slog.Logger)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	input := callFailed
	if h.failures >= failuresInARow {
		input = oneTooMany
	}
	do, later := h.state.Step(input)
	if do != passOverForAWhile {
		return 0, 0, later
	}
	h.rest = min(max(2*h.rest, shortestRest), longestRest)
	h.resting = fmt.Sprintf("passed over for %s: %d calls in a row failed by its own fault, the last with %s", h.rest, h.failures, cause)
	return h.rest, h.failures, later
}

// tryAgain ends the rest, and tells whether there was one.
func (h *health) tryAgain() bool {
	h.mu.Lock()
	do, later := h.state.Step(restOver)
	h.mu.Unlock()
	later(h.node.log)
	return do == tryIt
}

// worked notes a call that the node did its part for.
func (h *health) worked() {
	h.mu.Lock()
	timer := h.timer
	do, later := h.state.Step(callWorked)
	h.failures, h.rest, h.timer = 0, 0, nil
	h.mu.Unlock()
	timer.Stop()
	later(h.node.log)
	if do == tellWell {
		h.node.log.Info("node works again")
	}
}
