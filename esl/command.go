package esl

import (
	"strconv"
	"strings"
	"time"

	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

// A Command is a command built and checked by one of this package's
// constructors, for Do, Send and Job. The constructors do not return errors:
// one that was given a value that cannot be sent makes a Command with an error,
// which Do and Send report instead of sending it.
type Command struct {
	message string
	err     error
	// api is what follows "api " or "bgapi ", for those that can run as a job;
	// jobUUID is the job's id where the command names one.
	api     string
	jobUUID string
}

var _ command.Command = Command{}

// BuildMessage returns the command as it is sent, without the empty line behind
// it; "" when the command has an error.
func (c Command) BuildMessage() string { return c.message }

// Err returns an *InvalidError when the command cannot be sent.
func (c Command) Err() error { return c.err }

// build makes a Command of what eslgo builds if all checks passed.
func build(cmd command.Command, checks ...error) Command {
	for _, err := range checks {
		if err != nil {
			return Command{err: err}
		}
	}
	return Command{message: cmd.BuildMessage()}
}

// wireForm returns a command's message. What was not built by this package is
// checked for what would put replies out of step: an empty line in the middle,
// with no Content-Length that accounts for what follows.
func wireForm(cmd command.Command) (string, error) {
	if checked, ok := cmd.(interface{ Err() error }); ok && checked.Err() != nil {
		return "", checked.Err()
	}
	message := cmd.BuildMessage()
	if _, ours := cmd.(Command); ours {
		return message, nil
	}
	if strings.IndexByte(message, 0) >= 0 {
		return "", &InvalidError{"command", message, "holds a NUL"}
	}
	text := []byte(message)
	end, next := headerEnd(text)
	if end < 0 {
		return message, nil
	}
	if n, err := contentLength(text[:end], len(text)); err != nil || n != len(text)-next {
		return "", &InvalidError{"command", message, "holds an empty line"}
	}
	return message, nil
}

// checkLine refuses what would end a header or a command early.
func checkLine(what, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return &InvalidError{what, value, "holds a line end or NUL"}
	}
	return nil
}

// checkWord refuses all but letters, digits and the given others, and "".
func checkWord(what, value, others string) error {
	if value == "" {
		return &InvalidError{what, value, "is empty"}
	}
	for _, c := range []byte(value) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(others, c) < 0 {
			return &InvalidError{what, value, "holds " + strconv.QuoteRune(rune(c))}
		}
	}
	return nil
}

// CheckUUID refuses an id that no command could name: longer than FreeSWITCH
// keeps (36 characters, SWITCH_UUID_FORMATTED_LENGTH), or of characters with a
// meaning. what says in the error whose it is. An empty one is for the caller to
// judge. The error is an *InvalidError.
func CheckUUID(what, value string) error {
	const most = 36
	if value == "" {
		return nil
	}
	if len(value) > most {
		return &InvalidError{what, value, "is longer than 36 characters"}
	}
	return checkWord(what, value, "-_.")
}

// Connect asks for the channel of an outbound socket. [Server] sends it.
func Connect() Command { return build(command.Connect{}) }

// Exit asks FreeSWITCH to close the connection. An outbound socket's leg then
// goes on with the next action of its dialplan.
func Exit() Command { return build(command.Exit{}) }

// Auth logs in to an inbound socket. [Link] sends it.
func Auth(password string) Command {
	return build(command.Auth{Password: password}, redact(checkLine("password", password)))
}

// redact keeps the password out of the error.
func redact(err error) error {
	if err == nil {
		return nil
	}
	return &InvalidError{"password", "…", "holds a line end or NUL"}
}

// Linger asks FreeSWITCH to keep an outbound socket open after the leg is gone,
// so that its last events arrive, for that many seconds (at least 1). Without
// it, CHANNEL_HANGUP_COMPLETE is lost.
func Linger(seconds int) Command {
	var err error
	if seconds < 1 {
		err = &InvalidError{"linger", strconv.Itoa(seconds), "is less than a second"}
	}
	// eslgo prints Seconds as a plain number: this is seconds, not nanoseconds.
	return build(command.Linger{Enabled: true, Seconds: time.Duration(seconds)}, err)
}

// LongestVariable is how many characters GetVariable's answer has at most;
// FreeSWITCH cuts off the rest.
const LongestVariable = 511

// GetVariable asks for a variable of an outbound socket's leg, as long as the socket
// lingers. The answer's Text is the value as it is, of at most LongestVariable
// characters, whereas events show % and two hexadecimal digits in a value like the
// character that they stand for. A value with line ends would break the connection:
// ask only for one of which an event has shown that it has none.
func GetVariable(name string) Command {
	if err := checkWord("variable name", name, "_-."); err != nil {
		return Command{err: err}
	}
	return Command{message: "getvar " + name}
}

// SendEvent has FreeSWITCH tell all who listen of an event of a subclass, with headers, each
// a name and its value.
func SendEvent(subclass string, headers [][2]string) Command {
	checks := []error{checkWord("event subclass", subclass, "_:-.")}
	var text strings.Builder
	text.WriteString("sendevent CUSTOM\r\nEvent-Subclass: " + subclass)
	for _, h := range headers {
		checks = append(checks, checkWord("event header", h[0], "_-"), checkLine("value of an event header", h[1]))
		text.WriteString("\r\n" + h[0] + ": " + h[1])
	}
	for _, err := range checks {
		if err != nil {
			return Command{err: err}
		}
	}
	return Command{message: text.String()}
}

// Subscribe asks for events, in plain format, in addition to those asked for
// before. Names with "::", and whatever follows CUSTOM, are subclasses of
// CUSTOM, for example conference::maintenance.
func Subscribe(events ...string) Command {
	var plain, custom []string
	for _, event := range events {
		subclass := false
		for word := range strings.FieldsSeq(event) {
			if err := checkWord("event name", word, "_:-."); err != nil {
				return Command{err: err}
			}
			switch {
			case word == "CUSTOM":
				subclass = true
			case subclass || strings.Contains(word, "::"):
				custom = append(custom, word)
			default:
				plain = append(plain, word)
			}
		}
	}
	if len(custom) > 0 {
		plain = append(append(plain, "CUSTOM"), custom...)
	}
	if len(plain) == 0 {
		return Command{err: &InvalidError{"subscription", "", "names no event"}}
	}
	return build(command.Event{Format: "plain", Listen: plain})
}

// Filter lets only events through that have this value in this header. With
// several filters, one that matches is enough. A value between slashes is a
// regular expression, and one that begins with - shuts out what it matches.
func Filter(header, value string) Command {
	if header == "add" || header == "delete" {
		return Command{err: &InvalidError{"filter header", header, "is a word of the filter command"}}
	}
	return build(command.Filter{EventHeader: header, FilterValue: value},
		checkWord("filter header", header, "-_."), checkLine("filter value", value), notEmpty("filter value", value))
}

// Unfilter takes a filter back; with value "", all for this header.
func Unfilter(header, value string) Command {
	return build(command.Filter{Delete: true, EventHeader: header, FilterValue: value},
		checkWord("filter header", header, "-_."), checkLine("filter value", value))
}

func notEmpty(what, value string) error {
	if value == "" {
		return &InvalidError{what, value, "is empty"}
	}
	return nil
}

// API runs an API command in FreeSWITCH's connection thread: no events and no
// replies come until it has ended, so use it for quick ones, and [Link.Job] for
// the others. The arguments are joined by spaces and sent as they are, since
// each command reads them in its own way; use [Word] for one that came from
// outside and may hold spaces or quotes.
func API(name string, args ...string) Command {
	arguments := strings.Join(args, " ")
	if err := checkWord("API command", name, "_-."); err != nil {
		return Command{err: err}
	}
	if err := checkLine("argument of "+name, arguments); err != nil {
		return Command{err: err}
	}
	api := strings.TrimRight(name+" "+arguments, " ")
	return Command{message: "api " + api, api: api}
}

// Execute runs a dialplan application on the leg of an outbound socket, after
// those before it have ended (event-lock). Its CHANNEL_EXECUTE and
// CHANNEL_EXECUTE_COMPLETE carry appUUID as Application-UUID; "" lets FreeSWITCH
// choose one. The argument is expanded by FreeSWITCH: make text from outside
// harmless with [Literal]. It cannot hold line ends: use [ExecuteBody] for that.
func Execute(app, arg, appUUID string) Command { return ExecuteOn("", app, arg, appUUID) }

// ExecuteOn is Execute on any leg of the node.
func ExecuteOn(leg, app, arg, appUUID string) Command {
	return build(&call.Execute{UUID: leg, AppName: app, AppArgs: arg, AppUUID: appUUID, Sync: true},
		checkExecute(leg, app, appUUID), checkLine("argument of "+app, arg))
}

// On gives a command for the leg of an outbound socket as any other connection of the node
// takes it: what is not about a leg stays as it is. leg is checked already.
func (c Command) On(leg string) Command {
	const own = "sendmsg \r\n"
	if rest, ok := strings.CutPrefix(c.message, own); ok {
		c.message = "sendmsg " + leg + "\r\n" + rest
	}
	return c
}

// ExecuteNow is ExecuteOn without event-lock: the application runs at once,
// nested inside the one that runs; at most 32 may be nested.
func ExecuteNow(leg, app, arg, appUUID string) Command {
	return build(&call.Execute{UUID: leg, AppName: app, AppArgs: arg, AppUUID: appUUID},
		checkExecute(leg, app, appUUID), checkLine("argument of "+app, arg))
}

// ExecuteBody is ExecuteOn with the argument in the message's body, where it
// may be long and hold line ends; it is expanded all the same.
func ExecuteBody(leg, app, arg, appUUID string) Command {
	var nul error
	if strings.IndexByte(arg, 0) >= 0 {
		nul = &InvalidError{"argument of " + app, arg, "holds a NUL"}
	}
	return build(&call.Execute{UUID: leg, AppName: app, AppArgs: arg, AppUUID: appUUID, Sync: true, ForceBody: true},
		checkExecute(leg, app, appUUID), nul)
}

func checkExecute(leg, app, appUUID string) error {
	for _, err := range []error{
		CheckUUID("leg", leg),
		checkWord("application", app, "_-."),
		CheckUUID("application UUID", appUUID),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Hangup hangs up the leg of an outbound socket, with a cause such as
// NORMAL_CLEARING. It is allowed without "full".
func Hangup(cause string) Command { return HangupOn("", cause) }

// HangupOn is Hangup for any leg of the node.
func HangupOn(leg, cause string) Command {
	return build(call.Hangup{UUID: leg, Cause: cause}, CheckUUID("leg", leg), checkWord("hangup cause", cause, "_"))
}
