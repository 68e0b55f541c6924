package script

import "unicode"

// IsIdentifier reports whether s is an ECMAScript identifier that is no reserved
// word, so that a variable can have this name. Escapes are not accepted.
func IsIdentifier(s string) bool {
	if s == "" || reserved(s) {
		return false
	}
	for i, c := range s {
		switch {
		case c == '$' || c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		case c == unicode.ReplacementChar:
			return false
		case unicode.IsLetter(c) || unicode.Is(unicode.Nl, c):
		case i > 0 && (unicode.Is(unicode.Nd, c) || unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Mc, c) ||
			unicode.Is(unicode.Pc, c) || c == '\u200c' || c == '\u200d'):
		default:
			return false
		}
	}
	return true
}

// reserved reports whether s is a reserved word of ECMAScript 2023, section
// 12.7.2, that no sloppy-mode script can use as a name.
func reserved(s string) bool {
	switch s {
	case "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
		"else", "enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in",
		"instanceof", "new", "null", "return", "super", "switch", "this", "throw", "true", "try", "typeof",
		"var", "void", "while", "with":
		return true
	}
	return false
}
