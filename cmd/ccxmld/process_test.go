package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// processPatience bounds every wait for a process; it is no part of what the tests
// assert. A busy machine may take a minute to have the program's pages in memory.
const processPatience = 5 * time.Minute

// asProcess is the variable by which the test's program is the daemon: a process of
// its own, which can be killed, and whose end takes no test along.
const asProcess = "TEST_CCXMLD_PROCESS"

// process is a daemon that is a process of its own.
type process struct {
	testing.TB
	command   *exec.Cmd
	esl, http string // where it listens
	output    *os.File
	lines     *bufio.Reader
	ended     chan struct{} // closed when it has
	status    error
}

// startProcess starts a daemon with settings by their names in the environment. Its
// log is read up to the line that says that it is ready. The test's end kills it.
func startProcess(t testing.TB, settings map[string]string) *process {
	t.Helper()
	output, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{TB: t, command: exec.Command(program(t), "serve"), output: output, ended: make(chan struct{})}
	p.lines = bufio.NewReader(output)
	p.start(settings, theirs)
	return p
}

// fullAt is how large files become on a full disk.
const fullAt = 256 << 10

// startOnFullDisk starts a daemon whose files, its log among them, find no room beyond
// fullAt bytes.
func startOnFullDisk(t testing.TB, settings map[string]string) *process {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	theirs, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	// Blocks of 512 bytes; some shells have 1024.
	command := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -f %d; exec "$0" serve`, fullAt/512), program(t))
	p := &process{TB: t, command: command, output: output, ended: make(chan struct{})}
	p.lines = bufio.NewReader(&growing{p})
	p.start(settings, theirs)
	return p
}

// growing reads a process' file as it grows, until the process has ended. The system has
// no event for that which all systems have.
type growing struct{ *process }

// Read implements io.Reader.
func (g *growing) Read(into []byte) (int, error) {
	for {
		last := false
		select {
		case <-g.ended:
			last = true
		case <-time.After(10 * time.Millisecond):
		}
		n, err := g.output.Read(into)
		if n > 0 || last || err != io.EOF {
			return n, err
		}
		if at, err := g.output.Seek(0, io.SeekCurrent); err == nil { // where it was cut down, it begins anew
			if info, err := g.output.Stat(); err == nil && info.Size() < at {
				_, _ = g.output.Seek(0, io.SeekStart)
			}
		}
	}
}

// program is this one, which is the daemon where asProcess is set.
func program(t testing.TB) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// start starts the process, which logs to theirs, and reads its log until it is ready.
func (p *process) start(settings map[string]string, theirs *os.File) {
	t := p.TB
	t.Helper()
	spool, err := os.MkdirTemp("", "spool") // whose name has nothing of the test's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(spool) })
	p.command.Env = append(os.Environ(), asProcess+"=1", "CCXMLD_ESL_LISTEN=127.0.0.1:0", "CCXMLD_HTTP_LISTEN=127.0.0.1:0", "CCXMLD_DIALOG_SPOOL="+spool,
		"CCXMLD_DRAIN_TIMEOUT=0s") // there are sessions that never end
	for name, value := range settings {
		p.command.Env = append(p.command.Env, "CCXMLD_"+name+"="+value)
	}
	p.command.Stderr = theirs
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	go func() {
		p.status = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		p.output.Close()
	})
	ready := regexp.MustCompile(`msg="ccxmld is ready".* esl=(\S+) http=(\S+)`)
	var before bytes.Buffer
	for p.esl == "" {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the daemon did not start: %v\n%s", err, &before)
		}
		before.WriteString(line)
		if found := ready.FindStringSubmatch(line); found != nil {
			p.esl, p.http = found[1], found[2]
		}
	}
}

// read reads the log from now on, and gives what was read of it so far.
func (p *process) read() (log func() string) {
	var mu sync.Mutex
	var text bytes.Buffer
	go func() {
		for {
			line, err := p.lines.ReadString('\n')
			mu.Lock()
			if text.Len() < 64<<20 {
				text.WriteString(line)
			}
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

// readSlowly reads the log at a speed that is too low for what is written.
func readSlowly(p *process) {
	go func() {
		pace := time.NewTicker(10 * time.Millisecond)
		defer pace.Stop()
		for range pace.C {
			if _, err := p.lines.ReadString('\n'); err != nil {
				return
			}
		}
	}()
}

// waitLine reads the log up to a line with a text. It is not for a log that read reads.
func (p *process) waitLine(text string) {
	p.Helper()
	late := time.AfterFunc(processPatience, func() { _ = p.command.Process.Kill() })
	defer late.Stop()
	var before bytes.Buffer
	for {
		line, err := p.lines.ReadString('\n')
		before.WriteString(line)
		if err != nil {
			p.Fatalf("the log has no line with %q:\n%s", text, &before)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// get makes an HTTP request to it.
func (p *process) get(path string) (status int, body string) {
	p.Helper()
	client := http.Client{Timeout: processPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + p.http + path)
	if err != nil {
		p.Fatalf("%s: %v", path, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// counter is a number of /stats_10.
func (p *process) counter(name string) (n int64) {
	p.Helper()
	_, text := p.get("/stats_10")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+": "); ok {
			_, _ = fmt.Sscan(rest, &n)
		}
	}
	return n
}

// terminate ends it by SIGTERM, and fails the test if that takes too long.
func (p *process) terminate() {
	p.Helper()
	p.signal()
	p.waitEnded()
}

// signal sends it SIGTERM.
func (p *process) signal() {
	p.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.Fatalf("it has ended before: %v, %v", err, p.status)
	}
}

// waitEnded waits until it has ended, and fails the test if it does not, or not well.
func (p *process) waitEnded() {
	p.Helper()
	select {
	case <-p.ended:
		if p.status != nil {
			p.Errorf("it ended with %v", p.status)
		}
	case <-time.After(processPatience):
		p.Error("it does not end")
	}
}

// chatter logs without end: as much as its queue takes, again and again.
const chatter = `<ccxml version="1.0"><var name="long" expr="new Array(10000).join('x')"/><eventprocessor>
<transition event="ccxml.loaded"><send target="session.id" name="'again'"/></transition>
<transition event="again"><log expr="long"/><log expr="long"/><log expr="long"/><log expr="long"/><log expr="long"/><log expr="long"/><send target="session.id" name="'again'"/></transition>
</eventprocessor></ccxml>`

// wroteLines starts a daemon with a session that logs so many long lines, and gives it when
// that is done: its document says so to a server. change changes the process before.
func wroteLines(t *testing.T, lines int, settings map[string]string, change func(*process)) *process {
	t.Helper()
	done := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done <- struct{}{} }))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	text := fmt.Sprintf(`<ccxml version="1.0"><var name="long" expr="new Array(3000).join('x')"/><var name="lines" expr="new Array(%d).join('x').split('x')"/><eventprocessor>
<transition event="ccxml.loaded"><foreach object="lines" item="i"><log expr="long" label="long"/></foreach>
<send target="'%s/'" targettype="'basichttp'" name="'done'"/></transition>
</eventprocessor></ccxml>`, lines, server.URL)
	if err := os.WriteFile(dir+"/writer.ccxml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["TOKENS"] = "{t: {uri: 'file://" + dir + "/writer.ccxml'}}"
	settings["DOCUMENTS_ALLOW"] = "['" + server.URL + "/', 'file://" + dir + "/']"
	p := startProcess(t, settings)
	change(p)
	if status, body := p.get("/CCXML10.start?tokenid=t"); status != http.StatusOK {
		t.Fatalf("a session did not start: %d %s", status, body)
	}
	select {
	case <-done:
	case <-time.After(processPatience):
		t.Fatal("the document does not come to the end of its lines")
	}
	return p
}

// TestLogReader: neither a reader of the log who goes away nor one who stands still
// stops anything: sessions go on, the daemon answers, and SIGTERM ends it.
func TestLogReader(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*process){
		"goes away":    func(p *process) { p.output.Close() },
		"stands still": func(*process) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const lines = 3000 // of 4 KiB: more than what waits for the reader
			p := wroteLines(t, lines, map[string]string{"LOG_LINES_PER_SECOND": "100000"}, leave)
			if p.counter("log_lines_lost") == 0 {
				t.Error("no lines are lost")
			}
			if status, body := p.get("/CCXML10.start?tokenid=t"); status != http.StatusOK {
				t.Errorf("a session did not start: %d %s", status, body)
			}
			if n := p.counter("sessions"); n != 2 {
				t.Errorf("%d sessions run, 2 were started", n)
			}
			p.terminate()
		})
	}
}

// TestChatter: what a document may log is bounded for its session, and said once.
func TestChatter(t *testing.T) {
	t.Parallel()
	var log func() string
	p := wroteLines(t, 6000, map[string]string{"LOG_LINES_PER_SECOND": "2"}, func(p *process) { log = p.read() })
	if n := p.counter("log_lines_left_out"); n < 5000 {
		t.Errorf("%d lines are left out", n)
	}
	p.terminate()
	text := log()
	if n := strings.Count(text, "too much is logged: lines are left out from here on"); n != 1 {
		t.Errorf("it was said %d times that lines are left out", n)
	}
	if n := strings.Count(text, "msg=log "); n > 500 || len(text) > 3000*500 {
		t.Errorf("%d lines of the document, %d bytes in all", n, len(text))
	}
	if !strings.Contains(text, "session ended") {
		t.Error("the warning that the session ended was left out with the others")
	}
}
