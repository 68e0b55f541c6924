package esl

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Variable is a channel variable to be set.
type Variable struct {
	Name, Value string
}

// An App is a dialplan application with its argument, as in an inline dialplan.
// FreeSWITCH expands the argument when it executes the application: see
// [Literal].
type App struct {
	Name, Arg string
}

// Originate describes an outbound call for the originate API command, to be run
// as a job: see [Link.Job].
//
// Values of variables arrive as they are given, whatever they hold, with these
// exceptions, which make the command invalid: line ends and NUL; { and }, which
// FreeSWITCH counts whatever stands around them, and ${ with them; and ":_:",
// at which it splits the call into several first of all. Variables with an
// empty value are left out, since FreeSWITCH does not set them.
//
// Commas and quotation marks are escaped by backslashes, and not with the ^^
// delimiter: the delimiter would have to be a character that occurs in none of
// the values, and quotation marks and backslashes would need escaping anyway.
type Originate struct {
	UUID      string            // the new leg's id (origination_uuid); "" lets FreeSWITCH choose
	JobUUID   string            // "" lets Job choose
	Timeout   time.Duration     // originate_timeout, in whole seconds, rounded up; 0 is FreeSWITCH's own, 60 s
	Vars      map[string]string // sent in the order of their names
	Dial      string            // dial string of the configured routes, such as sofia/gateway/carrier/4075550100
	Extension string            // what the leg does once it is answered, as originate takes it; or Apps
	Dialplan  string            // "" is XML, or inline for Apps
	Apps      []App             // inline dialplan
}

// Command builds the originate command.
func (o Originate) Command() Command {
	variables, err := o.variables()
	for _, err := range []error{
		err,
		CheckUUID("job UUID", o.JobUUID),
		checkDial(o.Dial),
	} {
		if err != nil {
			return Command{err: err}
		}
	}
	words := []string{Word(braces(variables) + o.Dial)}
	target, err := o.target()
	if err != nil {
		return Command{err: err}
	}
	c := API("originate", append(words, target...)...)
	c.jobUUID = o.JobUUID
	return c
}

// target returns extension and dialplan.
func (o Originate) target() ([]string, error) {
	switch {
	case len(o.Apps) > 0 && o.Extension != "":
		return nil, &InvalidError{"originate extension", o.Extension, "is given beside Apps"}
	case len(o.Apps) > 0:
		inline, err := inlineDialplan(o.Apps)
		return []string{Word(inline), "inline"}, err
	case o.Extension == "" || strings.EqualFold(o.Extension, "undef"):
		return nil, &InvalidError{"originate extension", o.Extension, "is missing"}
	}
	// originate cuts &app(argument) at the first ")".
	if strings.HasPrefix(o.Extension, "&") && strings.IndexByte(o.Extension, ')') < len(o.Extension)-1 &&
		strings.IndexByte(o.Extension, ')') >= 0 {
		return nil, &InvalidError{"originate extension", o.Extension, "holds a ) that would end it early; use Apps"}
	}
	words := []string{Word(o.Extension)}
	if o.Dialplan != "" {
		words = append(words, o.Dialplan)
		return words, checkWord("dialplan", o.Dialplan, "_-.")
	}
	return words, nil
}

func (o Originate) variables() ([]Variable, error) {
	var all []Variable
	if o.UUID != "" {
		all = append(all, Variable{"origination_uuid", o.UUID})
	}
	if o.Timeout > 0 {
		seconds := (o.Timeout + time.Second - 1) / time.Second
		all = append(all, Variable{"originate_timeout", strconv.Itoa(int(seconds))})
	}
	for _, name := range slices.Sorted(maps.Keys(o.Vars)) {
		if value := o.Vars[name]; value != "" {
			all = append(all, Variable{name, value})
		}
	}
	for _, v := range all {
		if err := checkVariable(v); err != nil {
			return nil, err
		}
	}
	return all, CheckUUID("origination_uuid", o.UUID)
}

func braces(variables []Variable) string {
	if len(variables) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteByte('{')
	for i, v := range variables {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(v.Name + "=" + quoteVariable(v.Value))
	}
	text.WriteByte('}')
	return text.String()
}

func checkVariable(v Variable) error {
	if err := checkWord("variable name", v.Name, "_-."); err != nil {
		return err
	}
	what := "variable " + v.Name
	switch {
	case hasVariable(v.Value):
		return &InvalidError{what, v.Value, "holds ${, which FreeSWITCH would expand"}
	case strings.ContainsAny(v.Value, "{}"):
		return &InvalidError{what, v.Value, "holds { or }, which cannot be escaped"}
	case strings.Contains(v.Value, ":_:"):
		return &InvalidError{what, v.Value, "holds :_:, which separates calls and cannot be escaped"}
	}
	return checkLine(what, v.Value)
}

func checkDial(dial string) error {
	if dial == "" {
		return &InvalidError{"dial string", dial, "is empty"}
	}
	if hasVariable(dial) {
		return &InvalidError{"dial string", dial, "holds ${, which FreeSWITCH would expand"}
	}
	return checkLine("dial string", dial)
}

// CheckDestination says whether text from outside may stand in a dial string:
// nil, or an *InvalidError when it is empty or holds a space, a control
// character, or one of the characters that have a meaning there.
func CheckDestination(text string) error {
	if text == "" {
		return &InvalidError{"destination", text, "is empty"}
	}
	for _, c := range text {
		if c <= ' ' || c == 0x7f || strings.ContainsRune("{}[]<>|,&^'\"$\\", c) {
			return &InvalidError{"destination", text, "holds " + strconv.QuoteRune(c)}
		}
	}
	if strings.Contains(text, ":_:") {
		return &InvalidError{"destination", text, "holds :_:"}
	}
	return nil
}

// Transfer sends a leg to applications of its own (uuid_transfer UUID … inline):
// it leaves what it was doing. With both, a bridge ends and its other leg is
// sent there as well. It may run as a job.
func Transfer(leg string, both bool, apps ...App) Command {
	inline, err := inlineDialplan(apps)
	for _, err := range []error{err, CheckUUID("leg", leg), notEmpty("leg", leg)} {
		if err != nil {
			return Command{err: err}
		}
	}
	if both {
		return API("uuid_transfer", leg, "-both", Word(inline), "inline")
	}
	return API("uuid_transfer", leg, Word(inline), "inline")
}

// inlineDialplan writes applications as the inline dialplan reads them: the
// argument behind a colon, with ^ between two, since arguments often hold
// commas (m:^: says so, inline_dialplan_hunt in mod_dptools.c).
func inlineDialplan(apps []App) (string, error) {
	if len(apps) == 0 {
		return "", &InvalidError{"inline dialplan", "", "is empty"}
	}
	parts := make([]string, len(apps))
	for i, app := range apps {
		if err := checkWord("application", app.Name, "_-."); err != nil {
			return "", err
		}
		if err := checkLine("argument of "+app.Name, app.Arg); err != nil {
			return "", err
		}
		parts[i] = app.Name + ":" + inlineQuoting.Replace(app.Arg)
	}
	return "m:^:" + strings.Join(parts, "^"), nil
}

var inlineQuoting = strings.NewReplacer(`\`, `\\`, `'`, `\'`, `^`, `\^`)
