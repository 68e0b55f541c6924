package dialog

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ccxmld/script"
)

// source is the src of a dialog, taken apart: what to play, and the controls
// that Voxeo's documents put on its query (VX-31, VX-32).
type source struct {
	uri  string // without the controls; "" or null: for nothing
	text string // spoken when the audio cannot be played
	controls
}

// controls say how digits are taken while and after a prompt plays.
type controls struct {
	listen     bool // any control is given
	termDigits string
	maxDigits  int
	timeout    time.Duration // for the first digit
	interDigit time.Duration
	maxTime    time.Duration // for all of them
	beep       bool
	noBargeIn  bool
	hasTimeout bool
}

// controlNames are the parameters that are read here. All others belong to
// the URI, or to the text that they stand in.
var controlNames = []string{"text", "termdigits", "maxdigits", "timeout", "maxtime", "interdigittimeout", "beep", "bargein"}

// parseSource takes a src apart. The text stands there as people write, with
// spaces, commas, question marks and ampersands: it goes on to the next known
// control or to the end.
func parseSource(src string) (source, error) {
	uri, query, hasQuery := strings.Cut(src, "?")
	s := source{uri: uri}
	if !hasQuery || query == "" {
		return s, nil
	}
	var rest, text []string
	inText := false
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		switch control := controlName(name); {
		case control == "text" && !inText:
			inText = true
			text = []string{value}
		case control != "" && control != "text" && strings.Contains(part, "="):
			if err := s.set(control, unescape(value)); err != nil {
				return s, err
			}
		case inText:
			text = append(text, part)
		default:
			rest = append(rest, part)
		}
	}
	s.text = unescape(strings.Join(text, "&"))
	if len(rest) > 0 {
		s.uri += "?" + strings.Join(rest, "&")
	}
	return s, nil
}

// controlName gives the control that a parameter's name stands for, "" if it is
// none.
func controlName(name string) string {
	name = strings.TrimSpace(name)
	for _, control := range controlNames {
		if strings.EqualFold(name, control) {
			return control
		}
	}
	return ""
}

// unescape undoes the encoding of a query, if there is one: a value with spaces
// or with a stray percent sign was written as it is meant.
func unescape(value string) string {
	if strings.ContainsAny(value, " \t\r\n") {
		return value
	}
	decoded, err := url.QueryUnescape(value)
	if err != nil || !utf8.ValidString(decoded) {
		return value
	}
	return decoded
}

// apply takes parameters as controls; they win over those of the query. Others
// are none of a media dialog's.
func (s *source) apply(parameters []Pair) error {
	for _, p := range parameters {
		switch control := controlName(p.Name); control {
		case "":
		case "text":
			s.text = p.Value
		default:
			if err := s.set(control, p.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// set sets one control.
func (c *controls) set(name, value string) (err error) {
	value = strings.TrimSpace(value)
	switch name {
	case "termdigits":
		if strings.Trim(value, Digits) != "" {
			return fmt.Errorf("termdigits is %q; expected some of %s", value, Digits)
		}
		c.termDigits, c.listen = value, c.listen || value != ""
	case "maxdigits":
		c.maxDigits, err = strconv.Atoi(value)
		if err != nil || c.maxDigits < 0 || c.maxDigits > maxDigits {
			return fmt.Errorf("maxdigits is %q; expected a number up to %d", value, maxDigits)
		}
		c.listen = c.listen || c.maxDigits > 0
	case "timeout":
		c.timeout, err = ParseTime(value)
		c.hasTimeout, c.listen = true, true
	case "interdigittimeout":
		c.interDigit, err = ParseTime(value)
		c.listen = true
	case "maxtime":
		c.maxTime, err = ParseTime(value)
		c.listen = true
	case "beep":
		c.beep, err = boolean(value)
	case "bargein":
		var yes bool
		yes, err = boolean(value)
		c.noBargeIn = !yes
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func boolean(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1", "yes", "":
		return true, nil
	case "false", "0", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", value)
}

// longestTime bounds the times that a dialog can be given.
const longestTime = 24 * time.Hour

// ParseTime reads a time as script.ParseTime does, of at most a day.
func ParseTime(text string) (time.Duration, error) {
	d, err := script.ParseTime(text)
	if err == nil && d > longestTime {
		return 0, fmt.Errorf("%q is longer than a day", text)
	}
	return d, err
}

// parseData reads a data: URI (RFC 2397). Its text may stand there unescaped.
func parseData(uri string) (text string, err error) {
	kind, data, ok := strings.Cut(uri[len("data:"):], ",")
	if !ok {
		return "", fmt.Errorf("a data: URI needs a comma before its data, as in data:text/plain,Hello")
	}
	if strings.HasSuffix(strings.ToLower(strings.TrimSpace(kind)), ";base64") {
		return decodeBase64(data)
	}
	if strings.ContainsAny(data, " \t\r\n") {
		return data, nil
	}
	if decoded, err := url.PathUnescape(data); err == nil {
		data = decoded
	}
	return data, nil
}
