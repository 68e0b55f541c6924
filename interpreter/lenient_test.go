package interpreter_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"ccxmld/interpreter"
)

// logged is what sessions log, from their goroutines.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// runLogged runs a document in twenty sessions and gives what they log.
func runLogged(t *testing.T, document string) string {
	t.Helper()
	source, err := parseSource("doc.ccxml", document)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := interpreter.NewCompiler().CompileSource(source)
	if err != nil {
		t.Fatal(err)
	}
	var log logged
	sessions := make([]*interpreter.Session, 20)
	for i := range sessions {
		options := quietOptions(compiled)
		options.ID = fmt.Sprint("s", i)
		options.Logger = slog.New(slog.NewTextHandler(&log, nil))
		sessions[i] = interpreter.NewSession(options)
		sessions[i].Start()
	}
	for _, s := range sessions {
		<-s.Done()
	}
	return log.text.String()
}

// TestLenientReadingsAreLoggedOnce: LEN-4, LEN-5, LEN-6 and an undeclared state
// variable are told once for each document and place, however many calls there are.
func TestLenientReadingsAreLoggedOnce(t *testing.T) {
	text := runLogged(t, `<ccxml version="1.0">
<eventprocessor statevariable="status"><transition event="ccxml.loaded">
<createcall dest="'tel:1'" connectionid="leg"/>
<send target="session.id" targettype="ccxml" name="'user.a'" namelist="leg gone"/>
</transition><transition event="user.a"><exit namelist="gone"/></transition></eventprocessor></ccxml>`)
	for _, want := range []string{
		"document=doc.ccxml name=status", "document=doc.ccxml:3:42 name=leg",
		"document=doc.ccxml:4:39 name=targettype", "document=doc.ccxml:4:76 name=gone", "document=doc.ccxml:5:57 name=gone",
	} {
		if n := strings.Count(text, want); n != 1 {
			t.Errorf("%d lines with %q, want 1", n, want)
		}
	}
	if n := strings.Count(text, "lenient reading"); n != 5 {
		t.Errorf("%d lenient readings, want 5:\n%s", n, text)
	}
}

// TestSendsAreReadLenientlyOnce: what only running a <send> shows is told once for
// each document and place: a target that is an HTTP server's, an empty name, an event
// without quotes.
func TestSendsAreReadLenientlyOnce(t *testing.T) {
	text := runLogged(t, `<ccxml version="1.0"><var name="none" expr="''"/><eventprocessor><transition event="ccxml.loaded">
<send target="'http://h/'" name="'user.a'" delay="'99s'"/>
<send target="'http://h/'" targettype="'basichttp'" name="none" delay="'99s'"/>
<send target="'http://h/'" targettype="basichttp" name="'user.a'" delay="'99s'"/><exit/>
</transition></eventprocessor></ccxml>`)
	text += runLogged(t, `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded">
<send target="session.id" event="next"/><exit/></transition></eventprocessor></ccxml>`)
	for _, want := range []string{
		"document=doc.ccxml:2:15 name=target ", "document=doc.ccxml:3:59 name=name ",
		"document=doc.ccxml:4:40 name=targettype ", "document=doc.ccxml:2:34 name=event ",
	} {
		if n := strings.Count(text, want); n != 1 {
			t.Errorf("%d lines with %q, want 1:\n%s", n, want, text)
		}
	}
	if n := strings.Count(text, "lenient reading"); n != 4 {
		t.Errorf("%d lenient readings, want 4:\n%s", n, text)
	}
}
