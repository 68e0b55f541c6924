package freeswitch

import (
	"testing"

	"ccxmld/esl"
)

// The end of a call whose session timer runs out is as that of any other, but that
// neither side hung up.
func TestHangupDetail(t *testing.T) {
	for _, c := range []struct {
		Hangup
		said bool
	}{
		{Hangup{Cause: "NORMAL_CLEARING", Status: 200}, true},
		{Hangup{Cause: "NORMAL_CLEARING", Status: 200, Disposition: "recv_bye"}, false},
		{Hangup{Cause: "NORMAL_CLEARING", Status: 200, Disposition: "send_bye"}, false},
		{Hangup{Cause: "NORMAL_CLEARING"}, false}, // no SIP
		{Hangup{Cause: "MEDIA_TIMEOUT", Status: 200, Disposition: "send_bye"}, true},
		{Hangup{Cause: "USER_BUSY", Status: 486, Disposition: "recv_refuse"}, false},
	} {
		if got := c.Detail(); (got != "") != c.said {
			t.Errorf("%+v: %q", c.Hangup, got)
		}
	}
}

// What a CHANNEL_HANGUP_COMPLETE says of the end, and whose fault that was.
func TestHangupOf(t *testing.T) {
	for name, test := range map[string]struct {
		event string
		want  Hangup
		fault bool // of the node
	}{
		"busy": {
			"Hangup-Cause: USER_BUSY\nvariable_sip_term_status: 486\nvariable_sip_hangup_disposition: recv_refuse\nvariable_hangup_cause_q850: 17\n",
			Hangup{Cause: "USER_BUSY", Status: 486, Disposition: "recv_refuse", Q850: 17}, false,
		},
		"answered": {
			"Hangup-Cause: NORMAL_CLEARING\nCaller-Channel-Answered-Time: 1700000000000000\n",
			Hangup{Cause: "NORMAL_CLEARING", Answered: true}, false,
		},
		"answered, and the network fails": {
			"Hangup-Cause: NETWORK_OUT_OF_ORDER\nCaller-Channel-Answered-Time: 1700000000000000\n",
			Hangup{Cause: "NETWORK_OUT_OF_ORDER", Answered: true}, false,
		},
		"not answered":        {"Hangup-Cause: NO_ANSWER\nCaller-Channel-Answered-Time: 0\n", Hangup{Cause: "NO_ANSWER"}, false},
		"the gateway is down": {"Hangup-Cause: GATEWAY_DOWN\n", Hangup{Cause: "GATEWAY_DOWN"}, true},
		"no cause at all":     {"Hangup-Cause: originate Command not found!\n", Hangup{Cause: "originate Command not found!"}, true},
		"the far end is out of order": {
			"Hangup-Cause: NETWORK_OUT_OF_ORDER\nvariable_sip_invite_failure_status: 503\n",
			Hangup{Cause: "NETWORK_OUT_OF_ORDER", Status: 503}, false,
		},
		"redirected": {
			"Hangup-Cause: NORMAL_UNSPECIFIED\nvariable_sip_invite_failure_status: 487\nvariable_sip_redirected_to: \"B\" <sip:b@example.org;x=1>;q=1\n",
			Hangup{Cause: "NORMAL_UNSPECIFIED", Contact: "sip:b@example.org;x=1"}, false,
		},
		"redirected, without brackets": {
			"Hangup-Cause: CRASH\nvariable_sip_redirected_to: sip:b@example.org;q=1\n", Hangup{Cause: "CRASH", Contact: "sip:b@example.org"}, false,
		},
		"a page returns something": {
			"Hangup-Cause: NORMAL_CLEARING\nvariable_sip_bye_content_type: application/x-www-form-urlencoded\nvariable_sip_bye_payload: a=1\n",
			Hangup{Cause: "NORMAL_CLEARING", Returned: "a=1"}, false,
		},
		"another body": {
			"Hangup-Cause: NORMAL_CLEARING\nvariable_sip_bye_content_type: text/plain\nvariable_sip_bye_payload: a=1\n", Hangup{Cause: "NORMAL_CLEARING"}, false,
		},
	} {
		got := HangupOf(esl.ParseEvent([]byte("Event-Name: CHANNEL_HANGUP_COMPLETE\n" + test.event + "\n")))
		if got != test.want || got.FaultOfNode() != test.fault {
			t.Errorf("%s: %+v, fault of the node: %t; want %+v", name, got, got.FaultOfNode(), test.want)
		}
	}
}
