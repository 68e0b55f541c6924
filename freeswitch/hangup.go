package freeswitch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ccxmld/esl"
)

// Hangup is how a channel ended, by its CHANNEL_HANGUP_COMPLETE.
type Hangup struct {
	Cause       string // Hangup-Cause
	Status      int    // SIP status, 0 where there was none
	Disposition string // sip_hangup_disposition, such as recv_bye; "" without SIP
	Q850        int    // the cause as Q.850 numbers it, 0 where that is not known
	Contact     string // the URI to which the far end redirected the call, "" for none
	Answered    bool   // the call was, at some time
	CallID      string // Call-ID of SIP, "" without
	Returned    string // the form in the body of the far end's BYE, "" for none
}

// causeName is how FreeSWITCH writes causes.
var causeName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)

// IsCause tells whether a text has the form of a hangup cause, such as NORMAL_CLEARING.
func IsCause(text string) bool { return causeName.MatchString(text) }

// HangupOf reads a CHANNEL_HANGUP_COMPLETE.
func HangupOf(e *esl.Event) Hangup {
	h := Hangup{
		Cause:       e.Get("Hangup-Cause"),
		Status:      SIPStatus(e.Get("variable_sip_term_status")),
		Disposition: e.Get("variable_sip_hangup_disposition"),
		CallID:      e.Get("variable_sip_call_id"),
	}
	if at := e.Get("Caller-Channel-Answered-Time"); at != "" && at != "0" {
		h.Answered = true
	}
	h.Contact = uriOf(e.Get("variable_sip_redirected_to"))
	if h.Status == 0 && h.Contact == "" { // FreeSWITCH does not tell the status of a redirection, but 487
		h.Status = SIPStatus(e.Get("variable_sip_invite_failure_status"))
	}
	if e.Get("variable_sip_bye_content_type") == formEncoded {
		h.Returned = e.Get("variable_" + ByePayload)
	}
	h.Q850, _ = strconv.Atoi(e.Get("variable_hangup_cause_q850")) // absent: 0
	return h
}

// ByePayload is the variable in which mod_sofia keeps the body of a BYE.
const ByePayload = "sip_bye_payload"

// formEncoded is how a VoiceXML server writes what a page returns into its BYE (RFC
// 5552, 4.2).
const formEncoded = "application/x-www-form-urlencoded"

// uriOf takes the URI out of a Contact header, "" if there is none.
func uriOf(header string) string {
	header = strings.TrimSpace(header)
	if _, rest, ok := strings.Cut(header, "<"); ok {
		uri, _, closed := strings.Cut(rest, ">")
		if !closed {
			return ""
		}
		return strings.TrimSpace(uri)
	}
	uri, _, _ := strings.Cut(header, ";") // without brackets, parameters are the header's
	return strings.TrimSpace(uri)
}

// SIPStatus reads a SIP status out of a channel variable; 0 for none.
func SIPStatus(text string) int {
	status, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return status
}

// ByFarEnd tells whether the far end ended the call. Where no SIP message says it, the
// far end did unless we asked for it.
func (h Hangup) ByFarEnd(weAsked bool) bool {
	switch h.Disposition {
	case "recv_bye", "recv_cancel", "recv_refuse":
		return true
	case "send_bye", "send_cancel", "send_refuse":
		return false
	}
	return !weAsked
}

// Detail says in words for people what a cause of FreeSWITCH's own means, "" where
// its name says enough.
func (h Hangup) Detail() string {
	switch h.Cause {
	case "NORMAL_CLEARING":
		if h.Status == 200 && h.Disposition == "" { // no BYE came, and nobody had FreeSWITCH send one
			return "FreeSWITCH's SIP stack ended the call: its session timer has run out, as the far end did not refresh it"
		}
	case "MEDIA_TIMEOUT":
		return "no audio came from the far end for as long as its media timeout"
	case "RECOVERY_ON_TIMER_EXPIRE":
		if h.Disposition == "recv_refuse" && (h.Status == 408 || h.Status == 504) {
			return fmt.Sprintf("the far end, or a proxy on the way, gave up waiting for an answer (SIP %d)", h.Status)
		}
		return "the far end did not answer SIP requests any more: a session timer or a transaction has timed out"
	case "MANAGER_REQUEST":
		return "somebody ended the call in FreeSWITCH"
	case "ALLOTTED_TIMEOUT":
		return "the time that FreeSWITCH allows for the call is over"
	case "INCOMPATIBLE_DESTINATION":
		return "FreeSWITCH and the far end have no codec in common"
	case "DESTINATION_OUT_OF_ORDER":
		return "FreeSWITCH or the far end could not go on with the call; FreeSWITCH's log says why"
	case "SRTP_READ_ERROR":
		return "FreeSWITCH could not decrypt the audio of the far end"
	case "SYSTEM_SHUTDOWN":
		return "FreeSWITCH was shut down"
	case "BLIND_TRANSFER", "ATTENDED_TRANSFER":
		return "the call was transferred"
	}
	return ""
}
