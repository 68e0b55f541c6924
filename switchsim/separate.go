package switchsim

import "strings"

// separate splits a command's argument as switch_separate_string does: at the
// delimiter, except between single quotes and behind a backslash. Quotes and
// escapes are taken off. Several spaces count as one.
func separate(text string, delimiter byte) []string {
	var parts []string
	start, quoted := 0, false
	text = strings.TrimLeft(text, " ")
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '\'' && (quoted || strings.IndexByte(text[i+1:], '\'') >= 0):
			quoted = !quoted
		case c == delimiter && !quoted:
			parts = append(parts, unquote(text[start:i], delimiter))
			for delimiter == ' ' && i+1 < len(text) && text[i+1] == ' ' {
				i++
			}
			start = i + 1
		}
	}
	if start < len(text) || delimiter != ' ' && len(parts) > 0 {
		parts = append(parts, unquote(text[start:], delimiter))
	}
	return parts
}

// unquote is cleanup_separated_string.
func unquote(text string, delimiter byte) string {
	text = strings.TrimLeft(text, " ")
	out := make([]byte, 0, len(text))
	end, quoted := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			if plain, ok := unescape(text[i+1], delimiter); ok {
				out = append(out, plain)
				end = len(out)
				i++
				continue
			}
		}
		if c == '\'' && (quoted || strings.IndexByte(text[i+1:], '\'') >= 0) {
			if quoted = !quoted; quoted {
				end = len(out)
			}
			continue
		}
		out = append(out, c)
		if c != ' ' || quoted {
			end = len(out)
		}
	}
	return string(out[:end])
}

func unescape(c, delimiter byte) (byte, bool) {
	switch c {
	case '\'', '"', '\\', delimiter:
		return c, true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 's':
		return ' ', true
	}
	return 0, false
}
