package esl_test

import "strings"

// What FreeSWITCH does with the strings it is sent, written after its source,
// so that tests can say what arrives. Bytes, not runes, as there.

// separate is switch_separate_string (switch_utils.c).
func separate(text string, delim byte, most int) []string {
	if len(text) > 3 && text[0] == '^' && text[1] == '^' {
		delim, text = text[2], text[3:]
	}
	if delim == ' ' {
		return separateAtSpaces(text, most)
	}
	var parts []string
	quoted, begin := false, 0
	i := 0
	for begin = 0; begin < len(text) && len(parts) < most; {
		end := -1
		if len(parts) == most-1 {
			end = len(text) // the last one takes the rest
		}
		for end < 0 {
			switch {
			case i >= len(text):
				end = len(text)
			case text[i] == '\\':
				i += 2
			case text[i] == '\'' && (quoted || strings.Contains(text[i+1:], "'")):
				quoted = !quoted
				i++
			case text[i] == delim && !quoted:
				end = i
				i++
			default:
				i++
			}
		}
		parts = append(parts, cleanUp(text[begin:end], delim))
		if end == len(text) {
			break
		}
		begin = i
	}
	return parts
}

// separateAtSpaces is separate_string_blank_delim.
func separateAtSpaces(text string, most int) []string {
	var parts []string
	for i := 0; i < len(text) && len(parts) < most; {
		begin := i
		for i < len(text) && text[i] == ' ' {
			i++
		}
		if len(parts) == most-1 {
			i = len(text)
		}
		quoted := false
		for i < len(text) && (text[i] != ' ' || quoted) {
			switch text[i] {
			case '\\':
				i++
			case '\'':
				quoted = !quoted
			}
			i++
		}
		i = min(i, len(text))
		parts = append(parts, cleanUp(text[begin:i], 0))
		for i < len(text) && text[i] == ' ' {
			i++
		}
	}
	return parts
}

// cleanUp is cleanup_separated_string.
func cleanUp(text string, delim byte) string {
	text = strings.TrimLeft(text, " ")
	var out []byte
	end, ended, quoted := 0, false, false
	mark := func() { end, ended = len(out), true }
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			next := text[i+1]
			unescaped := unescape(next)
			if next == '\'' || next == '"' || delim != 0 && next == delim || next == '\\' || unescaped != next {
				if next == '\'' || next == '"' || next == delim || next == '\\' {
					unescaped = next
				}
				out = append(out, unescaped)
				mark()
				i++
				continue
			}
		}
		if c == '\'' && (quoted || strings.Contains(text[i+1:], "'")) {
			quoted = !quoted
			if quoted {
				mark()
			}
			continue
		}
		out = append(out, c)
		if c != ' ' || quoted {
			mark()
		}
	}
	if ended {
		out = out[:end]
	}
	return string(out)
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 's':
		return ' '
	}
	return c
}

// takeVariables is the beginning of switch_ivr_originate: the variables in
// braces, and the dial string behind them.
func takeVariables(dial string) (variables map[string]string, rest string, ok bool) {
	variables = make(map[string]string)
	if strings.Contains(dial, ":_:") {
		return nil, "", false // several calls
	}
	for strings.HasPrefix(dial, "{") {
		depth, end := 0, -1
		for i := range len(dial) {
			if dial[i] == '{' {
				depth++
			}
			if dial[i] == '}' {
				if depth--; depth == 0 {
					end = i
					break
				}
			}
		}
		if end < 0 {
			return nil, "", false
		}
		inside, delim := dial[1:end], byte(',')
		if len(inside) > 2 && inside[:2] == "^^" {
			delim, inside = inside[2], inside[3:]
		}
		for _, assignment := range separate(inside, delim, 1024) {
			if pair := separate(assignment, '=', 2); len(pair) == 2 {
				variables[pair[0]] = pair[1]
			}
		}
		dial = dial[end+1:]
	}
	return variables, dial, true
}

// inlineApps is inline_dialplan_hunt (mod_dptools.c).
func inlineApps(text string) [][2]string {
	delim := byte(',')
	if len(text) > 3 && text[0] == 'm' && text[1] == ':' && text[3] == ':' {
		delim, text = text[2], text[4:]
	}
	var apps [][2]string
	for _, part := range separate(text, delim, 128) {
		app, data, _ := strings.Cut(part, ":")
		apps = append(apps, [2]string{strings.TrimLeft(app, " "), data})
	}
	return apps
}

// expand is switch_channel_expand_variables, with every variable and function
// giving "<expanded>".
func expand(text string) string {
	if !variableInside(text) && !escapeInside(text) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case c == '\\' && next == '$':
			i++
			if i+1 < len(text) && text[i+1] == '$' {
				i++
			}
			out.WriteByte('$')
		case c == '\\' && next == '\'':
			i++
		case c == '\\' && next == '\\':
			i++
			out.WriteByte('\\')
		case c == '$' && (next == '{' || next == '$' && strings.HasPrefix(text[i+2:], "{")):
			out.WriteString("<expanded>")
			if end := strings.IndexByte(text[i:], '}'); end >= 0 {
				i += end
			} else {
				i = len(text)
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// variableInside is switch_string_var_check_const.
func variableInside(text string) bool {
	for i, c := range []byte(text) {
		if c == '$' && strings.HasPrefix(strings.TrimLeft(text[i+1:], `\`), "{") {
			return true
		}
	}
	return false
}

// escapeInside is switch_string_has_escaped_data.
func escapeInside(text string) bool {
	i := strings.IndexByte(text, '\\')
	for i >= 0 {
		i++
		if i < len(text) && strings.IndexByte(`\nst'`, text[i]) >= 0 {
			return true
		}
		n := strings.IndexByte(text[min(i, len(text)):], '\\')
		if n < 0 {
			return false
		}
		i += n
	}
	return false
}
