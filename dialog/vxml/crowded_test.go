package vxml_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/dialog/vxml"
	"ccxmld/script"
)

// TestTheDialogThatHoldsMost is ended while it waits, for a key or for the end of a
// transfer, where another one asks for memory that there is not for both; that one goes on.
func TestTheDialogThatHoldsMost(t *testing.T) {
	const page = `<form><var name="kept" expr="[]"/><block><script>for (var i = 0; i != %d; i++) kept.push('x'.repeat(50000) + i);</script></block>%s</form>`
	field := `<field name="f" type="digits"><property name="timeout" value="1000s"/></field>`
	for name, waits := range map[string]string{
		"in a field":    field,
		"in a transfer": `<transfer name="t" dest="tel:1" bridge="true"/>`,
		"in a subdialog": `<subdialog name="s" src="#sub"/></form><form id="sub"><var name="kept" expr="[]"/>
			<block><script>for (var i = 0; i != 100; i++) kept.push('x'.repeat(50000) + i);</script></block>` + field,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pages := map[string]string{"big.vxml": whole(fmt.Sprintf(page, 100, waits)), "small.vxml": whole(fmt.Sprintf(page, 80, field))}
				if name == "in a subdialog" {
					pages["big.vxml"] = whole(fmt.Sprintf(page, 1, waits))
				}
				s := dialog.New(dialog.Options{Clock: clocktest.Real(), Fetcher: &server{pages: pages}})
				shared := script.NewShared(8 << 20)
				vxml.Register(s, vxml.Options{Limits: func() script.Limits { return script.Limits{Shared: shared} }})
				start := func(page string) (exited chan dialog.Result) {
					exited = make(chan dialog.Result, 1)
					leg := dialogtest.NewLeg()
					leg.Call(func() {
						d := s.Start(dialog.Request{ID: page, Source: page, Base: "http://host/start.ccxml", Type: "application/voicexml+xml"}, leg, leg.Do,
							dialog.Events{Started: func() {}, Transfer: func(dialog.Transfer) {}, TerminateTransfer: func(string) {}, Exited: func(r dialog.Result) { exited <- r }})
						t.Cleanup(func() { leg.Call(func() { d.Terminate(true) }) })
					})
					synctest.Wait()
					return exited
				}
				big := start("big.vxml")
				if len(big) > 0 {
					t.Fatalf("ended before, with %q", (<-big).Reason)
				}
				small := start("small.vxml")
				if len(big) == 0 {
					t.Fatal("the one that holds most goes on")
				}
				if r := <-big; !strings.Contains(r.Reason, "big.vxml:") || !strings.Contains(r.Reason, "the scripts of all sessions hold more than 8 MiB of memory, and those of this one most of it") {
					t.Errorf("the one that holds most ended with %q", r.Reason)
				}
				if len(small) > 0 {
					t.Errorf("the other one ended with %q", (<-small).Reason)
				}
			})
		})
	}
}
