package switchsim

import "strings"

// hangupCause is one of FreeSWITCH's, with its number and the SIP status that
// it is sent as (switch_types.h, sofia_glue_hangup_cause...).
type hangupCause struct {
	name   string
	number int
	status int
}

var hangupCauses = [...]hangupCause{
	{"UNALLOCATED_NUMBER", 1, 404}, {"NO_ROUTE_TRANSIT_NET", 2, 404}, {"NO_ROUTE_DESTINATION", 3, 404},
	{"CHANNEL_UNACCEPTABLE", 6, 480}, {"CALL_AWARDED_DELIVERED", 7, 480}, {"NORMAL_CLEARING", 16, 480},
	{"USER_BUSY", 17, 486}, {"NO_USER_RESPONSE", 18, 408}, {"NO_ANSWER", 19, 480}, {"SUBSCRIBER_ABSENT", 20, 480},
	{"CALL_REJECTED", 21, 603}, {"NUMBER_CHANGED", 22, 410}, {"REDIRECTION_TO_NEW_DESTINATION", 23, 410},
	{"EXCHANGE_ROUTING_ERROR", 25, 483}, {"DESTINATION_OUT_OF_ORDER", 27, 502}, {"INVALID_NUMBER_FORMAT", 28, 484},
	{"FACILITY_REJECTED", 29, 501}, {"RESPONSE_TO_STATUS_ENQUIRY", 30, 480}, {"NORMAL_UNSPECIFIED", 31, 480},
	{"NORMAL_CIRCUIT_CONGESTION", 34, 503}, {"NETWORK_OUT_OF_ORDER", 38, 503}, {"NORMAL_TEMPORARY_FAILURE", 41, 503},
	{"SWITCH_CONGESTION", 42, 503}, {"ACCESS_INFO_DISCARDED", 43, 480}, {"REQUESTED_CHAN_UNAVAIL", 44, 503},
	{"PRE_EMPTED", 45, 480}, {"FACILITY_NOT_SUBSCRIBED", 50, 480}, {"OUTGOING_CALL_BARRED", 52, 403},
	{"INCOMING_CALL_BARRED", 54, 403}, {"BEARERCAPABILITY_NOTAUTH", 57, 403}, {"BEARERCAPABILITY_NOTAVAIL", 58, 503},
	{"SERVICE_UNAVAILABLE", 63, 503}, {"BEARERCAPABILITY_NOTIMPL", 65, 488}, {"CHAN_NOT_IMPLEMENTED", 66, 501},
	{"FACILITY_NOT_IMPLEMENTED", 69, 501}, {"SERVICE_NOT_IMPLEMENTED", 79, 501}, {"INVALID_CALL_REFERENCE", 81, 480},
	{"INCOMPATIBLE_DESTINATION", 88, 488}, {"RECOVERY_ON_TIMER_EXPIRE", 102, 504}, {"MANDATORY_IE_MISSING", 96, 480},
	{"PROTOCOL_ERROR", 111, 480}, {"INTERWORKING", 127, 480}, {"ORIGINATOR_CANCEL", 487, 487}, {"CRASH", 500, 480},
	{"SYSTEM_SHUTDOWN", 501, 480}, {"LOSE_RACE", 502, 480}, {"MANAGER_REQUEST", 503, 480}, {"BLIND_TRANSFER", 600, 480},
	{"ATTENDED_TRANSFER", 601, 480}, {"ALLOTTED_TIMEOUT", 602, 480}, {"USER_CHALLENGE", 603, 480},
	{"MEDIA_TIMEOUT", 604, 480}, {"PICKED_OFF", 605, 480}, {"USER_NOT_REGISTERED", 606, 480}, {"PROGRESS_TIMEOUT", 607, 480},
	{"INVALID_GATEWAY", 608, 480}, {"GATEWAY_DOWN", 609, 480}, {"INVALID_URL", 610, 480}, {"INVALID_PROFILE", 611, 480},
	{"NO_PICKUP", 612, 480}, {"SRTP_READ_ERROR", 613, 480}, {"BOWOUT", 614, 480}, {"BUSY_EVERYWHERE", 615, 600},
	{"DECLINE", 616, 603}, {"DOES_NOT_EXIST_ANYWHERE", 617, 604}, {"NOT_ACCEPTABLE", 618, 606},
	{"UNWANTED", 619, 607}, {"NO_IDENTITY", 620, 428}, {"BAD_IDENTITY_INFO", 621, 429},
	{"UNSUPPORTED_CERTIFICATE", 622, 437}, {"INVALID_IDENTITY", 623, 438}, {"STALE_DATE", 624, 403}, {"REJECT_ALL", 625, 480},
}

func causeNamed(name string) (hangupCause, bool) {
	for _, c := range hangupCauses {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return hangupCause{}, false
}

// normalCause returns a cause as FreeSWITCH would take it from a command:
// unknown ones are NORMAL_CLEARING.
func normalCause(name string) string {
	if c, ok := causeNamed(name); ok {
		return c.name
	}
	return "NORMAL_CLEARING"
}

// q850 is the number in a call detail: causes beyond Q.850 count as 16.
func q850(name string) int {
	if c, ok := causeNamed(name); ok && c.number < 128 {
		return c.number
	}
	return 16
}

// sipResponses are the statuses that parties and the respond application use:
// phrase, and the cause that a leg ends with (sofia_glue_sip_cause_to_freeswitch).
var sipResponses = map[int]struct{ phrase, cause string }{
	400: {"Bad Request", "NORMAL_TEMPORARY_FAILURE"}, 401: {"Unauthorized", "CALL_REJECTED"},
	402: {"Payment Required", "CALL_REJECTED"}, 403: {"Forbidden", "CALL_REJECTED"},
	404: {"Not Found", "UNALLOCATED_NUMBER"}, 405: {"Method Not Allowed", "SERVICE_UNAVAILABLE"},
	406: {"Not Acceptable", "SERVICE_NOT_IMPLEMENTED"}, 407: {"Proxy Authentication Required", "CALL_REJECTED"},
	408: {"Request Timeout", "RECOVERY_ON_TIMER_EXPIRE"}, 410: {"Gone", "NUMBER_CHANGED"},
	413: {"Request Entity Too Large", "INTERWORKING"}, 414: {"Request-URI Too Long", "INTERWORKING"},
	415: {"Unsupported Media Type", "SERVICE_NOT_IMPLEMENTED"}, 416: {"Unsupported URI Scheme", "INTERWORKING"},
	420: {"Bad Extension", "INTERWORKING"}, 480: {"Temporarily Unavailable", "NO_USER_RESPONSE"},
	481: {"Call Does Not Exist", "NORMAL_TEMPORARY_FAILURE"}, 482: {"Loop Detected", "EXCHANGE_ROUTING_ERROR"},
	483: {"Too Many Hops", "EXCHANGE_ROUTING_ERROR"}, 484: {"Address Incomplete", "INVALID_NUMBER_FORMAT"},
	485: {"Ambiguous", "NO_ROUTE_DESTINATION"}, 486: {"Busy Here", "USER_BUSY"},
	487: {"Request Terminated", "ORIGINATOR_CANCEL"}, 488: {"Not Acceptable Here", "INCOMPATIBLE_DESTINATION"},
	500: {"Server Internal Error", "NORMAL_TEMPORARY_FAILURE"}, 501: {"Not Implemented", "SERVICE_NOT_IMPLEMENTED"},
	502: {"Bad Gateway", "NETWORK_OUT_OF_ORDER"}, 503: {"Service Unavailable", "NORMAL_TEMPORARY_FAILURE"},
	504: {"Gateway Timeout", "RECOVERY_ON_TIMER_EXPIRE"}, 505: {"Version Not Supported", "INTERWORKING"},
	600: {"Busy Everywhere", "USER_BUSY"}, 603: {"Decline", "CALL_REJECTED"},
	604: {"Does Not Exist Anywhere", "NO_ROUTE_DESTINATION"}, 606: {"Not Acceptable", "INCOMPATIBLE_DESTINATION"},
}

func causeOfStatus(status int) string {
	if r, ok := sipResponses[status]; ok {
		return r.cause
	}
	return "NORMAL_UNSPECIFIED"
}
