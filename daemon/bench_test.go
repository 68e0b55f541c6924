//go:build unix

package daemon_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/interpreter"
	"ccxmld/script"
	"ccxmld/sessionstore/redistest"
)

// contender is a program that takes calls: ccxmld, or a baseline that is
// hard-coded to do what the document tells ccxmld to.
type contender interface {
	address() string
	document() string // of a contender that runs one
	settle()          // waits until all is done that ended calls leave to do
	flush()           // has written what it keeps of live calls
	stop()
}

// contenders are what is measured, each against the first. With live, which is
// told of each answered call, calls are answered and wait; without, they are
// played a prompt and hung up.
var contenders = []struct {
	name  string
	start func(b testing.TB, sw *switchProcess, live func()) contender
}{
	{"raw", func(b testing.TB, _ *switchProcess, live func()) contender { return startRaw(b, myEvents, live) }},
	{"raw-list", func(b testing.TB, _ *switchProcess, live func()) contender { return startRaw(b, needEvents, live) }},
	{"eslgo", func(b testing.TB, _ *switchProcess, live func()) contender { return startEslgo(b, live) }},
	{"ccxmld", func(b testing.TB, sw *switchProcess, live func()) contender { return startCcxmld(b, sw, live) }},
	{"ccxmld-off", func(b testing.TB, sw *switchProcess, live func()) contender {
		return startCcxmld(b, sw, live, onRedis(b), "CCXMLD_DURABILITY=off")
	}},
	{"ccxmld-behind", func(b testing.TB, sw *switchProcess, live func()) contender {
		return startCcxmld(b, sw, live, onRedis(b), "CCXMLD_DURABILITY=behind")
	}},
}

// onRedis is the setting of a redis-server that ends with the benchmark.
func onRedis(b testing.TB) string { return "CCXMLD_REDIS_URL=" + redistest.Real(b).URL }

// atOnce is how many calls are made at a time.
const atOnce = 64

// BenchmarkCall makes calls: connect, answer, one prompt, hang up. What counts is
// cpu-µs/call, the user and system time of this process, which the switch is
// not part of; the time on the wall is the prompt's.
func BenchmarkCall(b *testing.B) {
	sw := startSwitch(b)
	var results table
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			program := c.start(b, sw, nil)
			defer program.stop()
			order := switchOrder{Address: program.address(), Document: program.document(), Parallel: atOnce}
			order.Calls = 2 * atOnce // the first ones pay for what is made once
			sw.do(b, order)
			program.settle()
			order.Calls = b.N
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			before := cpuTime()
			sw.do(b, order)
			program.settle()
			spent := cpuTime() - before
			b.StopTimer()
			b.ReportMetric(0, "ns/op")
			results.report(b, c.name, float64(spent)/float64(b.N)/float64(time.Microsecond), "cpu-µs/call")
		})
	}
	results.print()
}

// liveCalls is how many calls BenchmarkLiveCalls keeps.
const liveCalls = 5000

// BenchmarkLiveCalls keeps calls that are answered and wait, and reports what one
// takes of the heap and of stacks.
func BenchmarkLiveCalls(b *testing.B) {
	allowFiles(b, 2*liveCalls+1000)
	sw := startSwitch(b)
	var results table
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			var perCall float64
			for range b.N {
				perCall = memoryPerCall(b, sw, c.start)
			}
			b.ReportMetric(0, "ns/op")
			results.report(b, c.name, perCall, "bytes/live-call")
		})
	}
	results.print()
}

// liveDialogs is how many dialogs BenchmarkLiveDialogs keeps.
const liveDialogs = 1000

// BenchmarkLiveDialogs keeps calls whose VoiceXML page has spoken and listens, and
// reports what one takes of the heap and of stacks, beside calls that wait without a
// dialog.
func BenchmarkLiveDialogs(b *testing.B) {
	allowFiles(b, 2*liveDialogs+1000)
	sw := startSwitch(b)
	var results table
	for _, c := range []struct {
		name  string
		start func(testing.TB, *switchProcess, func()) contender
	}{
		{"call", func(b testing.TB, sw *switchProcess, live func()) contender { return startCcxmld(b, sw, live) }},
		{"voicexml", func(b testing.TB, sw *switchProcess, live func()) contender {
			return startDocuments(b, sw, eventCounter{"dialog.user.listens", live}, map[string]string{
				"call.ccxml": dialogDocument, "page.vxml": benchPage,
			})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var each float64
			for range b.N {
				each = memoryEach(b, sw, liveDialogs, c.start)
			}
			b.ReportMetric(0, "ns/op")
			results.report(b, c.name, each, "bytes/live-call")
		})
	}
	results.print()
}

func memoryPerCall(b testing.TB, sw *switchProcess, start func(testing.TB, *switchProcess, func()) contender) float64 {
	return memoryEach(b, sw, liveCalls, start)
}

// memoryEach keeps so many calls, and gives what one takes.
func memoryEach(b testing.TB, sw *switchProcess, calls int64, start func(testing.TB, *switchProcess, func()) contender) float64 {
	var answered atomic.Int64
	complete := make(chan struct{})
	program := start(b, sw, func() {
		if answered.Add(1) == calls {
			close(complete)
		}
	})
	defer program.stop()
	before := memoryInUse()
	sw.do(b, switchOrder{Address: program.address(), Document: program.document(), Hold: int(calls)})
	<-complete
	program.flush()
	taken := memoryInUse() - before
	sw.do(b, switchOrder{Release: true})
	program.settle()
	return float64(taken) / float64(calls)
}

// memoryInUse is what the heap and the stacks take, in bytes.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC() // the first one only moves what pools hold aside
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// allowFiles makes room for sockets, here and in the switch's process.
func allowFiles(b testing.TB, files uint64) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	if limit.Cur >= files {
		return
	}
	limit.Cur = min(files, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < files {
		b.Fatalf("%d open files are needed (ulimit -n), %d are allowed: %v", files, limit.Max, err)
	}
}

// table is the last results of a benchmark's contenders, in order.
type table struct {
	unit  string
	names []string
	value map[string]float64
}

// report reports a result, and its ratio to the first contender's.
func (t *table) report(b *testing.B, name string, value float64, unit string) {
	if t.value == nil {
		t.value = make(map[string]float64)
	}
	if _, known := t.value[name]; !known {
		t.names = append(t.names, name)
	}
	t.unit, t.value[name] = unit, value
	b.ReportMetric(value, unit)
	b.ReportMetric(t.ratio(name), "x-"+t.names[0])
}

func (t *table) ratio(name string) float64 { return t.value[name] / t.value[t.names[0]] }

// print prints the table; go test shows no log of a benchmark that has parts.
func (t *table) print() {
	for _, name := range t.names {
		fmt.Printf("    %-10s %9.0f %s %6.2f x %s\n", name, t.value[name], t.unit, t.ratio(name), t.names[0])
	}
}

// The documents of the benchmarks.
const (
	promptDocument = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'` + benchPrompt + `'" type="'audio/wav'"/></transition>
    <transition event="dialog.exit"><disconnect connectionid="event$.connectionid"/></transition>
    <transition event="connection.disconnected"><exit/></transition>
    <transition event="error.*"><log expr="event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`
	dialogDocument = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"><dialogstart src="'page.vxml'"/></transition>
    <transition event="dialog.user.listens"/>
    <transition event="connection.disconnected"><exit/></transition>
    <transition event="error.*"><log expr="event$.reason"/><exit/></transition>
  </eventprocessor>
</ccxml>`
	// A page as they are: it has variables and a script, handlers at all levels, a
	// menu, and several fields with grammars.
	benchPage = `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
  <property name="timeout" value="3600s"/>
  <var name="attempts" expr="0"/>
  <script>function spaced(digits) { return digits.split('').join(' ') }</script>
  <link dtmf="*0" next="#menu"/>
  <catch event="noinput nomatch" count="3">Good bye.<exit/></catch>
  <form id="account">
    <var name="welcome" expr="'Welcome'"/>
    <block><audio src="` + benchPrompt + `"><value expr="welcome"/></audio><send event="listens"/></block>
    <field name="number" type="digits?minlength=6;maxlength=10">
      <noinput>Please enter your account number.<reprompt/></noinput>
    </field>
    <field name="pin">
      <grammar mode="dtmf" version="1.0" root="pin"><rule id="pin"><item repeat="4"><ruleref uri="#digit"/></item></rule>
        <rule id="digit"><one-of><item>0</item><item>1</item><item>2</item><item>3</item><item>4</item><item>5</item><item>6</item><item>7</item><item>8</item><item>9</item></one-of></rule></grammar>
      Your number is <value expr="spaced(number)"/>. Please enter your PIN.
    </field>
    <filled namelist="number pin"><goto next="#menu"/></filled>
  </form>
  <menu id="menu" dtmf="true">
    <prompt><enumerate/></prompt>
    <choice next="#account">another account</choice>
    <choice event="help">help</choice>
  </menu>
</vxml>`
	waitDocument = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
  <eventprocessor>
    <transition event="connection.alerting"><accept/></transition>
    <transition event="connection.connected"/>
    <transition event="connection.disconnected"><exit/></transition>
  </eventprocessor>
</ccxml>`
)

// ccxmldController is the daemon with one node and, as where nothing is configured,
// an embedded Redis: what that takes counts too.
type ccxmldController struct {
	b      testing.TB
	daemon *daemon.Daemon
	uri    string
	cancel context.CancelFunc
	ended  chan error
}

func startCcxmld(b testing.TB, sw *switchProcess, live func(), settings ...string) *ccxmldController {
	if live == nil {
		return startDocuments(b, sw, nil, map[string]string{"call.ccxml": promptDocument}, settings...)
	}
	return startDocuments(b, sw, eventCounter{"connection.connected", live}, map[string]string{"call.ccxml": waitDocument}, settings...)
}

// startDocuments starts a daemon that runs call.ccxml of the documents.
func startDocuments(b testing.TB, sw *switchProcess, observer interpreter.Observer, documents map[string]string, settings ...string) *ccxmldController {
	dir := b.TempDir()
	for name, text := range documents {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil { // a new file is not cached yet
			b.Fatal(err)
		}
	}
	config, err := conf.Load(conf.Source{Environ: append([]string{
		"CCXMLD_ESL_LISTEN=127.0.0.1:0", "CCXMLD_HTTP_LISTEN=127.0.0.1:0",
		"CCXMLD_LIMITS_SESSIONS=20000", "CCXMLD_ESL_CONNECTIONS_PER_ADDRESS=20000",
		fmt.Sprintf("CCXMLD_DOCUMENTS_ALLOW=[%q, %q]", "file://"+dir+"/", "file://"+filepath.Dir(benchPrompt)+"/"), "CCXMLD_DIALOG_SPOOL=" + dir,
		fmt.Sprintf("CCXMLD_NODES=[{name: sim, address: %q, password: ClueCon}]", sw.address),
	}, settings...)})
	if err != nil {
		b.Fatal(err)
	}
	c := &ccxmldController{b: b, uri: "file://" + filepath.Join(dir, "call.ccxml"), ended: make(chan error, 1)}
	silent := &slog.HandlerOptions{Level: slog.LevelError + 1}
	log := slog.New(slog.NewTextHandler(os.Stderr, silent))
	if c.daemon, err = daemon.New(b.Context(), config, log, observer); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() { c.ended <- c.daemon.Run(ctx) }()
	return c
}

func (c *ccxmldController) address() string  { return c.daemon.ESLAddress() }
func (c *ccxmldController) document() string { return c.uri }

func (c *ccxmldController) settle() {
	if err := c.daemon.Controller.WaitIdle(c.b.Context()); err != nil {
		c.b.Fatal(err)
	}
}

func (c *ccxmldController) flush() {
	if err := c.daemon.Store.Flush(c.b.Context()); err != nil {
		c.b.Fatal(err)
	}
}

func (c *ccxmldController) stop() {
	c.cancel()
	if err := <-c.ended; err != nil {
		c.b.Error(err)
	}
}

// eventCounter tells of each event of a name.
type eventCounter struct {
	name string
	live func()
}

func (c eventCounter) EventHandled(_ string, e *interpreter.Event, _ *script.Position) {
	if e.Name == c.name {
		c.live()
	}
}

func (eventCounter) Logged(string, string, string) {}
func (eventCounter) StateChanged(string, string)   {}

func (eventCounter) SessionEnded(string, string, interpreter.Ending) {}
