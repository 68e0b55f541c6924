package freeswitch

import "strings"

// Outcome is what came of a call that was placed, and not answered.
type Outcome int

// The outcomes, by SIP status or cause.
const (
	Unknown     Outcome = iota
	BadNumber           // nobody has that number
	Unreachable         // the network, or FreeSWITCH, does not bring the call there
	Busy                // the callee cannot or does not want to
	TimedOut            // nobody answered
)

// RequestTerminated is the SIP status of a call that our side gave up; the cause
// says why.
const RequestTerminated = 487

// OutcomeOf names the outcome of an outbound call, from the SIP status if the far end
// gave one, else from the Q.850 cause or FreeSWITCH's own.
func OutcomeOf(sipStatus int, cause string) Outcome {
	if sipStatus >= 300 && sipStatus != RequestTerminated {
		return outcomeOfStatus(sipStatus)
	}
	return outcomeOfCause(cause)
}

func outcomeOfStatus(status int) Outcome {
	switch {
	case status == 404, status == 484, status == 500:
		return BadNumber
	case status == 403, status >= 501 && status <= 599:
		return Unreachable
	case status == 480, status == 486, status == 603:
		return Busy
	case status == 408:
		return TimedOut
	}
	return Unknown
}

// outcomeOfCause places outcomes without a SIP status by their meaning.
func outcomeOfCause(cause string) Outcome {
	switch cause {
	case "USER_BUSY", "CALL_REJECTED", "NO_USER_RESPONSE", "SUBSCRIBER_ABSENT", "USER_NOT_REGISTERED":
		return Busy
	case "NO_ANSWER", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT", "RECOVERY_ON_TIMER_EXPIRE", "ORIGINATOR_CANCEL", "PICKED_OFF":
		return TimedOut
	case "UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED", "INVALID_URL":
		return BadNumber
	case "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_PROFILE", "CHAN_NOT_IMPLEMENTED", "DESTINATION_OUT_OF_ORDER",
		"NORMAL_TEMPORARY_FAILURE", "NETWORK_OUT_OF_ORDER", "NO_ROUTE_TRANSIT_NET", "NORMAL_CIRCUIT_CONGESTION",
		"SWITCH_CONGESTION", "REQUESTED_CHAN_UNAVAIL", "OUTGOING_CALL_BARRED", "INCOMPATIBLE_DESTINATION",
		"SERVICE_UNAVAILABLE", "FACILITY_REJECTED", "BEARERCAPABILITY_NOTAVAIL", "CRASH":
		return Unreachable
	}
	return Unknown
}

// FaultOfNode tells whether a call failed because of its FreeSWITCH and not of anybody
// that was called: no SIP answer came, and the cause names something of FreeSWITCH's
// own. DESTINATION_OUT_OF_ORDER is what its limits on sessions end in.
func (h Hangup) FaultOfNode() bool {
	if h.Status != 0 || h.Contact != "" || h.Answered {
		return false
	}
	switch h.Cause {
	case "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_PROFILE", "CHAN_NOT_IMPLEMENTED", "DESTINATION_OUT_OF_ORDER",
		"SWITCH_CONGESTION", "REQUESTED_CHAN_UNAVAIL", "NETWORK_OUT_OF_ORDER", "SYSTEM_SHUTDOWN", "CRASH":
		return true
	}
	return strings.Contains(h.Cause, " ") // no cause at all, such as "originate Command not found!"
}
