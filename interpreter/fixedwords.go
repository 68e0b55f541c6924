package interpreter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ccxmld/script"
)

// fixedWords are attributes whose expressions have to give one of some words.
// targettype is not among them: ccxml is the name of a scope, too (LEN-4).
var fixedWords = map[string][]string{
	"duplex":         {"full", "half"},
	"mediadirection": {"both", "dialogtransmit", "dialogreceive"},
	"joindirection":  {"both", "calltransmit", "callreceive"},
	"method":         {"get", "post"},
	"mode":           {"processed", "text"},
}

// mediaType is what type and enctype may be; nobody means a division of variables.
var mediaType = regexp.MustCompile(`^(application|audio|multipart|text)/[A-Za-z0-9.+-]+$`)

// IsFixedWord tells whether the text of an attribute, read as it is written, is one
// that the attribute may have (LEN-23).
func IsFixedWord(attribute, text string) bool {
	text = strings.TrimSpace(text)
	if attribute == "type" || attribute == "enctype" {
		return mediaType.MatchString(text)
	}
	return slices.Contains(fixedWords[attribute], strings.ToLower(text))
}

// unquotedWord is a word where an expression stands (LEN-23): the text, unless there
// is a variable of that name when it is reached.
func (e *element) unquotedWord(name string, v value) *script.Expression {
	text := strings.TrimSpace(v.text)
	meant := "'" + text + "'"
	if !mediaType.MatchString(text) {
		meant = fmt.Sprintf("typeof %[1]s === 'undefined' ? '%[1]s' : %[1]s", text)
	}
	compiled, err := e.language.Expression(meant, v.position)
	if err != nil {
		return script.Unparsable(err)
	}
	e.noticeAs(CodeUnquotedWord, &place{tag: e.tag, position: v.position},
		fmt.Sprintf("<%s %s=%.200q>: it is read as the text; quote it: %[2]s=\"'%[4]s'\"", e.tag, name, v.text, text))
	return compiled
}
