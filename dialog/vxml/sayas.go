package vxml

import (
	"regexp"
	"strings"
	"time"

	"ccxmld/dialog"
)

// sayAs is a <say-as> (SSML 1.0, 3.1.8; VoiceXML 2.0, appendix P). An engine that
// does not know SSML would read it as it reads any text: for these FreeSWITCH's say
// modules put it together from sounds.
type sayAs struct {
	as    string // its interpret-as, or the type of the drafts
	tag   string
	parts []part
}

func (e *element) sayAs() *sayAs {
	e.attributes("interpret-as", "type", "format", "detail")
	as := e.text("interpret-as")
	if as == "" {
		as = e.text("type")
	}
	return &sayAs{as: strings.ToLower(strings.TrimPrefix(as, "vxml:")), tag: e.openingTag(), parts: e.parts()}
}

func (x *execution) renderSayAs(to *rendering, s *sayAs) error {
	if !x.browser.pages.service.SpeaksMarkup() {
		var inner rendering
		if err := x.renderTo(&inner, s.parts); err != nil {
			return err
		}
		if source := saySource(s.as, inner.speech.plain.String()); source != "" && len(inner.list) == 0 {
			to.add(dialog.Prompt{Source: source, Else: inner.speech.take(nil)})
			return nil
		}
	}
	to.speech.mark(s.tag)
	if err := x.renderTo(to, s.parts); err != nil {
		return err
	}
	to.speech.mark("</say-as>")
	return nil
}

// The forms of what is said: 2026-11-21, 11/21/2026 or 20261121; 17:05 or 1705, with
// what VoiceXML's grammars put behind it; USD12.50 or $12.50; 12.50.
var (
	dayText    = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})$`)
	clockText  = regexp.MustCompile(`^(\d{1,2}):?(\d{2})([aphx?]?)m?$`)
	amountText = regexp.MustCompile(`^(?:[A-Z]{3}|[$€£])?(\d+(?:\.\d{1,2})?)$`)
	wholeText  = regexp.MustCompile(`^\d{1,18}$`)
	phoneText  = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	spellText  = regexp.MustCompile(`^[A-Za-z0-9@._+*#-]{1,64}$`)
)

// saySource gives what FreeSWITCH's say modules read, see docs/dialogs.md; "" for
// what they cannot.
func saySource(as, text string) string {
	text = strings.TrimSpace(text)
	as, detail, _ := strings.Cut(as, ":")
	joined := strings.Join(strings.Fields(text), "")
	switch as {
	case "digits":
		return source("digits", joined, wholeText)
	case "number", "cardinal":
		if detail == "digits" {
			return source("digits", joined, wholeText)
		}
		if detail == "ordinal" {
			return source("ordinal", joined, wholeText)
		}
		return source("number", joined, wholeText)
	case "ordinal":
		return source("ordinal", joined, wholeText)
	case "phone", "telephone":
		return source("phone", strings.NewReplacer("-", "", "(", "", ")", "", ".", "").Replace(joined), phoneText)
	case "characters", "spell-out", "letters", "acronym":
		return source("spell", joined, spellText)
	case "currency":
		if m := amountText.FindStringSubmatch(joined); m != nil {
			return "say:money/" + m[1]
		}
	case "date":
		if m := dayText.FindStringSubmatch(joined); m != nil {
			return "say:date/" + m[1] + "-" + m[2] + "-" + m[3]
		}
		if day, err := time.Parse("1/2/2006", joined); err == nil {
			return "say:date/" + day.Format(time.DateOnly)
		}
	case "time":
		return clockSource(strings.ToLower(joined))
	}
	return ""
}

func source(kind, text string, form *regexp.Regexp) string {
	if !form.MatchString(text) {
		return ""
	}
	return "say:" + kind + "/" + text
}

// clockSource reads a time of day: 0505p is five past five in the afternoon.
func clockSource(text string) string {
	m := clockText.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	layout, clock := "15:04", m[1]+":"+m[2]
	if m[3] == "a" || m[3] == "p" {
		layout, clock = "3:04pm", clock+m[3]+"m"
	}
	at, err := time.Parse(layout, clock)
	if err != nil {
		return ""
	}
	return "say:time/" + at.Format("15:04")
}
