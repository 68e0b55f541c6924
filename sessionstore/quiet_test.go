package sessionstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestTroubleIsSaidOnce: a Redis that takes no writes, and one that refuses some, make one
// line of the log each, further ones ever less often, and another when it is over.
func TestTroubleIsSaidOnce(t *testing.T) {
	server := redistest.Real(t)
	redis := server.Client()
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	do := func(command ...any) {
		t.Helper()
		if err := redis.Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, trouble := range []struct {
		name    string
		on, off []any
		over    string
	}{
		{"a read-only replica", []any{"REPLICAOF", "127.0.0.1", port}, []any{"REPLICAOF", "NO", "ONE"}, "redis answers"},
		{"a key of another kind", []any{"SET", "ccxml:session:{s}", "garbage"}, []any{"DEL", "ccxml:session:{s}"}, "sessions are written to redis again"},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			var log bytes.Buffer
			c := newClock()
			o := options(server.URL, c)
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			s := open(t, o)
			if err := s.Register(t.Context(), sessionstore.Controller{ID: "a", Started: c.Now()}); err != nil {
				t.Fatal(err)
			}
			log.Reset()
			do(trouble.on...)
			s.SaveSession(sampleSession("s"))
			for range 30 {
				c.Advance(time.Second)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
				t.Errorf("said %d times: %s", n, &log)
			}
			for range 170 {
				c.Advance(time.Second)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 3 || strings.Count(log.String(), "times=") != 2 {
				t.Errorf("said %d times in 200 s: %s", n, &log)
			}
			do(trouble.off...)
			for range 5 {
				c.Advance(time.Second)
			}
			if !strings.Contains(log.String(), trouble.over) {
				t.Errorf("not said that it is over: %s", &log)
			}
		})
	}
}

// TestMailThatIsNotReceived: that mail of other controllers cannot be read while Redis is
// well is said, and that it can be again.
func TestMailThatIsNotReceived(t *testing.T) {
	server := redistest.Real(t)
	var log syncBuffer
	c := newClock()
	o := options(server.URL, c)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, o)
	key := "ccxml:controller:{a}:mail"
	if err := server.Client().Set(t.Context(), key, "garbage", 0).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Receive(ctx, "a", func(sessionstore.Mail) {})
	}()
	tries := func(text string) func() bool {
		return func() bool {
			c.Advance(time.Second)
			return strings.Contains(log.String(), text)
		}
	}
	redistest.Eventually(t, "said that it is not received", tries("mail from other controllers is not received; trying again"))
	if err := server.Client().Del(t.Context(), key).Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, "said that it is received again", tries("mail from other controllers is received again"))
	cancel()
	<-ended
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
