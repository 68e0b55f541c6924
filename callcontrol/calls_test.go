package callcontrol_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/interpreter"
	"ccxmld/script"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// calls is a site on which a test has documents, and parties call. The test's goroutine
// is at work on its virtual time.
type calls struct {
	testing.TB
	*site.Site
	ctx context.Context
	dir string

	mu    sync.Mutex
	lines []string // what documents log, and errors of the log
	come  *clock.Waiter
}

// eventsPerSecond is the setting of how fast a session is.
const eventsPerSecond = "LIMITS_EVENTS_PER_SECOND"

// settings are a daemon's, by environment names without their prefix.
type settings map[string]string

func newCalls(t *testing.T, o switchsim.Options, with settings) *calls {
	t.Helper()
	o.LogCommands = true
	s, err := site.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.OnStall(func(report string) { t.Error(report) })
	s.Switch.AddTTS("flite")
	c := &calls{TB: t, Site: s, dir: t.TempDir(), come: clock.NewWaiter(s.Clock)}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	all := settings{

		"ESL_LISTEN": "127.0.0.1:0", "HTTP_LISTEN": "127.0.0.1:0", "LIMITS_SCRIPT_TIME": "30s",
		"NODES":           fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", s.Switch.Addr()),
		"DOCUMENTS_ALLOW": fmt.Sprintf("[%q, %q]", "file://"+c.dir+"/", "file:///sounds/"),
		"DIAL_ROUTES":     "[{match: 'tel:(.*)', dial: 'sofia/internal/$1'}]",
		"DIALOG_SPOOL":    t.TempDir(),
	}
	maps.Copy(all, with)
	var environ []string
	for name, value := range all {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	if all[eventsPerSecond] != "" {
		config.Limits.EventsPerSecond = 1 // less than a configuration may say
	}
	var cancel context.CancelFunc
	c.ctx, cancel = clock.WithTimeout(context.Background(), s.Clock, time.Hour)
	t.Cleanup(cancel)
	log := slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if err := s.Start(c.ctx, config, log, c, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// Write takes a line of the log.
func (c *calls) Write(line []byte) (int, error) {
	c.Logf("%v %s", c.Clock.Now().Format("05.000"), strings.TrimSpace(string(line)))
	c.note(string(line))
	return len(line), nil
}

func (c *calls) note(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	c.come.Wake()
}

// Logged and the others implement interpreter.Observer.
func (c *calls) Logged(_, _, text string) { c.note("<log> " + text) }

func (c *calls) EventHandled(_ string, e *interpreter.Event, _ *script.Position) {
	c.note("<event> " + e.Name)
}

func (c *calls) StateChanged(string, string) {}

func (c *calls) SessionEnded(string, string, interpreter.Ending) {}

// has tells how often a text was in a line.
func (c *calls) has(text string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// await waits for a line with a text.
func (c *calls) await(text string) {
	c.Helper()
	for c.has(text) == 0 {
		if c.ctx.Err() != nil {
			c.mu.Lock()
			lines := slices.Clone(c.lines)
			c.mu.Unlock()
			c.Fatalf("never seen: %s; but %s", text, strings.Join(slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "<") }), "\n"))
		}
		c.come.WaitContext(c.ctx)
	}
}

func (c *calls) pause(d time.Duration) { clock.Sleep(c.ctx, c.Clock, d) }

// document writes a document and gives its URI; vars are the names of its variables.
func (c *calls) document(name, vars, transitions string) string {
	c.Helper()
	var declared strings.Builder
	for _, v := range strings.Fields(vars) {
		fmt.Fprintf(&declared, `<var name=%q/>`, v)
	}
	text := `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">` + declared.String() + `<eventprocessor>` + transitions + `</eventprocessor></ccxml>`
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return "file://" + path
}

// dial makes a call come in, for a document.
func (c *calls) dial(document string) *switchsim.Party {
	c.Helper()
	party, err := c.Switch.Dial(switchsim.Call{
		From: "4075550100", Sockets: []string{c.Daemon.ESLAddress()}, Variables: map[string]string{"ccxml_uri": document},
	})
	if err != nil {
		c.Fatal(err)
	}
	return party
}

// must ends the test on an error.
func (c *calls) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// over waits until all sessions and calls have ended, in FreeSWITCH too.
func (c *calls) over() {
	c.Helper()
	c.must(c.Daemon.Controller.WaitIdle(c.ctx))
	for c.ctx.Err() == nil && c.Daemon.Controller.Connections()+c.Switch.Channels() > 0 {
		c.pause(100 * time.Millisecond)
	}
	if n, m := c.Daemon.Controller.Connections(), c.Switch.Channels(); n+m > 0 {
		c.Errorf("%d legs and %d channels are left", n, m)
	}
}

// idle makes the switch take commands and do nothing about them.
func idle(command string) func(name, argument string) bool {
	return func(name, argument string) bool {
		return strings.Contains(" "+name+" "+argument+" ", " "+command+" ")
	}
}

// begin starts a session without a call.
func (c *calls) begin(document string) {
	c.Helper()
	if _, err := c.Daemon.Controller.Start(c.ctx, callcontrol.StartRequest{URI: document}); err != nil {
		c.Fatal(err)
	}
}
