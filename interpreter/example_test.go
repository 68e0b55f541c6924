package interpreter_test

import (
	"fmt"
	"log/slog"

	"ccxmld/clock"
	"ccxmld/interpreter"
)

// answering is a platform that can do nothing but answer, which succeeds at
// once. A real one embeds nothing and implements every method.
type answering struct {
	interpreter.Platform
	session *interpreter.Session
}

func (p *answering) Accept(r interpreter.AcceptRequest) {
	fmt.Println("accept", r.ConnectionID)
	p.session.Queue(&interpreter.Event{
		Name: "connection.connected", Source: r.ConnectionID, SourceType: "connection",
		Fields: []interpreter.Field{{Name: "connectionid", Value: r.ConnectionID}},
		Effect: interpreter.ConnectionEffect{ConnectionID: r.ConnectionID, State: interpreter.Connected},
	})
}

func (p *answering) Release() { fmt.Println("release") }

// A document is compiled once and run by a session, to which the platform tells
// what happens.
func Example() {
	root, err := parse(`<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><exit expr="event$.connection.remote"/></transition>
	</eventprocessor></ccxml>`)
	if err != nil {
		fmt.Println(err)
		return
	}
	document, err := interpreter.NewCompiler().Compile(root, "http://example.org/hello.ccxml", nil)
	if err != nil {
		fmt.Println(err) // each problem as uri:line: what is wrong
		return
	}
	platform := &answering{}
	platform.session = interpreter.NewSession(interpreter.Options{
		ID: "s1", Document: document, Startup: interpreter.NewCall, Platform: platform, Clock: clock.Real(),
		NewID:  func() string { return "unique" },
		Logger: slog.New(slog.DiscardHandler),
		Ended:  func(e interpreter.Ending) { fmt.Println("ended", e.Value) },
	})
	platform.session.Start(&interpreter.Event{
		Name: "connection.alerting", Source: "c1", SourceType: "connection",
		Fields: []interpreter.Field{{Name: "connectionid", Value: "c1"}},
		Effect: interpreter.ConnectionEffect{ConnectionID: "c1", State: interpreter.Alerting,
			New: &interpreter.Connection{ID: "c1", Local: "sip:service@here", Remote: "tel:+4930123"}},
	})
	<-platform.session.Done()
	// Output:
	// accept c1
	// release
	// ended tel:+4930123
}
