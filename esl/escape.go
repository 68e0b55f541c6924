package esl

import (
	"strings"
)

// FreeSWITCH takes a string apart in several steps, and each undoes one layer
// of quoting (switch_separate_string in switch_utils.c): an unescaped ' begins
// and ends a part in which the delimiter has no meaning; \ before ', ", \ or the
// delimiter gives that character, and \n, \r, \t, \s give white space; spaces at
// both ends are dropped. What is quoted for one step and no other is quoted
// here by backslashes, since quotation marks do not nest.

// Word quotes text so that it is one word to the API commands that split their
// arguments at spaces (originate, uuid_transfer, uuid_setvar, conference and
// most others, by switch_separate_string), and arrives unchanged. Commands that
// take the rest of their line as it is, such as "conference NAME say", must not
// be given it.
func Word(text string) string {
	if text == "" {
		return "''"
	}
	return wordQuoting.Replace(text)
}

var wordQuoting = strings.NewReplacer(`\`, `\\`, `'`, `\'`, ` `, `\s`)

// Literal returns text that FreeSWITCH, when it expands variables in an
// application's argument (switch_channel_expand_variables), turns into exactly
// the given text: ${…} in it stays text, and no function is called. Text that
// FreeSWITCH would leave alone is returned as it is, and must be, since
// FreeSWITCH then would leave the escapes alone as well.
//
// Literal is for one expansion. The set application expands a second time.
func Literal(text string) string {
	if !wouldExpand(text) {
		return text
	}
	return literalQuoting.Replace(text)
}

var literalQuoting = strings.NewReplacer(`\`, `\\`, `$`, `\$`)

// wouldExpand is FreeSWITCH's test whether there is anything to expand:
// switch_string_var_check_const or switch_string_has_escaped_data.
func wouldExpand(text string) bool {
	return hasVariable(text) || hasEscape(text)
}

// hasVariable reports a $ that is followed by {, with nothing but backslashes
// between.
func hasVariable(text string) bool {
	dollar := false
	for _, c := range []byte(text) {
		switch {
		case c == '$':
			dollar = true
		case dollar && c == '{':
			return true
		case c != '\\':
			dollar = false
		}
	}
	return false
}

// hasEscape reports a backslash before \, n, s, t or '.
func hasEscape(text string) bool {
	for {
		_, rest, ok := strings.Cut(text, `\`)
		if !ok || rest == "" {
			return false
		}
		if strings.IndexByte(`\nst'`, rest[0]) >= 0 {
			return true
		}
		text = rest
	}
}

// quoteVariable protects a channel variable's value from the two steps that
// take {name=value,name=value} apart (switch_event_create_brackets): first at
// the commas, then at the equals sign.
func quoteVariable(value string) string {
	return commaQuoting.Replace(equalsQuoting.Replace(value))
}

var (
	// The value is the last part at the equals sign, so that further ones have
	// no meaning. \s keeps spaces at the ends.
	equalsQuoting = strings.NewReplacer(`\`, `\\`, `'`, `\'`, ` `, `\s`)
	commaQuoting  = strings.NewReplacer(`\`, `\\`, `'`, `\'`, `,`, `\,`)
)
