package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ccxmld/switchsim"
)

// attack is something that is done to a running daemon. To add one, write it down in a
// list of its group and name the list in allAttacks.
type attack struct {
	name string
	// prepare writes documents and gives further settings; nil for none.
	prepare func(a *assault) map[string]string
	// run attacks until a.ctx ends.
	run func(a *assault)
	// check says what did not hold, once the attack is over; nil for nothing beside
	// what every attack is held to.
	check func(a *assault)
	// alone keeps others from being beside it: its work is long to end.
	alone bool
	// after changes the process once it has started, and then reads its log or not; nil
	// for a reader who reads all.
	after func(p *process)
	// fullDisk gives its files no room, its log among them.
	fullDisk bool
}

// allAttacks are the attacks of all groups.
func allAttacks() []attack {
	return slices.Concat(scriptAttacks, loopAttacks, socketAttacks, httpAttacks, fetchAttacks, storeAttacks, logAttacks, diskAttacks)
}

// assault is one attack under way.
type assault struct {
	testing.TB
	*process
	ctx  context.Context // ends with the attack
	dir  string          // of documents, which tokens start by their file names
	sw   *switchsim.Switch
	log  func() string  // what the process logged so far
	data map[string]any // of the attack's own
	uris map[string]string
}

func (a *assault) Helper() { a.TB.Helper() }

// document writes a document that the token of its name starts.
func (a *assault) document(name, text string) {
	a.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
	a.uris[name] = "file://" + filepath.Join(a.dir, name)
}

// transitions writes a document of transitions.
func (a *assault) transitions(name, text string) {
	a.Helper()
	a.document(name, `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>`+text+`</eventprocessor></ccxml>`)
}

// request makes a request whatever comes of it.
func (a *assault) request(method, path, form string) (status int, body string) {
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.http+path, strings.NewReader(form))
	if err != nil {
		return 0, ""
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(text)
}

// start starts the session of a document, and gives its id, "" for none.
func (a *assault) start(document string) string {
	status, body := a.request(http.MethodPost, "/CCXML10.start", "tokenid="+document)
	if id, ok := strings.CutPrefix(strings.TrimSpace(body), "success"); ok && status == http.StatusOK {
		return strings.TrimSpace(id)
	}
	return ""
}

// startAll starts the sessions of the attack's documents, again and again.
func startAll(a *assault) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range a.uris {
			if name != ordinaryName && !yield(name) {
				return
			}
		}
	})
	for a.ctx.Err() == nil {
		for _, name := range names {
			if a.ctx.Err() != nil {
				return
			}
			a.start(name)
			a.pause(20 * time.Millisecond)
		}
	}
}

// pause waits between two attempts: the attacker has this machine's processors too,
// and is not to be what is measured.
func (a *assault) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.ctx.Done():
	}
}

// ordinaryName is the document of the ordinary calls: the caller is answered, presses
// a digit, and is hung up.
const ordinaryName = "ordinary.ccxml"

const ordinaryText = `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.signal"><disconnect/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="connection.failed"><exit/></transition>`

// course is how attacks are run.
type course struct {
	undisturbed, attacked time.Duration
	between               time.Duration // of the ordinary calls
	most                  float64       // times the undisturbed p99; 0 for any
	together              bool          // with others, since nothing is measured
}

// courseOf is the one that TEST_ATTACKS asks for: a second of each attack, or with
// "all" long enough for figures. TEST_ATTACKS_P99 is what the p99 beside an attack may
// be, as a multiple of the undisturbed one; machines are noisy, so nothing without it.
func courseOf(t *testing.T) course {
	c := course{undisturbed: 200 * time.Millisecond, attacked: time.Second, between: 100 * time.Millisecond, together: true}
	if os.Getenv("TEST_ATTACKS") == "all" {
		c = course{undisturbed: 5 * time.Second, attacked: 10 * time.Second, between: 20 * time.Millisecond}
	}
	if text := os.Getenv("TEST_ATTACKS_P99"); text != "" {
		var err error
		if c.most, err = strconv.ParseFloat(text, 64); err != nil {
			t.Fatalf("TEST_ATTACKS_P99: %v", err)
		}
		c.together = false
	}
	return c
}

// TestAttacks attacks a daemon that is a process of its own, in each way that there
// is, while ordinary calls come in: none of them is lost, and the daemon lives and
// ends as it should. docs/security-tests.md has the figures. It takes most of a minute with
// the race detector: each attack has a second, and a daemon of its own to start and end.
func TestAttacks(t *testing.T) {
	way := courseOf(t)
	var table strings.Builder
	for _, attack := range allAttacks() {
		t.Run(attack.name, func(t *testing.T) {
			if way.together && !attack.alone {
				t.Parallel()
			}
			if way.together {
				attackOnce(t, attack, way)
				return
			}
			row := attackOnce(t, attack, way)
			t.Log(row)
			table.WriteString(row + "\n")
		})
	}
	if way.together {
		return
	}
	t.Log("\n| attack | calls beside it | lost | p50 and p99, undisturbed | p50 and p99 beside it | times the p99 | memory at most |\n| --- | --- | --- | --- | --- | --- | --- |\n" + table.String())
}

// attackOnce runs one attack, and gives its row of the table.
func attackOnce(t *testing.T, attack attack, way course) (row string) {
	a := &assault{TB: t, dir: t.TempDir(), data: make(map[string]any), uris: make(map[string]string)}
	sw := switchsim.New(switchsim.Options{})
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sw.Close)
	sw.AddTTS("flite")
	a.sw = sw
	a.transitions(ordinaryName, ordinaryText)
	settings := map[string]string{
		"NODES":           fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", sw.Addr()),
		"DOCUMENTS_ALLOW": fmt.Sprintf("['file://%s/']", a.dir),
	}
	if attack.prepare != nil {
		for name, value := range attack.prepare(a) {
			settings[name] = value
		}
	}
	var tokens strings.Builder
	for name, uri := range a.uris {
		fmt.Fprintf(&tokens, "'%s': '%s', ", name, uri)
	}
	settings["TOKENS"] = "{" + tokens.String() + "}"
	start := startProcess
	if attack.fullDisk {
		start = startOnFullDisk
	}
	a.process = start(t, settings)
	if attack.after != nil {
		attack.after(a.process)
		a.log = func() string { return "" }
	} else {
		a.log = a.read()
	}
	load := &ordinaryCalls{sw: sw, socket: a.esl, document: a.uris[ordinaryName]}
	before := load.during(t, way.undisturbed, way.between, nil)
	ctx, cancel := context.WithTimeout(context.Background(), way.attacked)
	defer cancel()
	a.ctx = ctx
	beside := load.during(t, way.attacked, way.between, func() { attack.run(a) })
	if attack.check != nil {
		checking, cancel := context.WithTimeout(context.Background(), processPatience)
		defer cancel()
		a.ctx = checking
		attack.check(a)
	}
	if status, body := a.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, body)
	}
	memory := a.memory()
	a.terminate()
	if a.process.status != nil {
		text := a.log()
		t.Logf("the end of its log:\n%s", text[max(0, len(text)-4000):])
	}
	if text := a.log(); strings.Contains(text, "internal error") || strings.Contains(text, "panicked") || strings.Contains(text, "DATA RACE") {
		t.Errorf("the log tells of a mistake of ours:\n%.4000s", text)
	}
	if beside.lost > 0 || before.lost > 0 {
		t.Errorf("%d of %d ordinary calls were lost beside the attack (%s), %d before it", beside.lost, len(beside.times)/2+beside.lost, beside.reason, before.lost)
	}
	times := float64(beside.at(0.99)) / float64(max(before.at(0.99), time.Microsecond))
	if way.most > 0 && times > way.most {
		t.Errorf("the p99 is %s, %.1f times that without the attack", beside.at(0.99), times)
	}
	return fmt.Sprintf("| %s | %d | %d | %s, %s | %s, %s | %.1f | %d MiB |", attack.name, len(beside.times)/2, beside.lost,
		before.at(0.5), before.at(0.99), beside.at(0.5), beside.at(0.99), times, memory)
}

// memory is what the process had resident at most, in MiB, where the system tells.
func (p *process) memory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return kilobytes >> 10
}

// ordinaryCalls are calls that nothing is the matter with.
type ordinaryCalls struct {
	sw               *switchsim.Switch
	socket, document string
}

// outcomeOfCalls is what came of them.
type outcomeOfCalls struct {
	times  []time.Duration // from an event to the command that answers it, in order of length
	lost   int
	reason string // of the first that was lost
}

func (o outcomeOfCalls) at(share float64) time.Duration {
	if len(o.times) == 0 {
		return 0
	}
	return o.times[min(len(o.times)-1, int(share*float64(len(o.times))))].Round(10 * time.Microsecond)
}

// during makes ordinary calls for a while, one after the other began, and beside them
// does something else; nil is nothing. It waits for all to end.
func (o *ordinaryCalls) during(t *testing.T, long time.Duration, between time.Duration, beside func()) (outcome outcomeOfCalls) {
	var mu sync.Mutex
	var running sync.WaitGroup
	if beside != nil {
		running.Go(beside)
	}
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for end := time.After(long); ; {
		select {
		case <-end:
			running.Wait()
			slices.Sort(outcome.times)
			return outcome
		case <-ticker.C:
		}
		running.Go(func() {
			times, err := o.call()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				outcome.lost++
				outcome.reason = cmp.Or(outcome.reason, err.Error())
				return
			}
			outcome.times = append(outcome.times, times...)
		})
	}
}

// call makes one call, and gives the time from its arrival to the answer, and from the
// digit to the hangup.
func (o *ordinaryCalls) call() (times []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), processPatience)
	defer cancel()
	begun := time.Now()
	caller, err := o.sw.Dial(switchsim.Call{Sockets: []string{o.socket}, Variables: map[string]string{"ccxml_uri": o.document}})
	if err != nil {
		return nil, err
	}
	if err := caller.WaitAnswered(ctx); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	times = append(times, time.Since(begun))
	begun = time.Now()
	caller.Press("1")
	ending, err := caller.WaitEnded(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("hangup: %w", err)
	case ending.Cause != "NORMAL_CLEARING":
		return nil, fmt.Errorf("it ended with %s", ending.Cause)
	}
	return append(times, time.Since(begun)), nil
}
