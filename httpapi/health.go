package httpapi

import (
	"context"
	"net/http"
	"time"
)

// Check is one thing that /readyz asks about: the session store, a link.
type Check struct {
	// Name is how the answer calls it, such as "redis" or "node fs1".
	Name string
	// Probe says what is wrong, or nil. It has a few seconds and is called by
	// several requests at once.
	Probe func(ctx context.Context) error
	// Optional marks what ccxmld can do without: it is shown, but does not
	// make ccxmld unready.
	Optional bool
}

const probeTime = 3 * time.Second

// health says that the process answers; it asks nothing else, so that a
// supervisor does not restart ccxmld because Redis is away.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "ok")
}

// ready says whether calls should be sent here, with a line for each check.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.stopping.Load():
		answer(w, http.StatusServiceUnavailable, "not ready", "shutting down")
		return
	case s.draining.Load():
		answer(w, http.StatusServiceUnavailable, "not ready", "draining")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	status, lines := http.StatusOK, []string{"ready"}
	var checks []Check
	if s.options.Checks != nil {
		checks = s.options.Checks()
	}
	for _, c := range checks {
		state := "ok"
		if err := c.Probe(ctx); err != nil {
			state = oneLine(err.Error())
			if c.Optional {
				state += " (goes without)"
			} else {
				status, lines[0] = http.StatusServiceUnavailable, "not ready"
			}
		}
		lines = append(lines, c.Name+": "+state)
	}
	answer(w, status, lines...)
}
