package freeswitch

import (
	"fmt"
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
	rest, failures := h.passOver(cause)
	if rest == 0 {
		return
	}
	log := h.node.log
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
func (h *health) passOver(cause string) (rest time.Duration, failures int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	input := callFailed
	if h.failures >= failuresInARow {
		input = callFailedAgain
	}
	if h.state.Take(input, h.node.Log) != passOverForAWhile {
		return 0, 0
	}
	h.rest = min(max(2*h.rest, shortestRest), longestRest)
	h.resting = fmt.Sprintf("passed over for %s: %d calls in a row failed by its own fault, the last with %s", h.rest, h.failures, cause)
	return h.rest, h.failures
}

// tryAgain ends the rest, and tells whether there was one.
func (h *health) tryAgain() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.Take(restOver, h.node.Log) == tryIt
}

// worked notes a call that the node did its part for.
func (h *health) worked() {
	h.mu.Lock()
	timer, again := h.timer, h.state.Take(callWorked, h.node.Log) == tellWell
	h.failures, h.rest, h.timer = 0, 0, nil
	h.mu.Unlock()
	timer.Stop()
	if again {
		h.node.log.Info("node works again")
	}
}
