package callcontrol_test

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// failure is a row of the table in docs/http.md: something that goes wrong, and what
// /readyz says of it.
type failure struct {
	options []sitetest.Option
	// fail makes it go wrong, and gives what mends it; nil where nothing does.
	fail   func(s *sitetest.Site) (mend func())
	status int
	says   string
	well   string // what it says when it is mended
}

// redisFailure is one of Redis.
func redisFailure(fail func(*redisLine) (mend func())) failure {
	return failure{
		fail:   func(s *sitetest.Site) func() { return fail(newRedisLine(s)) },
		status: http.StatusServiceUnavailable, says: "redis: does not answer", well: "redis: ok",
	}
}

func refused(says string) failure {
	return redisFailure(func(l *redisLine) func() {
		l.refuse(says)
		return l.restore
	})
}

var failures = map[string]failure{
	"Redis is away": redisFailure(func(l *redisLine) func() {
		l.cut()
		return l.restore
	}),
	"Redis is read-only":   refused("READONLY You can't write against a read only replica."),
	"Redis refuses writes": refused("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."),
	"Redis is slow": redisFailure(func(l *redisLine) func() {
		l.slowDown()
		return l.restore
	}),
	"no node is configured": {
		options: []sitetest.Option{sitetest.With("NODES", "[]")},
		fail:    func(*sitetest.Site) func() { return nil },
		status:  http.StatusOK, says: "process: ok",
	},
	"no node has a link": {
		fail:   closesSwitch,
		status: http.StatusOK, says: "not connected", well: "node sim: ok",
	},
	"one of two nodes has no link": {
		options: []sitetest.Option{func(o *sitetest.Options) { o.AddSwitch(switchsim.Options{}) }},
		fail:    closesSwitch,
		status:  http.StatusOK, says: "not connected", well: "node sim: ok",
	},
	"the spool has no room": {
		options: []sitetest.Option{sitetest.With("DIALOG_SPOOL_BYTES", "1KiB"), sitetest.AllowDocuments("http://audio")},
		fail: func(s *sitetest.Site) func() {
			s.Handle("audio", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "audio/wav")
				size := map[string]int{"/small.wav": 1, "/large.wav": 2 << 10}[r.URL.Path]
				_, _ = w.Write(make([]byte, size))
			})
			prepare := func(size string) string {
				return then(size, `<dialogprepare type="'audio/wav'" src="'http://audio/`+size+`.wav'"/>`)
			}
			s.StartSession(s.Transitions("prepare.ccxml", then("ccxml.loaded", `<log expr="'session ' + session.id"/>`)+
				prepare("large")+prepare("small")+then("error.dialog.notprepared", ``)))
			s.Inject("large")
			return func() { s.Inject("small") }
		},
		status: http.StatusOK, says: " is full: ", well: "spool: ok",
	},
	"memory beyond `limits.process_memory`": {
		options: []sitetest.Option{sitetest.With("LIMITS_PROCESS_MEMORY", "64MiB")},
		fail: func(s *sitetest.Site) func() {
			held := make([]byte, 64<<20)
			s.Cleanup(func() { runtime.KeepAlive(held) })
			return nil
		},
		status: http.StatusServiceUnavailable, says: "process: ",
	},
	"ccxmld drains": {
		fail: func(s *sitetest.Site) func() {
			s.StartSession(s.Transitions("stays.ccxml", then("ccxml.loaded", `<log expr="'session ' + session.id"/>`)))
			s.WaitLog("session ")
			s.Daemon.Drain("the test")
			return nil
		},
		status: http.StatusServiceUnavailable, says: "draining",
	},
}

// elsewhere are rows of the table that another test has.
var elsewhere = map[string]string{"recordings have no room": "TestAttacks, since no simulation looks after files"}

func closesSwitch(s *sitetest.Site) (mend func()) {
	address := s.Switch.Addr()
	s.Switch.Close()
	return func() { s.Must(s.AddSwitch(switchsim.Options{}).Listen(address)) }
}

// TestReadiness: whatever is away or full, the process stays healthy, and whether calls may
// be sent to it is as docs/http.md has it, until it is mended.
func TestReadiness(t *testing.T) {
	t.Parallel()
	for name, f := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t, f.options...)
			says := func(status int, line string) {
				s.Helper()
				s.WaitUntil("/readyz says "+line, func() bool {
					got, body := s.Get("/readyz")
					return got == status && strings.Contains(body, line)
				})
				if status, body := s.Get("/healthz"); status != http.StatusOK {
					t.Errorf("/healthz: %d %s", status, body)
				}
			}
			if f.well != "" {
				says(http.StatusOK, f.well)
			}
			mend := f.fail(s)
			says(f.status, f.says)
			if mend != nil {
				mend()
				says(http.StatusOK, f.well)
			}
		})
	}
}

// TestReadinessIsDocumented: the table of docs/http.md has what is tested, and nothing else.
func TestReadinessIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| what is wrong | `/readyz` | says | from when |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := make(map[string]bool)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(line, "| ---") {
			continue
		}
		name := strings.TrimSpace(cells[1])
		rows[name] = true
		f, tested := failures[name]
		if !tested && elsewhere[name] == "" {
			t.Errorf("%q is documented and not tested", name)
		}
		if tested && strings.TrimSpace(cells[2]) != strconv.Itoa(f.status) {
			t.Errorf("%q is documented with %s, and tested with %d", name, strings.TrimSpace(cells[2]), f.status)
		}
	}
	for name := range failures {
		if !rows[name] {
			t.Errorf("%q is tested and not documented", name)
		}
	}
}
