package freeswitch

import (
	"strings"

	"ccxmld/esl"
)

// The variables in which mod_sofia takes headers to send: of an INVITE or REFER, of an
// answer to one, of a BYE. In the first it also keeps those of an INVITE that has come.
const (
	HeaderPrefix       = "sip_h_"
	AnswerHeaderPrefix = "sip_rh_"
	ByeHeaderPrefix    = "sip_bye_h_"
)

// Header is a header of a SIP message.
type Header struct{ Name, Value string }

// HeadersOf are the headers of a channel's INVITE that FreeSWITCH keeps.
func HeadersOf(channel *esl.Event) (headers []Header) {
	for _, header := range []struct{ name, variable string }{
		{"From", "variable_sip_full_from"}, {"To", "variable_sip_full_to"}, {"Call-ID", "variable_sip_call_id"},
		{"Via", "variable_sip_full_via"}, {"User-Agent", "variable_sip_user_agent"},
		{"History-Info", "variable_sip_history_info"},
	} {
		if value := channel.Get(header.variable); value != "" {
			headers = append(headers, Header{Name: header.name, Value: value})
		}
	}
	const extra = "variable_" + HeaderPrefix
	for name, value := range channel.WithPrefix(extra) {
		headers = append(headers, Header{Name: strings.TrimPrefix(name, extra), Value: value})
	}
	return headers
}

// PartiesOf are the URIs of who is called by a channel and who calls: SIP URIs where it
// has some, else telephone numbers.
func PartiesOf(channel *esl.Event) (called, caller string) {
	return address(channel.Get("variable_sip_to_uri"), channel.Get("Caller-Destination-Number")),
		address(channel.Get("variable_sip_from_uri"), channel.Get("Caller-Caller-ID-Number"))
}

func address(sip, number string) string {
	if sip != "" {
		return "sip:" + sip
	}
	return "tel:" + number
}

// MachineOf is the FreeSWITCH that a channel is on, by the name that it gives itself.
func MachineOf(channel *esl.Event) string { return channel.Get("FreeSWITCH-Switchname") }

// IsAnswered tells whether the call of a channel is answered.
func IsAnswered(channel *esl.Event) bool { return channel.Get("Answer-State") == "answered" }
