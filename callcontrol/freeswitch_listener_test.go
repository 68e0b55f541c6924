//go:build freeswitch

package callcontrol_test

import (
	"testing"

	"ccxmld/sitetest"
)

// TestListenerDigits on a real FreeSWITCH. The ~ has the digits of
// uuid_send_dtmf go the way of those that come from outside.
func TestFreeSWITCHListenerDigits(t *testing.T) {
	s := newRealSite(t, sitetest.With("DIAL_ROUTES", "[{match: 'tel:200', dial: 'loopback/app=conference:listened-to@ccxmld'}]"))
	s.Document("incoming.ccxml", listenerDigits)
	caller := s.caller()
	s.WaitLog("listens")
	s.api("uuid_send_dtmf", caller, "~1*")
	s.WaitLog("a 1")
	s.WaitLog("a *")
	s.api("uuid_send_dtmf", caller, "~#")
	s.WaitLog("out by #")
	s.WaitLog("asked")
	s.api("uuid_send_dtmf", caller, "~9")
	s.WaitLog("digits 9")
	s.api("uuid_kill", caller)
	s.WaitIdle()
}
