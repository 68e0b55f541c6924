package vxml_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
)

// send sends an event to the dialog, with parameters name=value.
func (x *call) send(name string, parameters ...string) (err error) {
	m := dialog.Message{Name: name}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		m.Parameters = append(m.Parameters, dialog.Pair{Name: name, Value: value})
	}
	x.Call(func() { err = x.dialog.Send(m) })
	return err
}

// TestEventsFromTheSession (DEV-15): pages catch them when they listen, or before
// they end, with their parameters.
func TestEventsFromTheSession(t *testing.T) {
	tests := []struct {
		name, page string
		act        func(*call)
		values     map[string]any
		heard      []string
	}{
		{"while a field listens", `<form><field name="f" type="digits"><prompt>Please enter your number.</prompt>
			<catch event="user.news"><exit expr="_event + ' ' + _message.text + ' ' + _message.at.code"/></catch></field></form>`,
			func(x *call) { _ = x.send("user.news.today", "text=hello", "at.code=7") },
			map[string]any{"expr": "user.news.today hello 7"}, []string{"say Please enter your number.…"}},
		{"names that prototypes have", `<form><catch event="user"><exit expr="[({}).vip, [].vip, _message.constructor.prototype.vip, _message.a.__proto__.vip].join()"/></catch><field name="f" type="digits">Go</field></form>`,
			func(x *call) { _ = x.send("user.a", "constructor.prototype.vip=1", "a.__proto__.vip=2") }, map[string]any{"expr": ",,1,2"}, []string{"say Go"}},
		{"without parameters", `<form><catch event="user"><exit expr="typeof _message"/></catch><field name="f" type="digits">Go</field></form>`,
			func(x *call) { x.Pass(time.Second); _ = x.send("user.a") }, map[string]any{"expr": "undefined"}, []string{"say Go"}},
		{"before the page has come to an end", `<form><catch event="user"><exit expr="_event"/></catch>
			<block>One</block><field name="f" type="digits?length=1">Two</field><block><data src="slow.xml"/>Three</block></form>`,
			func(x *call) {
				x.press("1")
				_ = x.send("user.late") // while it waits for the data
			}, map[string]any{"expr": "user.late"}, []string{"say One…", "say Three"}},
		{"that nobody catches, the field goes on", `<form><field name="f" type="digits?length=1">Go<filled><exit namelist="f"/></filled></field></form>`,
			func(x *call) { _ = x.send("user.a"); _ = x.send("user.b"); x.press("5") }, map[string]any{"f": "5"}, []string{"say Go"}},
		{"as the call's end", `<form><catch event="connection.disconnect"><exit expr="_event"/></catch><field name="f" type="digits">Go</field></form>`,
			func(x *call) { _ = x.send("connection.disconnect.hangup") }, map[string]any{"expr": "connection.disconnect.hangup"}, []string{"say Go"}},
		{"as an error", `<form><field name="f" type="digits">Go</field></form>`,
			func(x *call) { _ = x.send("error.user") }, map[string]any{}, []string{"say Go"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, test.page, func(_ *dialog.Request, s *server, _ *dialogtest.Leg) { s.pages["slow.xml"] = "late <x/>" })
				x.Pass(100 * time.Millisecond)
				test.act(x)
				x.Pass(5 * time.Second)
				x.want("started, exit", test.values, test.heard...)
				if err := x.send("user.late"); err == nil {
					t.Error("a dialog that has ended takes an event")
				}
				x.Close()
			})
		})
	}
	t.Run("more than the page can take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			x := start(t, "", func(_ *dialog.Request, s *server, _ *dialogtest.Leg) { s.pages["start.vxml"] = "slow" })
			for range 100 {
				if err := x.send("user.a"); err != nil {
					t.Fatal(err)
				}
			}
			if err := x.send("user.a"); err == nil || !strings.Contains(err.Error(), "100 events wait") {
				t.Errorf("the 101st: %v", err)
			}
			x.Call(x.dialog.HungUp)
		})
	})
}

// TestUserEvents (DEV-7): a page tells its session something and goes on.
func TestUserEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<form><var name="a" expr="'x'"/><catch event="error.semantic"><exit expr="_message"/></catch>
			<block><send event="dialog.user.one" namelist="a"/><send eventexpr="'t' + 'wo'"/>Hello<send eventexpr="'no name'"/></block></form>`, nil)
		x.Pass(time.Minute)
		x.want("started, dialog.user.one x, dialog.user.two , exit",
			map[string]any{"expr": `"no name" is not an event name: letters, digits and dots`}, "say Hello")
	})
}

// TestTransfer (DEV-5, DEV-6, DEV-13, DEV-14).
func TestTransfer(t *testing.T) {
	const (
		bridge = `<form><catch event="connection.disconnect"><exit expr="_event"/></catch><catch event="user"><exit expr="'then ' + t"/></catch>
			<catch event="error.connection"><exit expr="_event"/></catch>
			<transfer name="t" destexpr="'tel:' + 1" bridge="true" maxtime="60s" connecttimeout="20s" aai="x">Please hold.
			<filled><exit expr="t + ' ' + t$.duration"/></filled></transfer></form>`
		asked = "started, transfer {Type:bridge URI:tel:1 AAI:x ConnectTimeout:20s MaxTime:60s}, "
	)
	tests := []struct {
		name, page string
		act        func(*call)
		events     string
		values     map[string]any
	}{
		{"completed", bridge, func(x *call) {
			x.Call(func() {
				if !x.dialog.Detached("joined") {
					t.Error("the dialog did not survive the join that it asked for")
				}
			})
			x.Pass(time.Hour)
			if err := x.send("dialog.transfer.complete", "duration=7", "results=far_end_disconnect"); err != nil {
				t.Error(err)
			}
			if err := x.send("dialog.transfer.complete"); err == nil {
				t.Error("a transfer is completed twice")
			}
		}, asked + "exit", map[string]any{"expr": "far_end_disconnect 7"}},
		{"completed in a way of one's own", bridge, func(x *call) { _ = x.send("dialog.transfer.complete", "outcome=busy") },
			asked + "exit", map[string]any{"expr": "busy 0"}},
		{"other events wait", bridge, func(x *call) { _ = x.send("user.a"); x.Pass(time.Hour); _ = x.send("error.connection.noroute") },
			asked + "terminatetransfer error.connection.noroute, exit", map[string]any{"expr": "error.connection.noroute"}},
		{"the caller hangs up", bridge, func(x *call) { x.Call(x.dialog.HungUp) },
			asked + "terminatetransfer near_end_disconnect, exit", map[string]any{"expr": "connection.disconnect.hangup"}},
		{"the dialog is terminated", bridge, func(x *call) { x.Call(func() { x.dialog.Terminate(false) }) },
			asked + "terminatetransfer near_end_disconnect, exit", map[string]any{"expr": "connection.disconnect.hangup"}},
		{"the dialog is terminated at once", bridge, func(x *call) { x.Call(func() { x.dialog.Terminate(true) }) }, asked + "exit", map[string]any{}},
		{"blind", `<form><catch event="connection.disconnect.transfer"><exit expr="_event"/></catch><transfer dest="sip:a@b">Please hold.</transfer></form>`,
			func(*call) {}, "started, transfer {Type:blind URI:sip:a@b AAI: ConnectTimeout: MaxTime:}, exit",
			map[string]any{"expr": "connection.disconnect.transfer"}},
		{"consultation", strings.Replace(bridge, `bridge="true"`, `type="consultation"`, 1), func(x *call) { _ = x.send("dialog.transfer.complete") },
			strings.Replace(asked, "bridge", "consultation", 1) + "exit", map[string]any{"expr": "unknown 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, test.page, nil)
				if err := x.send("dialog.transfer.complete"); err == nil {
					t.Error("a transfer is completed that nobody asked for")
				}
				x.Pass(time.Second)
				test.act(x)
				x.Pass(time.Second)
				x.want(test.events, test.values, "say Please hold.")
			})
		})
	}
}

// TestDetached: a join takes the leg from a page that waits for no transfer.
func TestDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, `<form><field name="f" type="digits">Go</field></form>`, nil)
		x.Pass(100 * time.Millisecond)
		x.Call(func() {
			if x.dialog.Detached("joined elsewhere") {
				t.Error("the dialog says that it goes on")
			}
		})
		x.want("started, exit", map[string]any{}, "say Go")
		if x.result.Reason != "joined elsewhere" {
			t.Errorf("reason %q", x.result.Reason)
		}
	})
}
