package dialog_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/fetch"
)

// stuck is a server that answers when its requests are given up; deaf is one that
// does not even then.
type stuck struct{ deaf chan struct{} }

func (s stuck) Fetch(ctx context.Context, _ fetch.Request) (*fetch.Response, error) {
	if s.deaf != nil {
		<-s.deaf
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// starts starts a dialog and notes what comes of it.
func starts(s *dialog.Service, leg *dialogtest.Leg, r dialog.Request, told *[]string) {
	leg.Call(func() {
		s.Start(r, leg, leg.Do, dialog.Events{
			Started:    func() { *told = append(*told, "started") },
			NotStarted: func(reason string) { *told = append(*told, reason) },
			Exited:     func(dialog.Result) { *told = append(*told, "exit") },
		})
	})
}

// What dialogs have under way has a bound, beyond which they say why they do not
// start; that is logged once.
func TestTooMuchUnderWay(t *testing.T) {
	const words = "1 pages and fetches of dialogs are under way already, or ccxmld ends"
	for name, r := range map[string]dialog.Request{
		"audio":      {Source: "http://host/a.wav", Type: "audio/wav"},
		"text":       {Source: "http://host/a.txt", Type: "text/plain"},
		"background": {Source: "http://host/a.wav", Type: "audio/wav", Hints: map[string]any{"background": true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := dialog.New(dialog.Options{TTSEngine: "flite", Clock: clocktest.Real(), Fetcher: stuck{}, Spool: t.TempDir(),
					Logger: slog.New(slog.NewTextHandler(&log, nil))})
				s.SetMost(1)
				leg := dialogtest.NewLeg()
				var first, told []string
				starts(s, leg, dialog.Request{ID: "first", Source: "http://host/a.txt", Type: "text/plain"}, &first)
				for range 2 {
					starts(s, leg, r, &told)
				}
				if len(first) != 0 || len(told) != 2 || !strings.Contains(told[0], words) {
					t.Errorf("the first is told %q, the others %q", first, told)
				}
				var prepared error
				leg.Call(func() { s.Prepare(r, leg.Do, func(err error) { prepared = err }) })
				if prepared == nil || prepared.Error() != words {
					t.Errorf("prepared with %v", prepared)
				}
				if n := strings.Count(log.String(), "too much is under way"); n != 1 {
					t.Errorf("said %d times: %s", n, &log)
				}
				leg.Close()
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Close ends what dialogs have under way, and does not wait for what does not end.
func TestCloseEndsTheWork(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := stuck{}
			if deaf {
				server.deaf = make(chan struct{})
				defer close(server.deaf)
			}
			s := dialog.New(dialog.Options{TTSEngine: "flite", Clock: clocktest.Real(), Fetcher: server})
			leg := dialogtest.NewLeg()
			var told []string
			starts(s, leg, dialog.Request{ID: "d", Source: "http://host/a.txt", Type: "text/plain"}, &told)
			leg.Call(func() {
				s.Prepare(dialog.Request{ID: "p", Source: "http://host/a.txt", Type: "text/plain"}, leg.Do, func(error) {})
			})
			leg.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			err := s.Close(ctx)
			if took := time.Since(began); !deaf && (err != nil || took > 0) {
				t.Errorf("took %s: %v", took, err)
			} else if deaf && (err == nil || !strings.Contains(err.Error(), "what is under way for dialogs does not end") || took > 2*time.Second) {
				t.Errorf("took %s: %v", took, err)
			}
		})
	}
}
