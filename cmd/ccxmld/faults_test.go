package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ccxmld/proxytest"
	"ccxmld/sessionstore/redistest"
)

// TestFaultsOfProcesses does what happens to machines and networks to three controllers, a
// Redis and two FreeSWITCHes under a load of calls, all of which but the FreeSWITCHes are
// processes. After each fault every call that is left belongs to one session, conferences
// have whom they should, who talked talks, and a digit is told once; no call that a
// FreeSWITCH still has is lost. In the end nothing is left, and each delayed send was fired
// once.
//
// TEST_FAULTS_FOR, a time, has faults come at random for so long, and within 30 s of each
// everything has to be well again. TEST_FAULTS_SEED chooses the faults, TEST_FAULTS_ONLY names
// those to begin with, and TEST_FAULTS_LOGS is a directory for the logs. Without them there
// are few faults, and no bound that a slow machine would not keep.
func TestFaultsOfProcesses(t *testing.T) {
	t.Parallel()
	long, within, patience := 0*time.Second, processPatience, processPatience
	if text := os.Getenv("TEST_FAULTS_FOR"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal("TEST_FAULTS_FOR: expected a time, such as 15m:", err)
		}
		within, patience = 30*time.Second, 2*time.Minute
	}
	var only []string
	if text := os.Getenv("TEST_FAULTS_ONLY"); text != "" {
		only = strings.Split(text, ",")
	}
	seed, _ := strconv.ParseUint(os.Getenv("TEST_FAULTS_SEED"), 10, 64)
	t.Run("redis", func(t *testing.T) {
		if long == 0 {
			t.Parallel()
		}
		redis := redistest.Durable(t)
		s := newFaultSite(t, seed, redis, redis.URL, patience)
		first := []string{"kill -9", "Redis is restarted", "cut off from Redis", "SIGTERM"}
		if only != nil {
			first = only
		}
		s.faults(within, first, long*3/4)
	})
	t.Run("sentinel", func(t *testing.T) {
		if long == 0 {
			t.Parallel()
		}
		d := redistest.Sentinels(t)
		s := newFaultSite(t, seed, nil, d.URL, patience)
		s.failOver = func() { d.FailOver("") }
		s.faults(within, []string{"failover to a replica"}, long/4)
	})
}

// faultKinds are the faults. Each happens, with the load going on, and is over when it
// returns. A leg whose socket is cut for 5 s is given up (docs/design.md, Deadlines), so that
// these are cut for less.
var faultKinds = map[string]func(s *faultSite){
	"kill -9":                   (*faultSite).kill,
	"two kill -9":               func(s *faultSite) { s.kill(); s.kill() },
	"SIGTERM":                   (*faultSite).drain,
	"SIGSTOP beyond the lease":  (*faultSite).pause,
	"Redis is restarted":        (*faultSite).restartRedis,
	"Redis is stopped for 10 s": (*faultSite).pauseRedis,
	"FLUSHALL":                  (*faultSite).flushRedis,
	"cut off from Redis":        func(s *faultSite) { s.disturb(s.some().redis, 2*time.Second, 8*time.Second) },
	"cut off beyond the lease":  func(s *faultSite) { s.disturb(s.some().redis, 20*time.Second, 40*time.Second) },
	"cut off from a node":       func(s *faultSite) { s.disturb(s.some().links[s.random.IntN(2)], 2*time.Second, 40*time.Second) },
	"a node's sockets cut":      func(s *faultSite) { s.disturb(s.some().sockets[s.random.IntN(2)], 500*time.Millisecond, 4*time.Second) },
	"delays":                    (*faultSite).delay,
	"a node dies":               (*faultSite).killNode,
}

// notHeld are the faults after which not everything is well again yet (docs/failover.md). They
// happen by TEST_FAULTS_ONLY alone.
var notHeld = []string{"SIGSTOP beyond the lease", "FLUSHALL", "a node dies"}

// faultFigures are what came of the faults of one kind.
type faultFigures struct {
	times, calls, lost, young int
	broken                    int           // talks and memberships that ended and were made again
	longest                   time.Duration // until everything was well again
}

// faults does some faults one after the other, and then others at random for a time.
func (s *faultSite) faults(within time.Duration, first []string, long time.Duration) {
	s.Helper()
	kinds := make([]string, 0, len(faultKinds))
	for kind := range faultKinds {
		if slices.Contains(notHeld, kind) {
			continue
		}
		if s.redis != nil || !strings.Contains(kind, "Redis") && !slices.Contains([]string{"FLUSHALL", "delays", "cut off beyond the lease"}, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	begun := time.Now()
	s.run(5 * time.Second)
	for _, kind := range first {
		s.fault(kind, within)
	}
	for time.Since(begun) < long {
		s.fault(kinds[s.random.IntN(len(kinds))], within)
	}
	s.finish()
	s.report(time.Since(begun))
}

// fault does one fault, and checks what holds afterwards.
func (s *faultSite) fault(kind string, within time.Duration) {
	s.Helper()
	s.run(s.between(time.Second, 3*time.Second))
	s.noteSettled()
	f := s.figures[kind]
	if f == nil {
		f = &faultFigures{}
		s.figures[kind] = f
	}
	broken := s.said.failures("conference.unjoined")
	s.losses = append(s.losses, time.Now())
	s.gone = time.Time{}
	s.Logf("=== %s %s", time.Now().UTC().Format("15:04:05.000"), kind)
	if do := faultKinds[kind]; do != nil {
		do(s)
	} else {
		s.failOver()
		s.run(2 * time.Second)
	}
	s.losses = append(s.losses, time.Now())
	over := time.Now()
	if !s.gone.IsZero() {
		over = s.gone
	}
	if wrong := s.within(within, s.wrong); wrong != "" {
		s.Fatalf("%s after %s: %s", time.Since(over).Round(time.Millisecond), kind, wrong)
	}
	took := time.Since(over).Round(10 * time.Millisecond)
	f.times, f.calls, f.longest = f.times+1, f.calls+len(s.calls), max(f.longest, took)
	for _, call := range s.ended() {
		ending, err := call.caller.WaitEnded(s.Context())
		s.must(err)
		switch {
		case !call.settled:
			f.young++
		default:
			f.lost++
			if kind != "a node dies" {
				s.Errorf("%s: the call of %s (%s), a %s, is lost: %s", kind, call.caller.Number(), call.caller.UUID(), call.kind, ending.Cause)
			}
		}
		s.calls = slices.DeleteFunc(s.calls, func(c *faultCall) bool { return c == call })
	}
	f.broken += s.said.failures("conference.unjoined") - broken
	digits := s.probe()
	s.Logf("=== well after %s: %d calls, %d digits told once", took, len(s.calls), digits)
	if s.Failed() {
		s.FailNow()
	}
}

func (s *faultSite) report(took time.Duration) {
	var rows strings.Builder
	kinds := make([]string, 0, len(s.figures))
	for kind := range s.figures {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		f := s.figures[kind]
		fmt.Fprintf(&rows, "| %s | %d | %d | %d | %d | %d | %.1f s |\n", kind, f.times, f.calls, f.lost, f.young, f.broken, f.longest.Seconds())
	}
	s.Logf("%s, %d calls and sessions, %d of them refused\n| fault | times | calls during it | lost | not there for a second yet, and ended | joins that were made again | well again after, at most |\n| --- | --- | --- | --- | --- | --- | --- |\n%s",
		took.Round(time.Second), s.numbers, s.refused, &rows)
}

// again is the name of who is started in a controller's place: its own, or another.
func (s *faultSite) again(name string) string {
	if s.random.IntN(2) == 0 {
		return "c" + s.number()
	}
	return name
}

func (s *faultSite) kill() {
	c := s.some()
	s.gone = time.Now()
	s.losses = append(s.losses, s.gone)
	s.must(c.command.Process.Kill())
	s.remove(c)
	s.run(s.between(0, 5*time.Second))
	s.start(s.again(c.name))
}

func (s *faultSite) drain() {
	c := s.some()
	c.signal()
	s.remove(c)
	s.await(c.name+" ends", func() string {
		select {
		case <-c.ended:
			return ""
		default:
			s.run(100 * time.Millisecond)
			return "it runs"
		}
	})
	c.waitEnded()
	s.start(s.again(c.name))
}

// pause stops a controller for longer than its lease.
func (s *faultSite) pause() {
	c := s.some()
	s.must(c.command.Process.Signal(syscall.SIGSTOP))
	s.remove(c)
	s.run(s.store.Lease() + s.between(2*time.Second, 10*time.Second))
	s.losses = append(s.losses, time.Now())
	s.must(c.command.Process.Signal(syscall.SIGCONT))
	s.living = append(s.living, c)
	s.run(2 * time.Second)
}

func (s *faultSite) restartRedis() {
	s.redis.Stop(s)
	s.run(s.between(0, 5*time.Second))
	s.redis.Start(s)
}

func (s *faultSite) pauseRedis() {
	s.redis.Pause(s)
	s.run(10 * time.Second)
	s.redis.Resume(s)
}

func (s *faultSite) flushRedis() {
	s.must(s.redis.Client().FlushAll(s.Context()).Err())
	s.run(2 * time.Second)
}

// disturb cuts a network, or lets nothing through, for a time.
func (s *faultSite) disturb(p *proxytest.Proxy, least, most time.Duration) {
	disturb := p.Cut
	if s.random.IntN(2) == 0 {
		disturb = p.Hold
	}
	disturb(true)
	s.run(s.between(least, most))
	disturb(false)
}

// delay makes networks slow.
func (s *faultSite) delay() {
	var slow []*proxytest.Proxy
	for _, c := range s.living {
		slow = append(slow, c.redis)
		slow = append(slow, c.links...)
		slow = append(slow, c.sockets...)
	}
	for _, p := range slow {
		p.Delay(s.between(0, 200*time.Millisecond))
	}
	s.run(10 * time.Second)
	for _, p := range slow {
		p.Delay(0)
	}
}

// killNode ends a FreeSWITCH with its calls, and starts it anew.
func (s *faultSite) killNode() {
	i := s.random.IntN(len(s.nodes))
	address := s.nodes[i].Addr()
	s.nodes[i].Close()
	s.run(s.between(0, 10*time.Second))
	s.startNode(i, address)
	s.await("the links are up", func() string {
		for _, c := range s.living {
			if n, err := c.number("nodes_up"); n != int64(len(s.nodes)) {
				return fmt.Sprintf("%s has %d, %v", c.name, n, err)
			}
		}
		return ""
	})
}
