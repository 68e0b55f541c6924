//go:build freeswitch

package main

import "testing"

// TestListenerDigits on a real FreeSWITCH. The ~ has the digits of
// uuid_send_dtmf go the way of those that come from outside.
func TestFreeSWITCHListenerDigits(t *testing.T) {
	h := newRealHouse(t, with("DIAL_ROUTES", "[{match: 'tel:200', dial: 'loopback/app=conference:listened-to@ccxmld'}]"))
	h.document("incoming.ccxml", listenerDigits)
	caller := h.caller()
	h.logged("listens")
	h.api("uuid_send_dtmf", caller, "~1*")
	h.logged("a 1")
	h.logged("a *")
	h.api("uuid_send_dtmf", caller, "~#")
	h.logged("out by #")
	h.logged("asked")
	h.api("uuid_send_dtmf", caller, "~9")
	h.logged("digits 9")
	h.api("uuid_kill", caller)
	h.idle()
}
