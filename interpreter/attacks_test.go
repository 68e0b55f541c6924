package interpreter_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/interpreter"
)

// TestAttacks: a document that tries to take the process down loses its own
// session, and others run on meanwhile.
func TestAttacks(t *testing.T) {
	text, err := os.ReadFile("../script/testdata/attacks.txt")
	if err != nil {
		t.Fatal(err)
	}
	turns := make(chan struct{}, 10)
	other, _ := newSession(t, `<transition event="turn"><log expr="event$.name"/></transition>`,
		func(o *interpreter.Options) { o.Observer = turnCounter(turns) })
	other.Start()
	<-turns // ccxml.loaded
	attacks := 0
	for line := range strings.Lines(string(text)) {
		name, source, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		attacks++
		t.Run(name, func(t *testing.T) {
			var attribute strings.Builder
			if err := xml.EscapeText(&attribute, []byte(source)); err != nil {
				t.Fatal(err)
			}
			s, _ := newSession(t, fmt.Sprintf(`<transition event="ccxml.loaded"><log expr="%s"/></transition>`, &attribute),
				func(o *interpreter.Options) {
					o.Limits.Script.Time = time.Hour // steps and bytes are to end it, whatever the machine
					o.Limits.Script.Steps, o.Limits.Script.StepsPerMinute, o.Limits.Script.Memory = 50_000, 1<<40, 3<<20
				})
			s.Start()
			other.Post(&interpreter.Event{Name: "turn"})
			<-turns
			<-s.Done()
			other.Post(&interpreter.Event{Name: "turn"})
			<-turns
		})
	}
	if attacks < 50 {
		t.Errorf("only %d attacks were read", attacks)
	}
	other.End("enough")
	<-other.Done()
}
