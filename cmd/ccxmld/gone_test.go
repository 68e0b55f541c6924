package main

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// A FreeSWITCH that is gone is one error in the log, however many calls it had, and
// none that blames our address.
func TestOneErrorForFreeSWITCHGone(t *testing.T) {
	t.Parallel()
	// The legs' sockets go to a listener that never says a word, so that none attaches.
	h, _ := silentlyHouse(t, withToken("out.ccxml"))
	h.sw.Callee("200", switchsim.Answers{})
	h.transitions("out.ccxml", callOut)
	for range 3 {
		h.startToken("")
	}
	h.until("all are answered", func() bool {
		answered := 0
		for _, line := range h.log.all() {
			if strings.Contains(line, "to=attaching") {
				answered++
			}
		}
		return answered == 3
	})
	h.sw.Close()
	h.logged("unreachable: the call was answered, and FreeSWITCH node sim is not reached any more")
	h.idle()
	errors := 0
	for _, line := range h.log.all() {
		if strings.Contains(line, "level=ERROR") {
			errors++
		}
	}
	if errors != 1 || !h.log.has(`level=ERROR msg="FreeSWITCH is not reached any more"`) || h.log.has("check esl.advertise") {
		t.Errorf("%d errors:\n%s", errors, strings.Join(h.log.all(), "\n"))
	}
}

// Sockets of legs that end together, while FreeSWITCH is there, are one line in the log.
func TestOneWarningForSocketsThatEnd(t *testing.T) {
	t.Parallel()
	h, legs := lateHouse(t)
	document := h.transitions("in.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
	for range 3 {
		_, err := h.sw.Dial(switchsim.Call{Sockets: []string{legs.address()}, Variables: map[string]string{"ccxml_uri": document}})
		h.must(err)
	}
	h.until("all are connected", func() bool { return h.seen.count("log connected") == 3 })
	legs.cutAll()
	h.must(h.log.waitFor(h.ctx, "sockets of legs ended before their hangup"))
	warnings := 0
	for _, line := range h.log.all() {
		if strings.Contains(line, "before their hangup") && strings.Contains(line, "level=WARN") && strings.Contains(line, "legs=3") {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings:\n%s", warnings, strings.Join(h.log.all(), "\n"))
	}
	legs.restore()
}
