package interpreter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var intervalSyntax = regexp.MustCompile(`^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|s)?$`)

// parseInterval reads a time interval such as 500ms, 2s, .5s or +1.5s (CCXML
// 1.0, 3.4). A bare number is milliseconds, as Voxeo's platform read it.
func parseInterval(text string) (time.Duration, error) {
	match := intervalSyntax.FindStringSubmatch(strings.TrimSpace(text))
	if match == nil {
		return 0, fmt.Errorf("%q is not a time: write a number with ms or s, such as '500ms' or '1.5s'", text)
	}
	number, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time: %w", text, err)
	}
	unit := time.Millisecond
	if match[2] == "s" {
		unit = time.Second
	}
	const longest = 365 * 24 * time.Hour
	if number > float64(longest)/float64(unit) {
		return 0, fmt.Errorf("%q is longer than a year", text)
	}
	return time.Duration(number * float64(unit)), nil
}
