package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/conference"
	"ccxmld/proxytest"
	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
	"ccxmld/switchsim"
)

// faultSite is three controllers that are processes of their own, a redis-server, and two
// simulated FreeSWITCHes in the process of the test. A proxy stands between each
// controller and each of the others.
type faultSite struct {
	testing.TB
	random   *rand.Rand
	dir      string            // of documents
	redis    *redistest.Server // nil where Sentinels have several
	url      string            // of Redis, without a proxy
	store    *sessionstore.Store
	rooms    *conference.Registry
	nodes    []*faultNode
	living   []*faultController
	said     *sayings
	calls    []*faultCall
	sends    []*faultSend
	numbers  int
	patience time.Duration // of waits that are no part of what is asserted
	refused  int           // calls and sessions that nobody took
	figures  map[string]*faultFigures
	losses   []time.Time   // when faults began and were over: what was not written down may be lost
	gone     time.Time     // when the last controller was killed in this fault
	longest  time.Duration // of delays, and of calls to somebody who hangs up
	failOver func()        // of Redis to a replica; nil without Sentinels

	mu  sync.Mutex
	esl map[string]*faultController // by the address of its listener
}

// faultNode is a simulated FreeSWITCH, which may be started anew.
type faultNode struct {
	name, sip string
	*switchsim.Switch
}

// faultController is a controller, and the ways to it.
type faultController struct {
	*process
	name    string
	redis   *proxytest.Proxy   // to Redis; nil with Sentinels
	links   []*proxytest.Proxy // to each node
	sockets []*proxytest.Proxy // from each node
}

func newFaultSite(t testing.TB, seed uint64, redis *redistest.Server, url string, patience time.Duration) *faultSite {
	s := &faultSite{TB: t, random: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), redis: redis, url: url,
		said: &sayings{counts: make(map[string]int)}, figures: make(map[string]*faultFigures), esl: make(map[string]*faultController), patience: patience, longest: 5 * time.Second}
	if patience < processPatience {
		s.longest = 30 * time.Second
	}
	for name, text := range faultDocuments {
		text = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">` + text + `</ccxml>`
		s.must(os.WriteFile(filepath.Join(s.dir, name+".ccxml"), []byte(text), 0o600))
	}
	var err error
	s.store, err = sessionstore.Open(t.Context(), sessionstore.Options{URL: url})
	s.must(err)
	t.Cleanup(func() { _ = s.store.Close() })
	s.rooms, err = conference.NewRegistry(s.store, conference.Options{Controller: "who looks"})
	s.must(err)
	for i := range 2 {
		n := &faultNode{name: fmt.Sprint("fs", i+1), sip: fmt.Sprintf("10.0.0.%d:5090", i+1)}
		s.nodes = append(s.nodes, n)
		s.startNode(i, "127.0.0.1:0")
	}
	t.Cleanup(func() {
		for _, n := range s.nodes {
			n.Close()
		}
	})
	for _, name := range []string{"c1", "c2", "c3"} {
		s.start(name)
	}
	return s
}

func (s *faultSite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// startNode starts a FreeSWITCH, whose calls to the others and from them come through.
func (s *faultSite) startNode(i int, address string) {
	s.Helper()
	n := s.nodes[i]
	n.Switch = switchsim.New(switchsim.Options{Name: n.name, Tick: 20 * time.Millisecond,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return s.dialSocket(ctx, i, network, address)
		}})
	n.Callee("*", switchsim.Answers{After: 500 * time.Millisecond})
	s.must(n.Listen(address))
	for j, other := range s.nodes {
		if j != i && other.Switch != nil {
			n.Reach(other.sip, other.Switch)
			other.Reach(n.sip, n.Switch)
		}
	}
}

// dialSocket connects a node to a controller's listener, through the proxy between them.
func (s *faultSite) dialSocket(ctx context.Context, node int, network, address string) (net.Conn, error) {
	s.mu.Lock()
	c := s.esl[address]
	s.mu.Unlock()
	if c == nil {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return c.sockets[node].Dial(ctx)
}

// start starts a controller, and waits until its links are up.
func (s *faultSite) start(name string) {
	s.Helper()
	c := &faultController{name: name}
	var nodes []string
	for _, n := range s.nodes {
		link := proxytest.New(s.TB, n.Addr())
		c.links = append(c.links, link)
		nodes = append(nodes, fmt.Sprintf("{name: %s, address: '%s', password: ClueCon, sip: 'sip:%s'}", n.name, link.Addr(), n.sip))
	}
	url := s.url
	if s.redis != nil {
		c.redis = proxytest.New(s.TB, s.redis.Address())
		url = "redis://" + c.redis.Addr()
	}
	var tokens []string
	for document := range faultDocuments {
		tokens = append(tokens, fmt.Sprintf("%s: 'file://%s/%s.ccxml'", document, s.dir, document))
	}
	c.process = startProcess(s.TB, map[string]string{
		"CONTROLLER_ID": name, "REDIS_URL": url, "DRAIN_TIMEOUT": "1h",
		"NODES":                "[" + strings.Join(nodes, ", ") + "]",
		"TOKENS":               "{" + strings.Join(tokens, ", ") + "}",
		"DOCUMENTS_ALLOW":      "['file://" + s.dir + "/']",
		"DIAL_ROUTES":          "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}]",
		"LOG_LINES_PER_SECOND": "100000",
	})
	s.said.of(c)
	for range s.nodes {
		c.sockets = append(c.sockets, proxytest.New(s.TB, c.esl))
	}
	s.mu.Lock()
	s.esl[c.esl] = c
	s.mu.Unlock()
	s.living = append(s.living, c)
	s.await("the links of "+name+" are up", func() string {
		if n, err := c.number("nodes_up"); n != int64(len(s.nodes)) {
			return fmt.Sprintf("%d are, %v", n, err)
		}
		return ""
	})
}

// remove takes a controller out that is about to end.
func (s *faultSite) remove(c *faultController) {
	for i, other := range s.living {
		if other == c {
			s.living = append(s.living[:i:i], s.living[i+1:]...)
		}
	}
}

// await waits until nothing is wrong any more.
func (s *faultSite) await(what string, wrong func() string) {
	s.Helper()
	if last := s.within(s.patience, wrong); last != "" {
		s.Fatalf("waited in vain: %s: %s", what, last)
	}
}

// within looks again and again whether something is wrong, and tells what still is at the
// end of a time.
func (s *faultSite) within(d time.Duration, wrong func() string) (last string) {
	late := time.NewTimer(d)
	defer late.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		if last = wrong(); last == "" {
			return ""
		}
		select {
		case <-late.C:
			return last
		case <-again.C:
		case <-s.Context().Done():
			return s.Context().Err().Error()
		}
	}
}

// number is one of /stats_10, and an error where the controller does not answer.
func (c *faultController) number(name string) (int64, error) {
	text, err := c.ask("/stats_10")
	if err != nil {
		return 0, err
	}
	_, text, _ = strings.Cut("\n"+text, "\n"+name+": ")
	value, _, _ := strings.Cut(text, "\r\n")
	return strconv.ParseInt(value, 10, 64)
}

// sayings are the lines that the controllers log: those of documents are counted, by their
// texts, and those kept that tell of a mistake of ours.
type sayings struct {
	mu       sync.Mutex
	counts   map[string]int
	mistakes []string
}

var documentsLine = regexp.MustCompile(`msg=log .*\btext=(?:"([^"]*)"|(\S+))`)

// of reads the log of a controller to its end, and writes it to a file of the directory
// TEST_FAULTS_LOGS.
func (y *sayings) of(c *faultController) {
	var copied io.Writer = io.Discard
	if dir := os.Getenv("TEST_FAULTS_LOGS"); dir != "" {
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.log", c.name, c.command.Process.Pid)))
		if err != nil {
			c.Fatal(err)
		}
		c.Cleanup(func() { _ = file.Close() })
		copied = file
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(io.TeeReader(c.lines, copied))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			y.hear(c.name, lines.Text())
		}
	}()
	c.Cleanup(func() {
		_ = c.command.Process.Kill()
		<-read
	})
}

func (y *sayings) hear(controller, line string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if found := documentsLine.FindStringSubmatch(line); found != nil {
		y.counts[found[1]+found[2]]++
		return
	}
	for _, mistake := range []string{"internal error", "panicked", "DATA RACE", "panic:"} {
		if strings.Contains(line, mistake) {
			y.mistakes = append(y.mistakes, controller+": "+line)
		}
	}
}

// count tells how often something was said.
func (y *sayings) count(text string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.counts[text]
}

// failures are how often documents told of an event that they do not want.
func (y *sayings) failures(event string) (n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for text, times := range y.counts {
		if strings.HasPrefix(text, "failed "+event+":") {
			n += times
		}
	}
	return n
}
