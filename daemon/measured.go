package daemon

import (
	"time"

	"ccxmld/fetch"
	"ccxmld/metrics"
)

// measured is how the controller is when somebody scrapes its metrics.
func (d *Daemon) measured() metrics.State {
	s := metrics.State{Redis: d.Store.Healthy(), Conferences: d.Conferences.Held(), GivenUp: d.strain.Given(), Nodes: make(map[string]bool)}
	load := d.Controller.Load()
	s.Sessions, s.Calls, s.Draining, s.Overdue = load.Sessions, load.Calls, load.Draining, d.Controller.Overdue()
	stats := d.Store.Stats()
	s.Unwritten, s.Unrecorded = stats.Waiting, stats.Dropped
	for _, node := range d.Controller.Nodes() {
		s.Nodes[node.Name] = node.Err == nil
	}
	if d.counters != nil {
		for _, c := range d.counters() {
			if c.Name == "log_lines_lost" {
				s.LogLost = uint64(max(0, c.Value))
			}
		}
	}
	return s
}

// fetched counts what was fetched.
func (d *Daemon) fetched(purpose string, response *fetch.Response, err error, took time.Duration) {
	outcome := "ok"
	switch {
	case err != nil:
		outcome = "failed"
	case response.FromCache:
		outcome = "cached"
	}
	d.metrics.Fetched(purpose, outcome, took)
}
