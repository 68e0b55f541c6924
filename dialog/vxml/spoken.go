package vxml

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"

	"ccxmld/dialog"
)

// spoken is a grammar of what is said, which the engine of FreeSWITCH has to match:
// one of these.
type spoken struct {
	phrases     []string // of choices and options
	approximate bool     // some of a phrase's words are enough (accept)
	value       any      // what a phrase means; nil for itself
	text        string   // as it stands in the page
	uri         string
	builtin     string // name of a builtin type, whose URI is uri
}

// builtinSpeech is the grammar of what is said for a builtin type, such as
// digits?length=4 or builtin:grammar/boolean (VoiceXML 2.0, appendix P); nil for one of
// keys alone.
func builtinSpeech(reference string) *spoken {
	name := strings.TrimSpace(reference)
	if rest, isURI := strings.CutPrefix(name, "builtin:"); isURI {
		kind, rest, _ := strings.Cut(rest, "/")
		if kind == "dtmf" {
			return nil
		}
		name = rest
	}
	s := &spoken{uri: "builtin:grammar/" + name}
	s.builtin, _, _ = strings.Cut(name, "?")
	return s
}

// inlineSpeech is a grammar of speech as it stands in the page. Of the XML form it
// gets the namespace and the language that it may have from the elements around it.
func (e *element) inlineSpeech() *spoken {
	if firstElement(e.node) == nil {
		text, _ := e.textOf()
		return &spoken{text: strings.TrimSpace(text)}
	}
	text := e.node.OutputXML(true)
	if _, rest, ok := strings.Cut(text, "<grammar"); ok && !strings.Contains(text[:strings.Index(text, ">")], "xmlns=") {
		text = "<grammar xmlns=\"" + grammarNamespace + "\"" + rest
	}
	if lang := e.lang(); lang != "" && attributeOf(e.node, "xml", "lang") == "" {
		text = strings.Replace(text, "<grammar", `<grammar xml:lang="`+escaped(lang)+`"`, 1)
	}
	return &spoken{text: text}
}

// phrase makes the text of a choice or option a grammar, unless it has one of speech of
// its own (VoiceXML 2.0, 2.2.5).
func (e *element) phrase(to []*grammar, text string, value any) []*grammar {
	approximate := false
	switch accept, known := e.word("accept", "exact", "approximate"); {
	case known:
		approximate = accept == "approximate"
	default:
		e.problem("<%s accept=%.200q>: expected exact or approximate", e.tag, accept)
	}
	if words := phraseWords(text); len(words) == 0 {
		return to
	}
	for _, g := range to {
		if g.spoken != nil {
			return to
		}
	}
	return append(to, &grammar{place: e.place, spoken: &spoken{phrases: []string{text}, approximate: approximate, value: value}})
}

// phraseWords are the words of a text without their case and punctuation.
func phraseWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\''
	})
}

// says tells whether an utterance is one of the phrases: all of its words or, if that is
// enough, some of them in their order.
func (s *spoken) says(utterance string) bool {
	said := phraseWords(utterance)
	for _, phrase := range s.phrases {
		left := said
		words := phraseWords(phrase)
		for _, word := range words {
			if len(left) > 0 && left[0] == word {
				left = left[1:]
			}
		}
		if len(said) > 0 && len(left) == 0 && (s.approximate || len(said) == len(words)) {
			return true
		}
	}
	return false
}

// items are the grammar as items of a <one-of> of SRGS.
func (s *spoken) items(to *strings.Builder) {
	switch {
	case s.uri != "":
		to.WriteString("<item><ruleref uri='" + escaped(s.uri) + "'/></item>")
	case s.text != "":
		kind := "application/srgs"
		if strings.HasPrefix(s.text, "<") {
			kind += "+xml"
		}
		to.WriteString("<item><ruleref uri='data:" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(s.text)) + "'/></item>")
	}
	for _, phrase := range s.phrases {
		words := phraseWords(phrase)
		if !s.approximate {
			to.WriteString("<item>" + escaped(strings.Join(words, " ")) + "</item>")
			continue
		}
		// Any of the words and those behind it may be the first, and be left out.
		for first, word := range words {
			to.WriteString("<item>" + escaped(word))
			for _, word := range words[first+1:] {
				to.WriteString(" <item repeat='0-1'>" + escaped(word) + "</item>")
			}
			to.WriteString("</item>")
		}
	}
}

// speech is what is listened to for all candidates together: FreeSWITCH takes one
// grammar at a time.
func (x *execution) speech(voices []candidate) *dialog.Speech {
	s := &dialog.Speech{
		Longest: x.interval("maxspeechtimeout"), Confidence: x.number("confidencelevel"),
		Hotword: x.property("bargeintype") == "hotword", Settings: x.speechSettings(),
	}
	if x.bargeInType != "" {
		s.Hotword = x.bargeInType == "hotword"
	}
	if one := voices[0].spoken; len(voices) == 1 && len(one.phrases) == 0 {
		s.Grammar, s.Inline = one.uri, one.uri == ""
		if s.Inline {
			s.Grammar = one.text
		}
		return s
	}
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?><grammar version='1.0' mode='voice' root='any' xmlns='" + grammarNamespace + "' xml:lang='" + escaped(x.language()) + "'><rule id='any' scope='public'><one-of>")
	for _, v := range voices {
		v.spoken.items(&b)
	}
	b.WriteString("</one-of></rule></grammar>")
	s.Grammar, s.Inline = b.String(), true
	return s
}

// speechSettings are the properties that the engine goes by (VoiceXML 2.0, 6.3.2), by
// their names in MRCP (RFC 6787, 9.4).
func (x *execution) speechSettings() []dialog.Pair {
	list := []dialog.Pair{{Name: "speech-language", Value: x.language()}}
	for _, p := range []struct{ name, mrcp string }{
		{"confidencelevel", "confidence-threshold"}, {"sensitivity", "sensitivity-level"}, {"speedvsaccuracy", "speed-vs-accuracy"},
		{"maxnbest", "n-best-list-length"},
	} {
		if value := x.property(p.name); value != "" {
			list = append(list, dialog.Pair{Name: p.mrcp, Value: value})
		}
	}
	for _, p := range []struct{ name, mrcp string }{
		{"completetimeout", "speech-complete-timeout"}, {"incompletetimeout", "speech-incomplete-timeout"}, {"maxspeechtimeout", "recognition-timeout"},
	} {
		if d := x.interval(p.name); d > 0 {
			list = append(list, dialog.Pair{Name: p.mrcp, Value: strconv.FormatInt(d.Milliseconds(), 10)})
		}
	}
	return list
}

// language is that of the page, in which the party is expected to speak.
func (x *execution) language() string {
	if x.page.lang != "" {
		return x.page.lang
	}
	return "en-US"
}

// number gives a property that is a number, which the compiler has checked.
func (x *execution) number(name string) float64 {
	n, err := strconv.ParseFloat(x.property(name), 64)
	if err != nil {
		return 0
	}
	return n
}

// belongs finds whose grammar something is in that was said: that of the engine's name,
// else the phrases that it is one of, else the first that the engine knows and we do
// not.
func belongs(voices []candidate, s *dialog.Spoken) (candidate, bool) {
	for _, v := range voices {
		if v.spoken.uri != "" && s.Grammar == v.spoken.uri && len(voices) > 1 {
			return v, true
		}
	}
	for _, v := range voices {
		if v.spoken.says(s.Utterance) {
			return v, true
		}
	}
	for _, v := range voices {
		if len(v.spoken.phrases) == 0 {
			return v, true
		}
	}
	return candidate{}, false
}

// meaning gives what was said means: what the engine says, or the words.
func (v *candidate) meaning(s *dialog.Spoken) any {
	switch {
	case v.spoken.phrases != nil && v.spoken.value != nil:
		return v.spoken.value
	case v.spoken.builtin == "boolean":
		text, _ := s.Interpretation.(string)
		if text == "" {
			text = s.Utterance
		}
		switch strings.ToLower(text) {
		case "true", "yes":
			return true
		case "false", "no":
			return false
		}
	}
	if s.Interpretation != nil {
		return s.Interpretation
	}
	if v.spoken.phrases != nil {
		return v.spoken.phrases[0]
	}
	return s.Utterance
}
