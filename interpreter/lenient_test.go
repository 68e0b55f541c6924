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

// TestLenientReadingsAreLoggedOnce: LEN-4, LEN-5, LEN-6 and an undeclared state
// variable are told once for each document and place, however many calls there are.
func TestLenientReadingsAreLoggedOnce(t *testing.T) {
	source, err := parseSource("doc.ccxml", `<ccxml version="1.0">
<eventprocessor statevariable="status"><transition event="ccxml.loaded">
<createcall dest="'tel:1'" connectionid="leg"/>
<send target="session.id" targettype="ccxml" name="'user.a'" namelist="leg gone"/>
</transition><transition event="user.a"><exit namelist="gone"/></transition></eventprocessor></ccxml>`)
	if err != nil {
		t.Fatal(err)
	}
	document, err := interpreter.NewCompiler().CompileSource(source)
	if err != nil {
		t.Fatal(err)
	}
	var log logged
	sessions := make([]*interpreter.Session, 20)
	for i := range sessions {
		options := quietOptions(document)
		options.ID = fmt.Sprint("s", i)
		options.Logger = slog.New(slog.NewTextHandler(&log, nil))
		sessions[i] = interpreter.NewSession(options)
		sessions[i].Start()
	}
	for _, s := range sessions {
		<-s.Done()
	}
	text := log.text.String()
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
