package callcontrol

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/sip"
)

// sipHeaders are the headers of the INVITE that FreeSWITCH keeps.
func sipHeaders(channel *esl.Event) (headers []interpreter.Pair) {
	for _, header := range freeswitch.HeadersOf(channel) {
		headers = append(headers, interpreter.Pair(header))
	}
	return headers
}

// headerOf gives the value of a header, "" for none.
func headerOf(headers []interpreter.Pair, name string) string {
	for _, header := range headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// redirectsOf tells where a call was diverted from before it came here, by its
// History-Info (RFC 7044) or Diversion (RFC 5806) headers. The number that was
// called first comes first, as in VoiceXML's session.connection.redirect.
func redirectsOf(headers []interpreter.Pair) (redirects []interpreter.Redirect) {
	history := addressesOf(headerOf(headers, "History-Info"))
	for i := 0; i+1 < len(history); i++ { // the last entry is where the call goes now
		redirects = append(redirects, interpreter.Redirect{
			URI: history[i].URI, Reason: reasonOfHistory(history[i].Headers.Get("Reason"), history[i+1].URI),
		})
	}
	if redirects != nil {
		return redirects
	}
	diversions := addressesOf(headerOf(headers, "Diversion"))
	for i := len(diversions) - 1; i >= 0; i-- { // the header has the last one first
		d := diversions[i]
		redirects = append(redirects, interpreter.Redirect{
			URI: d.URI, Reason: reasonOfDiversion(d.Parameters["reason"]),
			Presentation: d.Parameters["privacy"], Screening: d.Parameters["screen"],
		})
	}
	return redirects
}

// The reasons of a diversion, as VoiceXML 2.0 names them (5.1.4).
const (
	divertedUnknown     = "unknown"
	divertedBusy        = "user busy"
	divertedNoReply     = "no reply"
	divertedAlerting    = "deflection during alerting"
	divertedAtOnce      = "deflection immediate response"
	divertedUnreachable = "mobile subscriber not reachable"
)

func reasonOfDiversion(reason string) string {
	switch strings.ToLower(reason) {
	case "user-busy":
		return divertedBusy
	case "no-answer":
		return divertedNoReply
	case "unavailable", "out-of-service":
		return divertedUnreachable
	case "deflection", "unconditional":
		return divertedAtOnce
	}
	return divertedUnknown
}

// reasonOfHistory reads why a call went on: the Reason header of the address that
// it left, or the cause parameter of the one that it came to (RFC 4458).
func reasonOfHistory(reason, next string) string {
	cause := sip.ParametersOf(reason)["cause"]
	if cause == "" {
		cause = sip.ParametersOf(next)["cause"]
	}
	switch cause {
	case "486", "600":
		return divertedBusy
	case "408":
		return divertedNoReply
	case "487":
		return divertedAlerting
	case "302", "480":
		return divertedAtOnce
	case "503":
		return divertedUnreachable
	}
	return divertedUnknown
}

// addressesOf reads a list of addresses, such as "A" <sip:a@b>;reason=x, sip:c@d.
func addressesOf(header string) (addresses []sip.Address) {
	for _, entry := range splitHeader(header) {
		if address, err := sip.Parse(entry); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// splitHeader splits a list at the commas that are in no quotation and no <>.
func splitHeader(header string) (entries []string) {
	quoted, bracketed, start := false, false, 0
	add := func(end int) {
		if entry := strings.TrimSpace(header[start:end]); entry != "" {
			entries = append(entries, entry)
		}
	}
	for i := 0; i < len(header); i++ {
		switch header[i] {
		case '"':
			quoted = !quoted
		case '<':
			bracketed = bracketed || !quoted
		case '>':
			bracketed = bracketed && quoted
		case ',':
			if !quoted && !bracketed {
				add(i)
				start = i + 1
			}
		}
	}
	add(len(header))
	return entries
}

// userToUserHeader carries aai (RFC 7433).
const userToUserHeader = "User-to-User"

// userToUser gives the header's value for aai: its bytes in hex.
func userToUser(aai string) string {
	return hex.EncodeToString([]byte(aai)) + ";encoding=hex"
}

// What follows in data that came from ISDN, as its first octet says it (ITU-T
// Q.931, 4.5.30).
const (
	userSpecific = "\x00"
	ia5Text      = "\x04"
)

// aaiOf reads the header: text as far as it is text, else as it is.
func aaiOf(header string) string {
	data, _, _ := strings.Cut(header, ";")
	data = strings.Trim(strings.TrimSpace(data), `"`)
	if encoding := sip.ParametersOf(header)["encoding"]; encoding != "" && !strings.EqualFold(encoding, "hex") {
		return data
	}
	octets, err := hex.DecodeString(data)
	if err != nil || !utf8.Valid(octets) {
		return data
	}
	text := string(octets)
	return strings.TrimPrefix(strings.TrimPrefix(text, userSpecific), ia5Text)
}
