package vxml

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog"
	"ccxmld/script"
)

// What pages for other platforms write that VoiceXML has in another way. It is read as it
// is meant, and a notice says how.

// word reads an attribute that is one of some words. Their case does not matter; "" is
// for one that is absent or empty.
func (e *element) word(name string, words ...string) (word string, known bool) {
	text := e.text(name)
	if text == "" || slices.Contains(words, text) {
		return text, true
	}
	i := slices.IndexFunc(words, func(word string) bool { return strings.EqualFold(word, text) })
	if i < 0 {
		return text, false
	}
	e.readAs(name, fmt.Sprintf("<%s %s=%.200q>", e.tag, name, text), words[i])
	return words[i], true
}

// boolean reads an attribute that is true or false.
func (e *element) boolean(name string, otherwise bool) bool {
	switch text := e.truth(name); text {
	case "":
		return otherwise
	case "true", "false":
		return text == "true"
	default:
		e.problem("<%s %s=%.200q>: expected true or false", e.tag, name, text)
	}
	return otherwise
}

// truth reads an attribute that is true or false, as that word; another text as it stands.
func (e *element) truth(name string) string {
	text := e.text(name)
	read := truthOf(text)
	if read != text {
		e.readAs(name, fmt.Sprintf("<%s %s=%.200q>", e.tag, name, text), read)
	}
	return read
}

// truthOf gives true and false in lower case.
func truthOf(text string) string {
	if strings.EqualFold(text, "true") || strings.EqualFold(text, "false") {
		return strings.ToLower(text)
	}
	return text
}

// looseTime gives a time as it is to be written.
func looseTime(text string) string {
	if written, loose := script.LooseTime(text); loose {
		return written
	}
	return text
}

// timeText reads an attribute that is a time, as it is to be written.
func (e *element) timeText(name string) string {
	text := e.text(name)
	written := looseTime(text)
	if written != text {
		e.readAs(name, fmt.Sprintf("<%s %s=%.200q>", e.tag, name, text), written)
	}
	return written
}

// time reads an attribute that is a time; 0 where it is absent.
func (e *element) time(name string) time.Duration {
	text := e.timeText(name)
	if text == "" {
		return 0
	}
	d, err := dialog.ParseTime(text)
	if err != nil {
		e.problem("<%s %s>: %v", e.tag, name, err)
	}
	e.bareTime(name, name, text)
	return d
}

// bareTime notes a time without a unit, which VoiceXML asks for (2.0, 6.5): its author may
// have meant seconds.
func (e *element) bareTime(what, attribute, text string) {
	if advice, bare := script.BareTime(text, `"`); bare {
		at, _ := e.value(attribute)
		e.noticeAt(CodeBareTime, at, "%s %s", what, advice)
	}
}

// mostNames bounds the names of a list, as in CCXML.
const mostNames = 1000

// names reads an attribute that lists names, which spaces separate.
func (e *element) names(attribute string) []string {
	text := e.text(attribute)
	if strings.Contains(text, ",") {
		at, _ := e.value(attribute)
		e.noticeAt(CodeLenient, at, "<%s %s=%.200q>: names are separated by spaces; commas are read as such", e.tag, attribute, text)
		text = strings.ReplaceAll(text, ",", " ")
	}
	names := strings.Fields(text)
	if len(names) > mostNames {
		e.problem("<%s %s> has more than %d names", e.tag, attribute, mostNames)
		return nil
	}
	return names
}

func (e *element) readAs(attribute, what, read string) {
	at, _ := e.value(attribute)
	e.noticeAt(CodeLenient, at, "%s is read as %.200q", what, read)
}

// exclusive are the attributes of which an element has one.
var exclusive = map[string][][]string{
	"audio": {{"src", "expr"}}, "choice": {leaps, messages}, "data": {sources}, "exit": {{"expr", "namelist"}},
	"goto": {{"next", "expr", "nextitem", "expritem"}}, "grammar": {sources}, "link": {leaps, messages},
	"mark": {{"name", "nameexpr"}}, "param": {{"value", "expr"}}, "return": {{"event", "eventexpr", "namelist"}, messages},
	"script": {sources}, "subdialog": {sources}, "submit": {{"next", "expr"}}, "throw": {{"event", "eventexpr"}, messages},
	"transfer": {{"dest", "destexpr"}, {"aai", "aaiexpr"}, {"type", "bridge"}},
}

var (
	leaps    = []string{"next", "expr", "event", "eventexpr"}
	messages = []string{"message", "messageexpr"}
	sources  = []string{"src", "srcexpr"}
)

// dropEmpty takes empty attributes out of the page where the element has another one in
// their place, as tools write them.
func (c *compilation) dropEmpty(node *xmlquery.Node) {
	e := c.element(node)
	for _, names := range exclusive[node.Data] {
		e.dropEmptyOf(names)
	}
	for child := range elements(node) {
		c.dropEmpty(child)
	}
}

func (e *element) dropEmptyOf(names []string) {
	kept := slices.ContainsFunc(names, func(name string) bool { return e.text(name) != "" })
	if e.tag == "script" || e.tag == "grammar" {
		// An empty URI is that of the page, which neither of them can be.
		kept = kept || e.tag == "script" || !e.isEmpty()
	}
	for _, name := range names {
		switch {
		case !e.has(name) || e.text(name) != "":
		case !kept:
			kept = true
		default:
			at, _ := e.value(name)
			e.noticeAt(CodeEmpty, at, "<%s %s=\"\"> is empty; it is read as if it were not there", e.tag, name)
			e.node.Attr = slices.DeleteFunc(e.node.Attr, func(a xmlquery.Attr) bool { return a.Name.Space == "" && a.Name.Local == name })
		}
	}
}

// isEmpty tells whether an element has no content.
func (e *element) isEmpty() bool {
	text, _ := e.textOf()
	return firstElement(e.node) == nil && strings.TrimSpace(text) == ""
}
