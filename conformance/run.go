package conformance

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/interpreter"
)

// Result is what came of a test.
type Result struct {
	Test    *Test
	Failure string // "" for pass
}

// patience bounds one test.
const patience = 20 * time.Second

// Run runs tests, at most parallel of them at a time, and gives their results in
// the same order. heard, which may be nil, is told of each as it comes, one at a
// time.
func (s *Site) Run(ctx context.Context, tests []*Test, parallel int, heard func(Result)) []Result {
	results := make([]Result, len(tests))
	var running sync.WaitGroup
	var mu sync.Mutex
	next := 0
	take := func() (i int) {
		mu.Lock()
		defer mu.Unlock()
		i, next = next, next+1
		return i
	}
	for range max(parallel, 1) {
		clock.GoIn(&running, s.clock, func() {
			for i := take(); i < len(tests); i = take() {
				results[i] = Result{tests[i], s.run(ctx, tests[i])}
				mu.Lock()
				if heard != nil {
					heard(results[i])
				}
				mu.Unlock()
			}
		})
	}
	clock.Await(s.clock, running.Wait)
	return results
}

// run runs one test and says what failed.
func (s *Site) run(ctx context.Context, t *Test) (failure string) {
	ctx, cancel := clock.WithTimeout(ctx, s.clock, patience)
	defer cancel()
	uri, a := s.begin(t)
	defer s.forget(uri)
	if err := s.start(ctx, t, uri, a.more); err != nil {
		return err.Error()
	}
	for ctx.Err() == nil {
		if e := s.ended(a); e != nil {
			return verdict(*e)
		}
		a.over.WaitContext(ctx)
	}
	return fmt.Sprintf("it did not end within %s", patience)
}

func (s *Site) start(ctx context.Context, t *Test, uri string, more *More) error {
	if t.Incoming {
		caller := t.Caller
		caller.More = more
		return s.sw.Call(ctx, s.daemon.ESLAddress(), uri, caller)
	}
	_, err := s.daemon.Controller.Start(ctx, callcontrol.StartRequest{
		URI: uri, Values: []interpreter.Pair{{Name: "given", Value: "by the request"}},
	})
	return err
}

// verdict reads how a session ended: by <exit expr="'pass'"/> or otherwise.
func verdict(e interpreter.Ending) (failure string) {
	text, isText := e.Value.(string)
	switch {
	case e.Reason != "":
		return "the session died: " + e.Reason
	case !isText:
		return fmt.Sprintf("it ended with %v; expected 'pass', or 'fail: ' and why", e.Value)
	case text == "pass":
		return ""
	}
	if why := strings.TrimSpace(strings.TrimPrefix(text, "fail:")); why != "" {
		return why
	}
	return "it ended with " + strconv.Quote(text)
}
