package callcontrol

import (
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
		variables[sipHeaderPrefix+name] = value
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
