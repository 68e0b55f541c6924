package callcontrol

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"ccxmld/interpreter"
)

var codecList = regexp.MustCompile(`^[A-Za-z0-9@.]{1,32}(,[A-Za-z0-9@.]{1,32}){0,15}$`)

// hintVariables turns the hints of createcall into channel variables of the
// originate (docs/hints.md).
func hintVariables(hints interpreter.Hints, variables map[string]string) error {
	for name, value := range hintHeaders(hints) {
		variables["sip_h_"+name] = value
	}
	if value, ok := hints["codecs"]; ok {
		codecs := strings.ReplaceAll(fmt.Sprint(value), " ", "")
		if !codecList.MatchString(codecs) {
			return fmt.Errorf("the hint codecs is %.60q; expected names such as PCMA,PCMU", fmt.Sprint(value))
		}
		variables["absolute_codec_string"] = codecs
	}
	if value, ok := hints["callername"]; ok {
		variables["origination_caller_id_name"] = fmt.Sprint(value)
	}
	if value, ok := hints["privacy"]; ok && isTrue(value) {
		variables["origination_privacy"] = "hide_name:hide_number:screen"
	}
	return nil
}

func isTrue(value any) bool { return value == true || value == "true" }

// userToUser is aai as the SIP header User-to-User (RFC 7433): its bytes in hex.
func userToUser(aai string) string {
	return hex.EncodeToString([]byte(aai)) + ";encoding=hex"
}

// aaiOf reads such a header; one in another encoding is taken as it is.
func aaiOf(header string) string {
	text, parameters, _ := strings.Cut(header, ";")
	if !strings.Contains(strings.ToLower(parameters), "encoding=hex") {
		return header
	}
	decoded, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return header
	}
	return string(decoded)
}
