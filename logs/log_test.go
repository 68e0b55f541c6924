package logs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/logs"
)

// reader is a writer whose reader reads when it is told to.
type reader struct {
	mu    sync.Mutex
	text  bytes.Buffer
	stop  chan struct{} // nil: it reads at once
	fails error
}

func (r *reader) Write(p []byte) (int, error) {
	if r.stop != nil {
		<-r.stop
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return 0, r.fails
	}
	return r.text.Write(p)
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// Whoever logs does not wait for a reader that stands still. What does not fit is
// dropped, counted, and told once he reads again; the end does not wait for him either.
func TestReaderThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{stop: make(chan struct{})}
		l := logs.New(logs.Options{Out: out, Queue: 4 << 10})
		for i := range 1000 {
			l.Logger().Info("line", "n", i)
		}
		lost := l.Lost()
		if lost < 500 || lost > 999 {
			t.Errorf("%d of 1000 lines were lost, with room for 4 KiB", lost)
		}
		l.Close(time.Second) // which gives up
		close(out.stop)
		synctest.Wait()
		text := out.String()
		if !strings.Contains(text, "n=0\n") || strings.Contains(text, "n=999\n") ||
			!strings.Contains(text, fmt.Sprintf("level=WARN msg=\"log lines were lost: they could not be written, or not as fast as they came\" lines=%d\n", lost)) {
			t.Errorf("what was read:\n%s", text)
		}
		if n := strings.Count(text, "msg=line"); int64(n)+lost != 1000 {
			t.Errorf("%d lines were read and %d lost", n, lost)
		}
	})
}

// A reader that has gone away stops nothing.
func TestReaderThatGoesAway(t *testing.T) {
	l := logs.New(logs.Options{Out: &reader{fails: io.ErrClosedPipe}})
	for range 10 {
		l.Logger().Info("line")
	}
	l.Close(time.Minute)
	l.Logger().Info("too late")
	if l.Lost() != 11 {
		t.Errorf("%d lines are counted as lost", l.Lost())
	}
}

// Each session, each address, and each message of neither may log so much, warnings
// beside the rest; who logs more is named when it begins and every ten seconds.
func TestRates(t *testing.T) {
	for _, c := range []struct{ attribute, value, told string }{
		{"session", "s1", "session=s1"},
		{"remote", "192.0.2.1:4711", "remote=192.0.2.1"},
		{"other", "x", "message=flood"},
	} {
		t.Run(c.attribute, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &reader{}
				l := logs.New(logs.Options{Out: out, PerSecond: 2})
				log := l.Logger().With(c.attribute, c.value)
				for i := range 1000 {
					log.Info("flood", "n", i)
				}
				log.Warn("important")
				l.Logger().Info("another", "session", "s2")
				l.Logger().Info("flood", "session", "s3")
				time.Sleep(10 * time.Second)
				for i := range 21 {
					log.Info("flood", "n", 2000+i)
				}
				time.Sleep(time.Minute)
				l.Logger().Info("flood", c.attribute, c.value)
				l.Close(time.Minute)
				text := out.String()
				note := func(message string, n int) string {
					return fmt.Sprintf("msg=%q %s left_out=%d lines_per_second=2 ", message, c.told, n)
				}
				for _, want := range []string{
					"msg=flood " + c.attribute + "=" + c.value + " n=19\n", "msg=important", "msg=another", "msg=flood session=s3",
					note("too much is logged: lines are left out from here on", 1),
					note("lines of the log were left out", 979), "n=2019\n",
				} {
					if strings.Count(text, want) != 1 {
						t.Errorf("%q was logged %d times", want, strings.Count(text, want))
					}
				}
				if strings.Contains(text, "n=20\n") || strings.Contains(text, "n=2020\n") || l.LeftOut() != 981 {
					t.Errorf("%d lines were left out of:\n%s", l.LeftOut(), text)
				}
			})
		})
	}
}

// An address that names another session each time counts as one, and so does a machine
// that has a network of IPv6 addresses.
func TestRateOfAnAddress(t *testing.T) {
	for told, format := range map[string]string{
		"192.0.2.1":         "192.0.2.1:%d",
		"2001:db8:1:2::/64": "[2001:db8:1:2::%x]:4711",
		"fe80::/64":         "[fe80::%x%%eth0]:4711",
	} {
		out := &reader{}
		l := logs.New(logs.Options{Out: out, PerSecond: 1, Now: func() time.Time { return time.Unix(1, 0) }})
		for i := range 100 {
			l.Logger().Info("refused", "session", i, "remote", fmt.Sprintf(format, i+1))
		}
		l.Logger().Info("another's", "remote", "[2001:db8:1:3::1]:4711")
		l.Close(time.Minute)
		text := out.String()
		if n := strings.Count(text, "refused"); n != 10 || !strings.Contains(text, "remote="+told+" left_out=1 ") || !strings.Contains(text, "another's") {
			t.Errorf("%s: %d lines of %s", format, n, text)
		}
	}
}

// What documents make long is cut, in both formats, and stays one line.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("ä\n", 1<<20)
	for _, json := range []bool{false, true} {
		out := &reader{}
		l := logs.New(logs.Options{Out: out, JSON: json})
		l.Logger().Info(long, "text", long, "error", errors.New(long), "list", []string{long}, "n", 1)
		l.Logger().WithGroup("g").Info("message", slog.Group("h", "text", long))
		l.Close(time.Minute)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || len(lines[0]) > 30_000 || len(lines[1]) > 8000 || !strings.Contains(lines[0], "… (3145728 bytes)") {
			t.Errorf("json %v: %d lines, %.200s", json, len(lines), lines[0])
		}
	}
}
