package vxml_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// TestLateTermChar: a # behind an input that was complete without it belongs to that for two
// seconds, unless the grammar that is active then takes it.
func TestLateTermChar(t *testing.T) {
	const first = `<menu><choice dtmf="1" next="#two">One</choice></menu><catch event="nomatch"><exit expr="_event"/></catch>`
	const pound = first + `<menu id="two"><prompt><audio src="file:///long.wav"/></prompt><choice dtmf="#" event="pound">Back</choice><choice dtmf="2" event="two">Two</choice>
		<catch event="pound two"><exit expr="_event"/></catch></menu>`
	plain := strings.Replace(pound, `dtmf="#"`, `dtmf="3"`, 1)
	tests := []struct {
		name, page string
		later      time.Duration // when the # comes, after the choice
		want       string        // what it does; "" for nothing
	}{
		{"at once, and taken", pound, 50 * time.Millisecond, "pound"},
		{"at once, and not taken", plain, 50 * time.Millisecond, ""},
		{"barging in late, and taken", pound, 8 * time.Second, "pound"},
		{"barging in late, and not taken", plain, 8 * time.Second, "nomatch"},
		{"behind the prompt, and taken", pound, 31 * time.Second, "pound"},
		{"behind the prompt, and not taken", plain, 31 * time.Second, "nomatch"},
		{"at once, after a short prompt", strings.Replace(plain, "long", "short", 1), 500 * time.Millisecond, ""},
		{"at once, after a short prompt, and taken", strings.Replace(pound, "long", "short", 1), 500 * time.Millisecond, "pound"},
		{"where prompts must be heard", strings.Replace(pound, "<prompt>", `<prompt bargein="false">`, 1), 8 * time.Second, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, test.page, func(_ *dialog.Request, _ *server, l *dialogtest.Leg) {
					l.Sounds["/long.wav"], l.Sounds["/short.wav"] = 30*time.Second, 100*time.Millisecond
				})
				x.Pass(200 * time.Millisecond)
				x.press("1")
				x.Pass(test.later)
				x.press("#")
				x.Pass(10 * time.Millisecond)
				if got, _ := x.result.Values.Object()["expr"].(string); got != test.want {
					t.Errorf("did %q, want %q", got, test.want)
				}
				x.HangUp()
				x.Call(x.dialog.HungUp)
				x.Pass(time.Second)
			})
		})
	}
}
