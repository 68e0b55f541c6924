package callcontrol

import (
	"strconv"

	"ccxmld/freeswitch"
)

// The reasons of connection.failed, as Voxeo's platform named them (VX-46).
const (
	reasonBadNumber   = "badnumber"
	reasonUnreachable = "unreachable"
	reasonBusy        = "busy"
	reasonTimedOut    = "timeout"
	reasonUnknown     = "unknown"
)

// failureReason names the outcome of an outbound call.
func failureReason(h freeswitch.Hangup) string {
	switch freeswitch.OutcomeOf(h.Status, h.Cause) {
	case freeswitch.BadNumber:
		return reasonBadNumber
	case freeswitch.Unreachable:
		return reasonUnreachable
	case freeswitch.Busy:
		return reasonBusy
	case freeswitch.TimedOut:
		return reasonTimedOut
	}
	return reasonUnknown
}

// triggerOf tells who ended an answered call: remote or local (CEV-4).
func triggerOf(h freeswitch.Hangup, weAsked bool) string {
	if h.ByFarEnd(weAsked) {
		return "remote"
	}
	return "local"
}

// infoOf is the info field of connection events: the protocol's own words.
func infoOf(h freeswitch.Hangup) map[string]any {
	info := map[string]any{"cause": h.Cause}
	if h.Status != 0 {
		info["sipstatus"] = h.Status
	}
	if h.Disposition != "" {
		info["disposition"] = h.Disposition
	}
	if h.Contact != "" {
		info["contact"] = h.Contact
	}
	if h.Q850 != 0 {
		info["q850"] = h.Q850
	}
	return info
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
