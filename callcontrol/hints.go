package callcontrol

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
	"ccxmld/script"
)

var (
	codecList  = regexp.MustCompile(`^[A-Za-z0-9@.]{1,32}(,[A-Za-z0-9@.]{1,32}){0,15}$`)
	headerName = regexp.MustCompile(`^[Xx]-[A-Za-z0-9-]{1,64}$`)
)

// hintVariables turns the hints of createcall into channel variables of the
// originate (docs/hints.md).
func hintVariables(hints interpreter.Hints, variables map[string]string) error {
	for name, value := range hintHeaders(hints) {
		variables[freeswitch.HeaderPrefix+name] = value
	}
	if value, ok := hint(hints, "codecs"); ok {
		codecs := strings.ReplaceAll(fmt.Sprint(value), " ", "")
		if !codecList.MatchString(codecs) {
			return fmt.Errorf("the hint codecs is %.60q; expected names such as PCMA,PCMU", fmt.Sprint(value))
		}
		variables[freeswitch.Codecs] = codecs
	}
	if value, ok := hint(hints, "callername"); ok {
		name := callerName(fmt.Sprint(value))
		if !isText(value) || name == "" {
			return fmt.Errorf("the hint callername is %.60q; expected a name to show", fmt.Sprint(value))
		}
		variables[freeswitch.CallerName] = name
	}
	if value, _ := hint(hints, "privacy"); isTrue(value) {
		variables[freeswitch.Privacy] = freeswitch.Private
	}
	return mediaTimeout(hints, variables)
}

// Media timeouts that FreeSWITCH can keep, and that are no accident.
const (
	shortestSilence = time.Second
	longestSilence  = 24 * time.Hour
)

// mediaTimeout turns the hint into the variable by which FreeSWITCH hangs up a call
// that no audio comes from.
func mediaTimeout(hints interpreter.Hints, variables map[string]string) error {
	value, ok := hint(hints, "mediatimeout")
	if !ok {
		return nil
	}
	timeout, err := script.ParseTime(fmt.Sprint(value))
	if err != nil || timeout < shortestSilence || timeout > longestSilence {
		return fmt.Errorf("the hint mediatimeout is %.60q; expected a time of %s to %s, such as 30s",
			fmt.Sprint(value), shortestSilence, longestSilence)
	}
	variables[freeswitch.NoMediaHangup] = strconv.FormatInt(timeout.Milliseconds(), 10)
	return nil
}

// hearsTones tells whether digits are to be looked for in the audio (the hint
// inbanddtmf).
func hearsTones(hints interpreter.Hints) bool {
	value, _ := hint(hints, "inbanddtmf")
	return isTrue(value)
}

// hearTones has digits looked for in what the party says.
func (l *leg) hearTones() {
	if l.tones {
		l.send(freeswitch.StartInbandDigits(), nil)
	}
}

// setHeaders has FreeSWITCH send the headers of a hints object with what it sends
// next on a leg.
func (l *leg) setHeaders(prefix string, hints interpreter.Hints) error {
	headers := hintHeaders(hints)
	var commands []esl.Command
	var names []string
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !headerName.MatchString(name) {
			return fmt.Errorf("the hint headers names %.60q; expected a name such as x-account", name)
		}
		command := freeswitch.SetVariable(l.id, prefix+name, esl.Word(headers[name]))
		if err := command.Err(); err != nil {
			return fmt.Errorf("the hint headers: %w", err)
		}
		commands = append(commands, command)
	}
	for _, command := range commands {
		l.send(command, nil)
	}
	return nil
}

// prepareAnswer readies a leg for its answer as the hints of accept want it.
func (l *leg) prepareAnswer(hints interpreter.Hints) error {
	variables := make(map[string]string, 1)
	err := errors.Join(mediaTimeout(hints, variables), l.setHeaders(freeswitch.AnswerHeaderPrefix, hints))
	if err != nil {
		return err
	}
	for name, value := range byKey(variables) {
		l.send(freeswitch.SetVariable(l.id, name, value), nil)
	}
	l.tones = hearsTones(hints)
	return nil
}

// hint gives the value of a hint, whose name may be in any case. One that is
// undefined or null is none.
func hint(hints interpreter.Hints, name string) (value any, ok bool) {
	if value, ok = hints[name]; ok {
		return value, value != nil
	}
	for other, value := range hints {
		if strings.EqualFold(other, name) {
			return value, value != nil
		}
	}
	return nil, false
}

// isText tells whether a hint's value is a text, or has one that people expect.
func isText(value any) bool {
	switch value.(type) {
	case string, bool, int, int64, float64:
		return true
	}
	return false
}

// hintHeaders are the SIP headers of a hints object; only names that begin with
// x- are sent (VX-8).
func hintHeaders(hints interpreter.Hints) map[string]string {
	value, _ := hint(hints, "headers")
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	headers := make(map[string]string)
	for name, value := range object {
		if len(name) > 2 && strings.EqualFold(name[:2], "x-") && isText(value) {
			headers[name] = fmt.Sprint(value)
		}
	}
	return headers
}

func isTrue(value any) bool { return value == true || value == "true" }
