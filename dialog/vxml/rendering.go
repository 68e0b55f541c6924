package vxml

import (
	"slices"
	"strings"

	"github.com/dop251/goja"

	"ccxmld/dialog"
	"ccxmld/script"
)

// speech collects what is spoken in one go.
type speech struct {
	lang          string // where the page names one
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
	s.marked.WriteString(spaces.Replace(escaped(text)))
}

// spaces undoes what XML needs in attributes alone.
var spaces = strings.NewReplacer("&#xA;", "\n", "&#x9;", "\t", "&#xD;", "\r")

// take adds what was collected to the prompts. Markup that is open is closed, and
// opened again in what follows.
func (s *speech) take(to []dialog.Prompt) []dialog.Prompt {
	for _, tag := range slices.Backward(s.open) {
		name, _, _ := strings.Cut(strings.Trim(tag, "<>"), " ")
		s.marked.WriteString("</" + name + ">")
	}
	plain := strings.Join(strings.Fields(s.plain.String()), " ")
	marked := strings.Join(strings.Fields(s.marked.String()), " ")
	hasMarkup := s.hasMarkup || s.lang != ""
	*s = speech{lang: s.lang, open: s.open, hasMarkup: len(s.open) > 0}
	for _, tag := range s.open {
		s.marked.WriteString(tag)
	}
	switch {
	case plain == "":
		return to
	case hasMarkup:
		lang := s.lang
		if lang == "" {
			lang = "en-US"
		}
		return append(to, dialog.Prompt{SSML: true,
			Text: `<speak version="1.0" xml:lang="` + escaped(lang) + `" xmlns="` + speechNamespace + `">` + marked + "</speak>"})
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
func (x *execution) render(lang string, parts []part) ([]dialog.Prompt, error) {
	r := rendering{speech: speech{lang: lang}}
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
		one, err := x.renderAudio(to.speech.lang, p.audio)
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
func (x *execution) renderAudio(lang string, a *audio) ([]dialog.Prompt, error) {
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
	alternative, err := x.render(lang, a.parts)
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
	list, err := x.render(p.lang, p.parts)
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
	if p.bargeInType != "" {
		x.bargeInType = p.bargeInType
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
