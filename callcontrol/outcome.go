package callcontrol

import (
	"fmt"
	"strconv"
)

// The reasons of connection.failed, as Voxeo's platform named them (VX-46).
const (
	reasonBadNumber   = "badnumber"
	reasonUnreachable = "unreachable"
	reasonBusy        = "busy"
	reasonTimeout     = "timeout"
	reasonUnknown     = "unknown"
)

// requestTerminated is the SIP status of a call that our side gave up; the cause
// says why.
const requestTerminated = 487

// failureReason names the outcome of an outbound call, from the SIP status if
// the far end gave one, else from the Q.850 cause or FreeSWITCH's own.
func failureReason(sipStatus int, cause string) string {
	if sipStatus >= 300 && sipStatus != requestTerminated {
		return reasonOfStatus(sipStatus)
	}
	if reason, ok := reasonOfCause(cause); ok {
		return reason
	}
	return reasonUnknown
}

func reasonOfStatus(status int) string {
	switch {
	case status == 404, status == 484, status == 500:
		return reasonBadNumber
	case status == 403, status >= 501 && status <= 599:
		return reasonUnreachable
	case status == 480, status == 486, status == 603:
		return reasonBusy
	case status == 408:
		return reasonTimeout
	}
	return reasonUnknown
}

// reasonOfCause places outcomes without a SIP status by their meaning.
func reasonOfCause(cause string) (string, bool) {
	switch cause {
	case "USER_BUSY", "CALL_REJECTED", "NO_USER_RESPONSE", "SUBSCRIBER_ABSENT", "USER_NOT_REGISTERED":
		return reasonBusy, true
	case "NO_ANSWER", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT", "RECOVERY_ON_TIMER_EXPIRE", "ORIGINATOR_CANCEL", "PICKED_OFF":
		return reasonTimeout, true
	case "UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED", "INVALID_URL":
		return reasonBadNumber, true
	case "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_PROFILE", "CHAN_NOT_IMPLEMENTED", "DESTINATION_OUT_OF_ORDER",
		"NORMAL_TEMPORARY_FAILURE", "NETWORK_OUT_OF_ORDER", "NO_ROUTE_TRANSIT_NET", "NORMAL_CIRCUIT_CONGESTION",
		"SWITCH_CONGESTION", "REQUESTED_CHAN_UNAVAIL", "OUTGOING_CALL_BARRED", "INCOMPATIBLE_DESTINATION",
		"SERVICE_UNAVAILABLE", "FACILITY_REJECTED", "BEARERCAPABILITY_NOTAVAIL", "CRASH":
		return reasonUnreachable, true
	}
	return "", false
}

// detail says in words for people what a cause of FreeSWITCH's own means, "" where
// its name says enough.
func (h hangup) detail() string {
	switch h.cause {
	case "NORMAL_CLEARING":
		if h.status == 200 && h.disposition == "" { // no BYE came, and nobody had FreeSWITCH send one
			return "FreeSWITCH's SIP stack ended the call: its session timer has run out, as the far end did not refresh it"
		}
	case "MEDIA_TIMEOUT":
		return "no audio came from the far end for as long as its media timeout"
	case "RECOVERY_ON_TIMER_EXPIRE":
		if h.disposition == "recv_refuse" && (h.status == 408 || h.status == 504) {
			return fmt.Sprintf("the far end, or a proxy on the way, gave up waiting for an answer (SIP %d)", h.status)
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

// hangup is how a leg ended.
type hangup struct {
	cause       string // Hangup-Cause
	status      int    // SIP status, 0 where there was none
	disposition string // sip_hangup_disposition, such as recv_bye; "" without SIP
	q850        int    // the cause as Q.850 numbers it, 0 where that is not known
	contact     string // the address to which the far end redirected the call, "" for none
	answered    bool   // the call was, at some time
	returned    string // the form in the body of the far end's BYE, "" for none
}

// trigger tells who ended an answered call: remote or local (CEV-4).
func (h hangup) trigger(weAsked bool) string {
	switch h.disposition {
	case "recv_bye", "recv_cancel", "recv_refuse":
		return "remote"
	case "send_bye", "send_cancel", "send_refuse":
		return "local"
	}
	if weAsked {
		return "local"
	}
	return "remote"
}

// info is the info field of connection events: the protocol's own words.
func (h hangup) info() map[string]any {
	info := map[string]any{"cause": h.cause}
	if h.status != 0 {
		info["sipstatus"] = h.status
	}
	if h.disposition != "" {
		info["disposition"] = h.disposition
	}
	if h.contact != "" {
		info["contact"] = h.contact
	}
	if h.q850 != 0 {
		info["q850"] = h.q850
	}
	return info
}

// sipStatus reads a SIP status out of a channel variable.
func sipStatus(text string) int {
	status, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return status
}

// rejectStatus gives the SIP status that a reason for <reject> names, such as 486
// or busy. Other reasons are words for people.
func rejectStatus(reason string) (status string, ok bool) {
	n, err := strconv.Atoi(reason)
	if err == nil && n >= 400 && n <= 699 {
		return reason, true
	}
	switch reason {
	case "busy":
		return "486", true
	case "notfound", "badnumber":
		return "404", true
	case "forbidden":
		return "403", true
	case "unavailable":
		return "480", true
	}
	return "", false
}
