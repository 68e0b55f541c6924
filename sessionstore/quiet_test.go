package sessionstore_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// TestTroubleIsSaidOnce: a Redis that takes no writes, and one that refuses some, make one
// line of the log each, however long that lasts, and another when it is over.
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
