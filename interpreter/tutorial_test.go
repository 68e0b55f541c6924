package interpreter_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
)

const tutorial = "../examples/outbound-calls-with-tokens/outbound-calls-with-tokens.ccxml"

// TestTutorial runs "Outbound calls with tokens" as it was published, through
// each of its endings.
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\u00a0") {
		t.Fatal("the document has no no-break spaces any more; it must be as it was published")
	}
	_, source, _ := strings.Cut(string(text), `<dialogstart src="'`)
	announcement, _, _ := strings.Cut(source, `'"`)
	if len(announcement) < 300 {
		t.Fatalf("the announcement is %q", announcement)
	}
	tests := []struct {
		name    string
		happens []string
		want    []string // what the trace must contain, in this order
	}{
		{"answered", []string{"connection progressing id1", "connection connected id1", "dialog started id2", "dialog exit id2"}, []string{
			"log ***** EVENT$.NAME = ccxml.loaded", "log ***** EVENT$.SESSIONID = s1", "log ***** EVENT$.PARENT = undefined",
			"createcall id1 tel:4072223333 timeout=45s", "state dialing",
			"log ***** EVENT$.CONNECTION.PROTOCOL.NAME = sip", "log ***** EVENT$.CONNECTION.STATE = CONNECTED",
			"log ***** EVENT$.CONNECTION.REMOTE = tel:4072223333",
			"dialogstart id2 " + announcement + " connection=id1 type=audio/wav", "state connected",
			"log ***** EVENT$.CONNECTIONID  = id1", "log ***** EVENT$.EVENTSOURCETYPE  = dialog",
			"log ***** EVENT$.DIALOG.TYPE = audio/wav", "log ***** EVENT$.DIALOG.SRC = " + announcement,
			"log ***** EVENT$.DIALOG.OUTPUTS =", "ended",
		}},
		{"hung up", []string{"connection connected id1", "dialog started id2", "connection disconnected id1 reason=normal trigger=remote"}, []string{
			"log ***** CONNECTION.DISCONNECT EVENT CAUGHT *****", "log ***** EVENT$.PROTOCOL = sip", "log ***** EVENT$.REASON = normal",
			"log ***** EVENT$.TRIGGER = remote", "ended",
		}},
		{"busy", []string{"connection failed id1 reason=busy"}, []string{"log ***** CONNECTION FAILED *****", "ended"}},
		{"error", []string{"event error.connection reason=trouble"}, []string{
			"log an error has occurred (trouble)", "sendemail to=yourEmail@there.com from=myApp@here.com body=generic error detected !",
			"| doc.ccxml:10: ccxml.loaded", "| doc.ccxml:87:  an error has occurred (trouble)", "ended",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScenario(t, map[string]string{"doc.ccxml": string(text)}, false)
				s.current().Start()
				for _, what := range test.happens {
					synctest.Wait()
					s.happen(strings.Fields(what))
				}
				<-s.current().Done()
				wantInOrder(t, s.trace.take(), test.want)
			})
		})
	}
}

// wantInOrder checks that the lines are among those of the trace, in this order.
func wantInOrder(t *testing.T, trace, lines []string) {
	t.Helper()
	// The document has no-break spaces within its texts too; those stay.
	plain := func(line string) string { return strings.TrimSpace(strings.ReplaceAll(line, "\u00a0", " ")) }
	next := 0
	for _, line := range trace {
		if next < len(lines) && plain(line) == plain(lines[next]) {
			next++
		}
	}
	if next < len(lines) {
		t.Errorf("the session did\n%s\nbut from here on not\n%s", indent(strings.Join(trace, "\n")), indent(strings.Join(lines[next:], "\n")))
	}
}
