// Package redistest starts a Redis for one test: a real redis-server, or
// miniredis, with the same suite for both. A server ends with its test.
package redistest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
)

// Server is a Redis that one test has to itself.
type Server struct {
	URL string

	client *redis.Client
	engine engine
}

// engine is what differs between miniredis and a real server.
type engine interface {
	start(t testing.TB)
	stop(t testing.TB)
	// advance lets time pass for the keys.
	advance(t testing.TB, client *redis.Client, d time.Duration)
}

// Each runs a test on miniredis and on a real redis-server.
func Each(t *testing.T, test func(t *testing.T, server *Server)) {
	t.Run("miniredis", func(t *testing.T) { test(t, Mini(t)) })
	t.Run("redis-server", func(t *testing.T) { test(t, Real(t)) })
}

// EachBench does for benchmarks what Each does for tests.
func EachBench(b *testing.B, bench func(b *testing.B, server *Server)) {
	b.Run("miniredis", func(b *testing.B) { bench(b, Mini(b)) })
	b.Run("redis-server", func(b *testing.B) { bench(b, Real(b)) })
}

// Mini starts miniredis.
func Mini(t testing.TB) *Server {
	t.Helper()
	m := &mini{address: "127.0.0.1:0", now: time.Now()}
	m.start(t)
	t.Cleanup(func() { m.stop(t) })
	return newServer(t, m.address, m)
}

// Real starts a redis-server of its own on a free port, which writes nothing to
// disk. A machine without redis-server fails the test.
func Real(t testing.TB) *Server {
	t.Helper()
	r := launch(t)
	return newServer(t, r.address(), r)
}

// Durable starts a redis-server as [Real] does, which writes all that it acknowledges to
// disk, and has it again after Stop and Start.
func Durable(t testing.TB) *Server {
	t.Helper()
	r := launch(t, "--appendonly", "yes", "--appendfsync", "always")
	return newServer(t, r.address(), r)
}

// Address is that of a server, HOST:PORT.
func (s *Server) Address() string { return s.client.Options().Addr }

// Pause stops a real server's process, as SIGSTOP does: connections stay, and nothing
// answers. Resume lets it go on.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume lets a server go on after Pause.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	p, ok := s.engine.(*process)
	if !ok {
		t.Fatal("only a real redis-server takes signals")
	}
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

func newServer(t testing.TB, address string, e engine) *Server {
	s := &Server{
		URL:    "redis://" + address,
		client: redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true}),
		engine: e,
	}
	t.Cleanup(func() {
		if err := s.client.Close(); err != nil {
			t.Errorf("close the test's own client: %v", err)
		}
	})
	return s
}

// Client returns a connection for looking at what is there.
func (s *Server) Client() *redis.Client { return s.client }

// Stop ends the server; its address refuses connections until Start.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.engine.stop(t)
}

// Start starts a stopped server at its old address. It has lost its data, unless it is one
// of [Durable].
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.engine.start(t)
}

// Advance lets time pass for the keys: those whose lease ends are gone.
func (s *Server) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	s.engine.advance(t, s.client, d)
}

// Forever lists the keys that have no expiry, sorted.
func Forever(t testing.TB, s *Server) (keys []string) {
	t.Helper()
	all, err := s.Client().Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		left, err := s.Client().PTTL(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if left == -1 { // as go-redis tells -1
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Eventually waits until condition holds, and fails the test if that takes
// longer than ten seconds. It is for what another process or goroutine does
// without telling.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	await(t, what, 10*time.Second, 2*time.Millisecond, condition)
}

// await looks again and again whether condition holds, for a time.
func await(t testing.TB, what string, within, every time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	again := time.NewTicker(every)
	defer again.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		case <-again.C:
		}
	}
}

type mini struct {
	server  *miniredis.Miniredis
	address string
	now     time.Time
}

// start makes a new server: one that was closed never blocks again, so that XREAD
// gets no answer.
func (m *mini) start(t testing.TB) {
	t.Helper()
	m.server = miniredis.NewMiniRedis()
	if err := m.server.StartAddr(m.address); err != nil {
		t.Fatalf("start miniredis on %s: %v", m.address, err)
	}
	m.now = m.now.Add(time.Second) // a restart takes time: stream ids are never given twice
	m.server.SetTime(m.now)
	m.address = m.server.Addr()
}

// Refuse has miniredis refuse, from now on, what Redis refuses with that error: all
// commands, or those that write. A script writes. "" ends it.
func Refuse(t testing.TB, s *Server, text string, all bool) {
	t.Helper()
	m, ok := s.engine.(*mini)
	if !ok {
		t.Fatal("only miniredis refuses what it is told to")
	}
	m.server.Server().SetPreHook(func(client *server.Peer, command string, _ ...string) bool {
		refused := text != "" && (all || writes[strings.ToUpper(command)])
		if refused {
			client.WriteError(text)
		}
		return refused
	})
}

var writes = map[string]bool{
	"SET": true, "DEL": true, "HSET": true, "SADD": true, "SREM": true, "ZADD": true, "XADD": true, "XDEL": true,
	"EXPIRE": true, "PEXPIRE": true, "EVAL": true, "EVALSHA": true,
}

func (m *mini) stop(testing.TB) { m.server.Close() }

func (m *mini) advance(_ testing.TB, _ *redis.Client, d time.Duration) {
	m.now = m.now.Add(d)
	m.server.SetTime(m.now)
	m.server.FastForward(d)
}

type process struct {
	program   string
	directory string
	args      []string // beside the usual ones, and stronger
	port      int      // 0 until the first start
	command   *exec.Cmd
	output    chan struct{} // closed when all output has been read
}

// start tries a few ports, because a free one can be taken before it is used.
func (p *process) start(t testing.TB) {
	t.Helper()
	var err error
	for range 5 {
		port := p.port
		if port == 0 {
			port = freePort(t)
		}
		if err = p.launch(port); err == nil {
			p.port = port
			return
		}
	}
	t.Fatalf("start redis-server: %v", err)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (p *process) launch(port int) error {
	args := []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", filepath.Clean(p.directory), "--logfile", ""}
	if len(p.args) > 0 && !strings.HasPrefix(p.args[0], "--") { // a file comes first
		args = append([]string{p.args[0]}, append(args, p.args[1:]...)...)
	} else {
		args = append(args, p.args...)
	}
	command := exec.Command(p.program, args...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(stdout)
	said, err := awaitReady(lines)
	p.command, p.output = command, make(chan struct{})
	go func() {
		defer close(p.output)
		_, _ = io.Copy(io.Discard, lines) // it must not block on a full pipe
	}()
	if err != nil {
		p.end()
		return errors.New(said)
	}
	return nil
}

// awaitReady reads until the server says that it accepts connections, or returns
// what it said instead.
func awaitReady(lines *bufio.Reader) (string, error) {
	var said strings.Builder
	for {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, "Ready to accept connections") || strings.Contains(line, "+monitor master") {
			return "", nil
		}
		if err != nil {
			return said.String(), err
		}
	}
}

func (p *process) end() {
	_ = p.command.Process.Kill()
	<-p.output
	_ = p.command.Wait() // it was killed, and says so
	p.command = nil
}

func (p *process) stop(testing.TB) {
	if p.command != nil {
		p.end()
	}
}

// advance moves the end of every lease closer: of keys, and of the controllers in
// the sorted sets of leases, whose scores are times.
func (p *process) advance(t testing.TB, client *redis.Client, d time.Duration) {
	t.Helper()
	ctx := context.Background()
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if err := age(ctx, client, key, d); err != nil {
			t.Fatalf("let time pass for %s: %v", key, err)
		}
	}
}

func age(ctx context.Context, client *redis.Client, key string, d time.Duration) error {
	if strings.HasSuffix(key, ":leases") {
		ends, err := client.ZRange(ctx, key, 0, -1).Result()
		if err != nil {
			return err
		}
		for _, member := range ends {
			if err := client.ZIncrBy(ctx, key, -float64(d.Milliseconds()), member).Err(); err != nil {
				return err
			}
		}
	}
	left, err := client.PTTL(ctx, key).Result()
	if err != nil || left < 0 {
		return err
	}
	return client.PExpire(ctx, key, left-d).Err() // deletes it when that is past
}
