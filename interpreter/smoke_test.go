package interpreter

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/antchfx/xmlquery"
)

type fakePlatform struct {
	Platform
	s *Session
	t *testing.T
	n int
}

func (f *fakePlatform) CreateCall(r CallRequest) {
	f.t.Logf("createcall %+v", r)
	f.s.Queue(&Event{Name: "connection.connected", Source: r.ConnectionID, Fields: []Field{{"connectionid", r.ConnectionID}}, Effect: ConnectionEffect{ConnectionID: r.ConnectionID, State: Connected}})
}
func (f *fakePlatform) StartDialog(r DialogRequest) {
	f.t.Logf("dialogstart %+v", r)
	f.s.Queue(&Event{Name: "dialog.started", Fields: []Field{{"dialogid", r.DialogID}}, Effect: DialogEffect{r.DialogID, DialogStarted}})
	f.s.Queue(&Event{Name: "dialog.exit", Fields: []Field{{"dialogid", r.DialogID}}, Effect: DialogEffect{r.DialogID, DialogEnded}})
}
func (f *fakePlatform) Release() { f.t.Log("release") }

type realClock struct{}

func (realClock) AfterFunc(d time.Duration, g func()) func() bool { return time.AfterFunc(d, g).Stop }

func TestSmoke(t *testing.T) {
	data, _ := os.ReadFile("../examples/outbound-calls-with-tokens/outbound-calls-with-tokens.ccxml")
	file := strings.NewReader(strings.ReplaceAll(string(data), "\u00a0", " "))
	root, err := xmlquery.ParseWithOptions(file, xmlquery.ParserOptions{WithLineNumbers: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewCompiler().Compile(root, "file:///x.ccxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range d.Notices {
		t.Log(n)
	}
	p := &fakePlatform{t: t}
	n := 0
	s := NewSession(Options{ID: "s1", Document: d, Platform: p, Clock: realClock{}, Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug})),
		NewID: func() string { n++; return fmt.Sprint("id", n) }})
	p.s = s
	s.Start()
	<-s.Done()
}
