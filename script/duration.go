package script

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var timeSyntax = regexp.MustCompile(`^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|s)?$`)

// looseSyntax is that of times as people write them: 10 s, 5S, 3sec.
var looseSyntax = regexp.MustCompile(`(?i)^(\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*(?:(ms|msecs?|milliseconds?)|s|secs?|seconds?)$`)

// LooseTime gives a time that is written otherwise than both languages have it, such as
// "10 s" or "3sec", as it is to be written.
func LooseTime(text string) (written string, loose bool) {
	text = strings.TrimSpace(text)
	match := looseSyntax.FindStringSubmatch(text)
	if match == nil || timeSyntax.MatchString(text) {
		return "", false
	}
	if match[2] != "" {
		return match[1] + "ms", true
	}
	return match[1] + "s", true
}

// longestTime bounds the times of documents.
const longestTime = 365 * 24 * time.Hour

// IsTime tells whether a text is a time with its unit.
func IsTime(text string) bool {
	match := timeSyntax.FindStringSubmatch(strings.TrimSpace(text))
	return match != nil && match[2] != ""
}

// BareTime tells whether a text is a time other than 0 without its unit, which an author
// may have meant as seconds. advice says so, with what to write, in this kind of quotes.
func BareTime(text, quote string) (advice string, bare bool) {
	match := timeSyntax.FindStringSubmatch(strings.TrimSpace(text))
	if match == nil || match[2] != "" || strings.Trim(match[1], "0.") == "" {
		return "", false
	}
	number, seconds := match[1], ""
	if len(number) < 4 {
		seconds = fmt.Sprintf(", or %s%ss%[1]s if seconds are meant", quote, number)
	}
	return fmt.Sprintf("has no unit: %s are milliseconds; write %[2]s%[1]sms%[2]s%[3]s", number, quote, seconds), true
}

// ParseTime reads a time as both languages write it: 500ms, 2s, .5s or +1.5s
// (CCXML 1.0, 3.4; VoiceXML 2.0, 6.5). A bare number is milliseconds, as Voxeo's
// platform read it. The error says in words what is wrong.
func ParseTime(text string) (time.Duration, error) {
	match := timeSyntax.FindStringSubmatch(strings.TrimSpace(text))
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
	if number > float64(longestTime)/float64(unit) {
		return 0, fmt.Errorf("%q is longer than a year", text)
	}
	return time.Duration(number * float64(unit)), nil
}
