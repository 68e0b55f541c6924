package vxml_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// TestEndingsAtAnyMoment ends calls and dialogs every 250 ms of pages that fetch,
// record, transfer and call subdialogs. There is one exit and no goroutine is left,
// else the bubble would not end.
func TestEndingsAtAnyMoment(t *testing.T) {
	const caught = `<catch event="connection.disconnect"><data src="last.xml"/><exit expr="'caught'"/></catch>`
	pages := map[string]string{
		"fetch":      `<form>` + caught + `<block>Please wait.<goto next="next.vxml"/></block></form>`,
		"fetchaudio": `<property name="fetchaudio" value="file:///b.wav"/><property name="fetchaudiodelay" value="500ms"/><form>` + caught + `<block>Please wait.<goto next="next.vxml"/></block></form>`,
		"record": `<form>` + caught + `<record name="r" maxtime="3s" beep="true"><prompt>Speak.</prompt></record>
			<block><submit next="next.vxml" namelist="r" method="post" enctype="multipart/form-data"/></block></form>`,
		"transfer":  `<form>` + caught + `<transfer name="t" type="bridge" dest="tel:1" maxtime="2s">Hold.</transfer><block><exit expr="t"/></block></form>`,
		"blind":     `<form>` + caught + `<transfer name="t" type="blind" dest="tel:1">Hold.</transfer></form>`,
		"subdialog": `<form>` + caught + `<subdialog name="s" src="next.vxml"/><block><exit namelist="s"/></block></form>`,
		"grammar":   `<form>` + caught + `<field name="f"><grammar mode="dtmf" src="g.grxml"/>Press.</field></form>`,
	}
	acts := map[string]func(*call){
		"terminated":            func(x *call) { x.Call(func() { x.dialog.Terminate(false) }) },
		"terminated at once":    func(x *call) { x.Call(func() { x.dialog.Terminate(true) }) },
		"hung up":               func(x *call) { x.HangUp(); x.Call(x.dialog.HungUp) },
		"terminated, hung up":   func(x *call) { x.Call(func() { x.dialog.Terminate(false); x.dialog.HungUp() }) },
		"told, and hung up":     func(x *call) { x.Call(func() { _ = x.dialog.Send(dialog.Message{Name: "a.b"}); x.dialog.HungUp() }) },
		"the transfer is over":  func(x *call) { x.Call(func() { _ = x.dialog.Send(dialog.Message{Name: "dialog.transfer.complete"}) }) },
		"detached":              func(x *call) { x.Call(func() { x.dialog.Detached("joined elsewhere") }) },
		"a key, and terminated": func(x *call) { x.press("1"); x.Call(func() { x.dialog.Terminate(false) }) },
	}
	for kind, page := range pages {
		for how, act := range acts {
			t.Run(kind+", "+how, func(t *testing.T) {
				for moment := time.Duration(0); moment < 7*time.Second; moment += 250 * time.Millisecond {
					synctest.Test(t, func(t *testing.T) { endAt(t, page, moment, act) })
				}
			})
		}
	}
}

func endAt(t *testing.T, page string, moment time.Duration, act func(*call)) {
	x := start(t, page, func(_ *dialog.Request, s *server, l *dialogtest.Leg) {
		s.pages["next.vxml"] = "late " + whole(`<form><block>Thanks.<return/></block></form>`)
		s.pages["last.xml"] = "late <x/>"
		s.pages["g.grxml"] = `late <grammar version="1.0" mode="dtmf" root="r"><rule id="r">2</rule></grammar>`
		l.Sounds["/b.wav"] = time.Second
	})
	x.Pass(moment)
	act(x)
	x.Pass(time.Minute)
	x.HangUp()
	x.Call(x.dialog.HungUp)
	x.Pass(time.Hour)
	told := x.events()
	if strings.Count(told, "exit") != 1 || !strings.HasPrefix(told, "started") {
		t.Errorf("after %v: told %q", moment, told)
	}
}

// TestDisconnectInItsHandler: a page that is told of the end of the call and disconnects,
// as many do, ends at once, with what it returns.
func TestDisconnectInItsHandler(t *testing.T) {
	const page = `<form><var name="n" expr="0"/><catch event="connection.disconnect"><assign name="n" expr="n + 1"/><disconnect namelist="n"/></catch>`
	for name, test := range map[string]struct {
		rest, told string
		hangUp     bool
	}{
		"the caller hung up":    {`<field name="f" type="digits"/></form>`, "started, exit", true},
		"the page disconnected": {`<block><disconnect/></block></form>`, "started, disconnect , exit", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, page+test.rest, nil)
				x.Pass(time.Second)
				if test.hangUp {
					x.HangUp()
					x.Call(x.dialog.HungUp)
				}
				x.Pass(time.Minute)
				x.want(test.told, map[string]any{"n": int64(1)})
				if x.result.Reason != "" {
					t.Error(x.result.Reason)
				}
			})
		})
	}
}
