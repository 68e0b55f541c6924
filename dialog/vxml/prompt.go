package vxml

import (
	"encoding/xml"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/antchfx/xmlquery"

	"ccxmld/script"
)

// prompt is a <prompt>, or text and audio that stand where one could (VoiceXML
// 2.0, 4.1).
type prompt struct {
	place
	cond        *script.Expression
	count       int
	bargein     string // "" for the property
	bargeInType string // "" for the property
	lang        string // of what is spoken, "" where the page names none
	timeout     time.Duration
	parts       []part
}

// part is a piece of a prompt: one of these.
type part struct {
	text      string             // as it stands
	value     *script.Expression // <value>
	pause     *time.Duration     // <break>
	markup    string             // a tag of speech markup
	audio     *audio
	each      *each
	enumerate *enumerate
	mark      *mark
	sayAs     *sayAs
}

// audio is an <audio> with its alternative.
type audio struct {
	src      string
	expr     *script.Expression
	fetching fetching
	parts    []part
}

// each is a <foreach> in a prompt (VoiceXML 2.1, 6).
type each struct {
	item  string
	array *script.Expression
	parts []part
}

// mark is a <mark> (VoiceXML 2.1, 4).
type mark struct {
	name string
	expr *script.Expression
}

// markup is what prompts may have for the engine to read.
var markup = []string{"emphasis", "prosody", "p", "s", "paragraph", "sentence", "say-as", "sub", "phoneme", "voice", "lang", "w", "speak", "desc", "break", "mark", "lexicon"}

// run is a stretch of content: either an element, or what makes a prompt without
// saying so.
type run struct {
	element *element
	parts   []part
}

// runs gives the content of an element, divided into elements and the text and audio between
// them, until the context ends.
func (e *element) runs() iter.Seq[run] {
	list := e.divided()
	return func(yield func(run) bool) {
		for _, run := range list {
			if e.over() || !yield(run) {
				return
			}
		}
	}
}

func (e *element) divided() []run {
	var list []run
	for child := e.node.FirstChild; child != nil && !e.over(); child = child.NextSibling {
		if child.Type == xmlquery.ElementNode && !e.speaks(child) {
			list = append(list, run{element: e.compilation.element(child)})
			continue
		}
		parts := e.part(nil, child)
		if len(parts) == 0 {
			continue
		}
		if n := len(list); n > 0 && list[n-1].element == nil {
			list[n-1].parts = append(list[n-1].parts, parts...)
		} else {
			list = append(list, run{parts: parts})
		}
	}
	return list
}

// speaks tells whether an element belongs to a prompt.
func (e *element) speaks(node *xmlquery.Node) bool {
	return isVoiceXML(node) && (node.Data == "audio" || node.Data == "value" || node.Data == "enumerate" || slices.Contains(markup, node.Data))
}

func (e *element) prompt() *prompt {
	e.attributes("bargein", "bargeintype", "cond", "count", "timeout", "lang", "base")
	p := &prompt{place: e.place, cond: e.expression("cond"), count: 1, bargein: e.truth("bargein"), bargeInType: e.bargeInType(), lang: e.lang(), parts: e.parts()}
	if text := e.text("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			e.problem("<prompt count=%.200q>: expected a number from 1", text)
		}
		p.count = n
	}
	if p.bargein != "" && p.bargein != "true" && p.bargein != "false" {
		e.problem("<prompt bargein=%.200q>: expected true or false", p.bargein)
	}
	if p.timeout = e.time("timeout"); p.timeout == 0 && e.has("timeout") {
		p.timeout = time.Nanosecond // 0 is for the property
	}
	return p
}

// said makes a prompt of text and audio that stand where one could.
func (e *element) said(parts []part) *prompt {
	return &prompt{place: e.place, count: 1, lang: e.lang(), parts: parts}
}

// lang gives the language of what an element says: its own, or that of those around
// it.
func (e *element) lang() string {
	for node := e.node; node != nil; node = node.Parent {
		if lang := attributeOf(node, "xml", "lang"); lang != "" {
			return lang
		}
	}
	return ""
}

// parts compiles what a prompt or audio consists of.
func (e *element) parts() []part {
	var list []part
	for child := e.node.FirstChild; child != nil && !e.over(); child = child.NextSibling {
		list = e.part(list, child)
	}
	return list
}

// part adds what a node says.
func (e *element) part(list []part, node *xmlquery.Node) []part {
	switch node.Type {
	case xmlquery.TextNode, xmlquery.CharDataNode:
		if strings.TrimSpace(node.Data) != "" {
			list = append(list, part{text: node.Data})
		} else if len(list) > 0 {
			list = append(list, part{text: " "})
		}
		return list
	case xmlquery.ElementNode:
	default:
		return list
	}
	k := e.compilation.element(node)
	switch {
	case !isVoiceXML(node) && node.NamespaceURI != speechNamespace:
		k.notice("<%s> is not of VoiceXML; it is ignored", node.Data)
	case k.tag == "value":
		k.attributes("expr", "class", "mode", "recsrc")
		if k.required("expr"); k.text("expr") == "" {
			k.expression("expr") // for its notice: there is nothing to say
		} else {
			list = append(list, k.valuePart())
		}
	case k.tag == "audio":
		list = append(list, part{audio: k.audio()})
	case k.tag == "break":
		pause := k.pause()
		list = append(list, part{pause: &pause})
	case k.tag == "mark":
		k.attributes("name", "nameexpr")
		k.exactlyOne("name", "nameexpr")
		list = append(list, part{mark: &mark{k.text("name"), k.expression("nameexpr")}})
	case k.tag == "lexicon" || k.tag == "desc":
	case k.tag == "enumerate":
		list = append(list, part{enumerate: k.enumerate()})
	case k.tag == "foreach":
		item, array := k.each()
		list = append(list, part{each: &each{item, array, k.parts()}})
	case k.tag == "say-as":
		list = append(list, part{sayAs: k.sayAs()})
	case slices.Contains(markup, k.tag):
		list = append(list, part{markup: k.openingTag()})
		list = append(list, k.parts()...)
		list = append(list, part{markup: "</" + k.tag + ">"})
	case k.tag == "prompt" || !slices.Contains(vocabulary, k.tag):
		k.noticeAt(CodeMisplaced, k.position, "<%s> cannot stand in <%s>; its content is said, without it", k.tag, node.Parent.Data)
		list = append(list, k.parts()...)
	default:
		k.misplaced()
	}
	return list
}

// valuePart compiles a <value>, which in VoiceXML 1.0 says how it is read.
func (e *element) valuePart() part {
	value := part{value: e.expression("expr")}
	class := sayAsClass(e.text("class"))
	if class == "" {
		return value
	}
	e.noticeAt(CodeLenient, e.position, "<value class=%.200q> is of VoiceXML 1.0; it is read as one in <say-as interpret-as=%[1]q>", class)
	return part{sayAs: &sayAs{as: class, tag: `<say-as interpret-as="` + escaped(class) + `">`, parts: []part{value}}}
}

const speechNamespace = "http://www.w3.org/2001/10/synthesis"

func (e *element) openingTag() string {
	var b strings.Builder
	b.WriteString("<" + e.tag)
	for _, a := range e.node.Attr {
		if a.Name.Space == "" && a.Name.Local != "xmlns" || a.Name.Space == "xml" {
			b.WriteByte(' ')
			if a.Name.Space != "" {
				b.WriteString(a.Name.Space + ":")
			}
			b.WriteString(a.Name.Local + `="` + escaped(a.Value) + `"`)
		}
	}
	b.WriteByte('>')
	return b.String()
}

func escaped(text string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

func (e *element) audio() *audio {
	e.attributes("src", "expr", "fetchtimeout", "maxage", "maxstale")
	switch {
	case !e.has("src") && !e.has("expr") && !e.isEmpty():
		e.noticeAt(CodeLenient, e.position, "<audio> has neither src nor expr; its content is said")
	case e.has("src") == e.has("expr"):
		e.problem("<audio> needs exactly one of src and expr")
	}
	return &audio{src: e.text("src"), expr: e.expression("expr"), fetching: e.fetching(), parts: e.parts()}
}

// pause gives the length of a <break>.
func (e *element) pause() time.Duration {
	e.attributes("time", "strength", "size")
	if e.has("time") {
		return e.time("time")
	}
	switch e.text("strength") + e.text("size") {
	case "none":
		return 0
	case "x-weak", "weak", "small":
		return 250 * time.Millisecond
	case "strong", "large":
		return time.Second
	case "x-strong":
		return 1500 * time.Millisecond
	}
	return 500 * time.Millisecond
}
