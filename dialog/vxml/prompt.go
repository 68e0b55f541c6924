package vxml

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/antchfx/xmlquery"
	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// prompt is a <prompt>, or text and audio that stand where one could (VoiceXML
// 2.0, 4.1).
type prompt struct {
	place
	cond    *script.Expression
	count   int
	bargein string // "" for the property
	timeout time.Duration
	parts   []part
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

// runs divides the content of an element into elements, and the text and audio
// between them.
func (e *element) runs() []run {
	var list []run
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
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
	e.attributes("bargein", "cond", "count", "timeout")
	e.attributes("cond", "count", "bargein", "timeout", "lang", "base")
	p := &prompt{place: e.place, cond: e.expression("cond"), count: 1, bargein: e.text("bargein"), parts: e.parts()}
	if text := e.text("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			e.problem("<prompt count=%q>: expected a number from 1", text)
		}
		p.count = n
	}
	if p.bargein != "" && p.bargein != "true" && p.bargein != "false" {
		e.problem("<prompt bargein=%q>: expected true or false", p.bargein)
	}
	p.timeout = e.time("timeout")
	return p
}

// time reads an attribute that is a time; 0 where it is absent.
func (e *element) time(name string) time.Duration {
	text := e.text(name)
	if text == "" {
		return 0
	}
	d, err := dialog.ParseTime(text)
	if err != nil {
		e.problem("<%s %s>: %v", e.tag, name, err)
	}
	return d
}

// parts compiles what a prompt or audio consists of.
func (e *element) parts() []part {
	var list []part
	for child := e.node.FirstChild; child != nil; child = child.NextSibling {
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
		k.attributes("expr")
		if k.required("expr"); k.has("expr") {
			list = append(list, part{value: k.expression("expr")})
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
	default:
		k.misplaced()
	}
	return list
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
	if e.has("src") == e.has("expr") {
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

// speech collects what is spoken in one go.
type speech struct {
	plain, marked strings.Builder
	hasMarkup     bool
	open          []string // tags that are not closed yet
}

// mark takes a tag of speech markup.
func (s *speech) mark(tag string) {
	if strings.HasPrefix(tag, "</") {
		s.open = s.open[:len(s.open)-1]
	} else {
		s.open = append(s.open, tag)
	}
	s.hasMarkup = true
	s.marked.WriteString(tag)
	s.plain.WriteByte(' ')
}

func (s *speech) say(text string) {
	s.plain.WriteString(text)
	s.marked.WriteString(escaped(text))
}

// take adds what was collected to the prompts. Markup that is open is closed, and
// opened again in what follows.
func (s *speech) take(to []dialog.Prompt) []dialog.Prompt {
	for _, tag := range slices.Backward(s.open) {
		name, _, _ := strings.Cut(strings.Trim(tag, "<>"), " ")
		s.marked.WriteString("</" + name + ">")
	}
	plain := strings.Join(strings.Fields(s.plain.String()), " ")
	marked := strings.Join(strings.Fields(s.marked.String()), " ")
	hasMarkup := s.hasMarkup
	*s = speech{open: s.open, hasMarkup: len(s.open) > 0}
	for _, tag := range s.open {
		s.marked.WriteString(tag)
	}
	switch {
	case plain == "":
		return to
	case hasMarkup:
		return append(to, dialog.Prompt{SSML: true,
			Text: `<speak version="1.0" xmlns="` + speechNamespace + `">` + marked + "</speak>"})
	}
	return append(to, dialog.Prompt{Text: plain})
}

// rendering is what a prompt has come to so far.
type rendering struct {
	list   []dialog.Prompt
	speech speech
}

// add adds what is not speech.
func (r *rendering) add(prompts ...dialog.Prompt) {
	r.list = append(r.speech.take(r.list), prompts...)
}

// render evaluates the parts of a prompt into what is to be played.
func (x *execution) render(parts []part) ([]dialog.Prompt, error) {
	var r rendering
	if err := x.renderTo(&r, parts); err != nil {
		return nil, err
	}
	return r.speech.take(r.list), nil
}

func (x *execution) renderTo(to *rendering, parts []part) error {
	for _, p := range parts {
		if err := x.renderPart(to, p); err != nil {
			return err
		}
		if len(to.list) > mostQueued {
			return thrownf("error.noresource", "a prompt has more than %d parts", mostQueued)
		}
	}
	return nil
}

func (x *execution) renderPart(to *rendering, p part) error {
	switch {
	case p.value != nil:
		return x.renderValue(to, p.value)
	case p.markup != "":
		to.speech.mark(p.markup)
	case p.pause != nil:
		to.add(dialog.Prompt{Pause: *p.pause})
	case p.audio != nil:
		one, err := x.renderAudio(p.audio)
		if err != nil {
			return err
		}
		to.add(one...)
	case p.each != nil:
		return x.forEach(p.each.item, p.each.array, func() error { return x.renderTo(to, p.each.parts) })
	case p.enumerate != nil:
		return x.enumerate(p.enumerate, to)
	case p.mark != nil:
		name, err := x.reference(p.mark.name, p.mark.expr)
		if err != nil {
			return err
		}
		to.add(dialog.Prompt{Mark: name})
	case p.sayAs != nil:
		return x.renderSayAs(to, p.sayAs)
	default:
		to.speech.say(p.text)
	}
	return nil
}

// renderValue says a value. A recording is played (VoiceXML 2.0, 4.1.4).
func (x *execution) renderValue(to *rendering, expr *script.Expression) error {
	text, err := x.text(expr)
	switch {
	case err != nil:
		return err
	case x.recorded[text]:
		to.add(dialog.Prompt{Source: text, Recorded: true})
	default:
		to.speech.say(text)
	}
	return nil
}

// renderAudio evaluates an <audio>. One whose expr is undefined is left out with
// its alternative (VoiceXML 2.0, 4.1.3).
func (x *execution) renderAudio(a *audio) ([]dialog.Prompt, error) {
	src := a.src
	if a.expr != nil {
		value, err := x.eval(a.expr)
		if err != nil || goja.IsUndefined(value) {
			return nil, err
		}
		if src, err = x.runtime.Text(value); err != nil {
			return nil, semantic(err)
		}
	}
	alternative, err := x.render(a.parts)
	if err != nil {
		return nil, err
	}
	if src == "" {
		return alternative, nil
	}
	return []dialog.Prompt{{Source: src, Recorded: x.recorded[src], Base: x.page.base, Else: alternative, Fetch: x.how("audio", a.fetching)}}, nil
}

// queue evaluates a prompt and puts it behind those that wait to be played.
func (x *execution) queue(p *prompt) error {
	list, err := x.render(p.parts)
	if err != nil {
		return err
	}
	bargein := p.bargein
	if bargein == "" {
		bargein = x.property("bargein")
	}
	if bargein == "false" {
		noBargeIn(list)
	}
	if p.timeout > 0 {
		x.timeout = p.timeout
	}
	if len(x.queued)+len(list) > mostQueued {
		return thrownf("error.noresource", "more than %d prompts wait to be played", mostQueued)
	}
	x.queued = append(x.queued, list...)
	return nil
}

// mostQueued bounds the prompts that wait to be played.
const mostQueued = 1000

func noBargeIn(list []dialog.Prompt) {
	for i := range list {
		list[i].NoBargeIn = true
		noBargeIn(list[i].Else)
	}
}
