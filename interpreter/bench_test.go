package interpreter_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/interpreter"
)

// BenchmarkCompile compiles a document of about 1,000 lines with 1,200 expressions;
// its XML is parsed beforehand.
func BenchmarkCompile(b *testing.B) {
	var text strings.Builder
	text.WriteString("<ccxml version=\"1.0\"><var name=\"x\"/><eventprocessor>\n")
	for i := range 199 {
		fmt.Fprintf(&text, "<transition event=\"user.e%d\" cond=\"event$.x == %d\">\n<log expr=\"'x is ' + event$.x\"/>\n"+
			"<assign name=\"x\" expr=\"event$.x\"/>\n<if cond=\"x\"><dialogstart src=\"'a.wav'\"/></if>\n</transition>\n", i, i)
	}
	text.WriteString("</eventprocessor></ccxml>")
	source, err := parseSource("doc.ccxml", text.String())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := interpreter.NewCompiler().CompileSource(source); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSelect handles an event of a document with 200 transitions, the last
// of which is selected: by exact names, and by patterns with stars.
func BenchmarkSelect(b *testing.B) {
	for _, style := range []struct{ name, pattern string }{{"exact", "user.e%d"}, {"wildcard", "user.*%d"}} {
		b.Run(style.name, func(b *testing.B) {
			var text strings.Builder
			for i := range 200 {
				fmt.Fprintf(&text, "<transition event=\""+style.pattern+"\"/>", 1000+i)
			}
			s := benchSession(b, text.String())
			benchEvents(b, s, "user.e1199")
		})
	}
}

// BenchmarkTransition handles an event whose transition has ten actions.
func BenchmarkTransition(b *testing.B) {
	s := benchSession(b, `<var name="n" expr="0"/><var name="text"/>
		<transition event="user.a">
			<assign name="n" expr="n + 1"/>
			<assign name="text" expr="'event ' + event$.name"/>
			<if cond="n % 2 == 0"><assign name="text" expr="text + ' even'"/><else/><assign name="text" expr="text + ' odd'"/></if>
			<var name="local" expr="n"/>
			<if cond="typeof session.connections['c1'] == 'undefined'"><assign name="local" expr="0"/></if>
			<assign name="application.last" expr="event$.eventid"/>
			<assign name="n" expr="n"/>
			<log expr="text"/>
		</transition>`)
	benchEvents(b, s, "user.a")
}

// BenchmarkCall handles the events of the tutorial's call, from ccxml.loaded to
// the end, in a session of its own.
func BenchmarkCall(b *testing.B) {
	document := tutorialDocument(b)
	b.ReportAllocs()
	for b.Loop() {
		s := interpreter.NewSession(quietOptions(document))
		s.Start()
		s.Post(connectionEvent("connected", "id1", nil))
		s.Post(dialogEvent("started", "id2", nil))
		s.Post(dialogEvent("exit", "id2", nil))
		<-s.Done()
	}
}

// BenchmarkIdleSession reports the live heap of a session that has handled
// ccxml.loaded and connection.alerting, and waits: of a typical document, and of
// the same without the function that uses ECMAScript's strings and arrays.
func BenchmarkIdleSession(b *testing.B) {
	plain := strings.ReplaceAll(typical, `<script>function shorten(address) { return address.split(':')[1]; }</script>`, "")
	plain = strings.ReplaceAll(plain, "shorten(event$.connection.remote)", "event$.connection.remote")
	for _, test := range []struct{ name, text string }{{"typical", typical}, {"plain", plain}} {
		b.Run(test.name, func(b *testing.B) {
			document := compile(b, interpreter.NewCompiler(), "doc.ccxml", test.text, nil)
			for b.Loop() {
				measureIdle(b, document, 1000)
			}
		})
	}
}

func measureIdle(b *testing.B, document *interpreter.Document, sessions int) {
	live := make([]*interpreter.Session, 0, sessions)
	before := liveHeap()
	for range sessions {
		s := interpreter.NewSession(quietOptions(document))
		s.Start(connectionEvent("alerting", "c1", nil))
		looked := make(chan struct{})
		for waiting := true; waiting; {
			s.Do(func() { waiting = s.Waiting() > 0; looked <- struct{}{} })
			<-looked
		}
		live = append(live, s)
	}
	b.ReportMetric(float64(liveHeap()-before)/float64(sessions), "B/session")
	for _, s := range live {
		s.End("")
		<-s.Done()
	}
}

// typical is a small answering application.
const typical = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="state" expr="'init'"/><var name="call"/><var name="dialog"/>
<script>function shorten(address) { return address.split(':')[1]; }</script>
<eventprocessor statevariable="state">
<transition event="ccxml.loaded"><log expr="'loaded ' + session.id"/></transition>
<transition state="init" event="connection.alerting">
	<assign name="call" expr="event$.connectionid"/>
	<log expr="'call from ' + shorten(event$.connection.remote)"/>
	<assign name="state" expr="'ringing'"/>
	<accept/>
</transition>
<transition state="ringing" event="connection.connected"><dialogstart src="'hello.vxml'" dialogid="dialog"/></transition>
<transition event="dialog.exit"><disconnect connectionid="call"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// silentPlatform does nothing.
type silentPlatform struct{ interpreter.Platform }

func (silentPlatform) Accept(interpreter.AcceptRequest)         {}
func (silentPlatform) CreateCall(interpreter.CallRequest)       {}
func (silentPlatform) PrepareDialog(interpreter.DialogRequest)  {}
func (silentPlatform) StartDialog(interpreter.DialogRequest)    {}
func (silentPlatform) Disconnect(interpreter.DisconnectRequest) {}
func (silentPlatform) Release()                                 {}

func quietOptions(d *interpreter.Document) interpreter.Options {
	ids := 0
	return interpreter.Options{
		ID: "s1", Document: d, Startup: interpreter.NewCall, Platform: silentPlatform{}, Clock: clock.Real(),
		IOProcessors: processors, NewID: func() string { ids++; return fmt.Sprint("id", ids) },
		Logger: quietLogger,
	}
}

var (
	processors = map[string]string{"basichttp": "http://127.0.0.1:9999/ccxml/basichttp"}
	// quietLogger is what the daemon logs with, at a level that says nothing.
	quietLogger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
)

func benchSession(b *testing.B, text string) *interpreter.Session {
	s := interpreter.NewSession(quietOptions(compile(b, interpreter.NewCompiler(), "doc.ccxml", document(text), nil)))
	s.Start()
	b.Cleanup(func() {
		s.End("")
		<-s.Done()
	})
	return s
}

// benchEvents has a session handle events, one after the other.
func benchEvents(b *testing.B, s *interpreter.Session, name string) {
	b.ReportAllocs()
	done := make(chan struct{})
	s.Do(func() {
		for b.Loop() {
			s.Queue(&interpreter.Event{Name: name, Source: "bench", SourceType: "test"})
			s.Step()
		}
		close(done)
	})
	<-done
}

func tutorialDocument(b *testing.B) *interpreter.Document {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		b.Fatal(err)
	}
	return compile(b, interpreter.NewCompiler(extensions(&trace{})...), "doc.ccxml", string(text), nil)
}
