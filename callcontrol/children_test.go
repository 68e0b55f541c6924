package callcontrol

import (
	"context"
	"encoding/json"
	"testing"

	"ccxmld/sessionstore"
)

// The same request for a session that comes again, while the session is being created
// or runs, is not for another one.
func TestSessionThatIsAskedForTwice(t *testing.T) {
	body, err := json.Marshal(birth{Session: "child", Parent: "parent", ParentAt: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	mail := sessionstore.Mail{ID: "q1", From: "elsewhere", Kind: createKind, Body: body}
	for name, c := range map[string]*Controller{
		"on its way": {lines: lines{waiting: map[string][]func(context.Context){"child": nil}}},
		"there":      {sessions: map[string]*control{"child": newSession(t)}},
	} {
		if err := c.open(mail); err != nil {
			t.Fatal(err)
		}
		if n := len(c.lines.waiting["child"]); n > 0 {
			t.Errorf("%s: it is created %d times more", name, n)
		}
	}
}
