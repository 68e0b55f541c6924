package vxml

import (
	"errors"
	"strings"
	"testing"
)

// TestForeignGrammars: of a grammar of GSL or JSGF it is said where it stands, and how
// SRGS has it.
func TestForeignGrammars(t *testing.T) {
	const unread = "in SRGS's ABNF form it is #ABNF 1.0; mode "
	for _, test := range []struct{ kind, text, want string }{
		{"application/x-nuance-gsl", "[dtmf-1 dtmf-2]", "GSL, which is not read; " + unread + "dtmf; root $r; $r = (1 | 2);"},
		{"", " [(dtmf-1 ?dtmf-2) {<x one>} dtmf-star] ", unread + `dtmf; root $r; $r = ((1 [2]) | "*");`},
		{"", ";GSL2.0\n.Top [yes (no ?thanks)]", unread + "voice; language en; root $r; $r = (yes | (no [thanks]));"},
		{"", "[yes Other]", "GSL, which is not read; write it in SRGS's ABNF form"},
		{"", "[yes (no]", "GSL, which is not read; write it in SRGS's ABNF form"},
		{"application/x-jsgf", "1 {one} | 2 [3]", "JSGF, which is not read; " + unread + "dtmf; root $r; $r = 1 | 2 [3];"},
		{"", "#JSGF V1.0; grammar a; public <a> = yes | (no thanks);", unread + "voice; language en; root $r; $r = yes | (no thanks);"},
		{"", "#JSGF V1.0; grammar a; public <a> = <b>; <b> = 1;", "JSGF, which is not read; write it in SRGS's ABNF form"},
		{"application/x-jsgf", "yes | 1", "JSGF, which is not read; write it in SRGS's ABNF form"},
		{"application/x-jsgf", "|", "JSGF, which is not read; write it in SRGS's ABNF form"},
		{"", "yes | no", "neither of SRGS's XML form nor of its ABNF form"},
	} {
		if got := foreignAdvice(test.kind, test.text); !strings.Contains(got, test.want) {
			t.Errorf("%q: %s\n\twant %s", test.text, got, test.want)
		}
	}
}

// TestForeignGrammarsThatAreFetched: one that is fetched is error.unsupported.format, too.
func TestForeignGrammarsThatAreFetched(t *testing.T) {
	f := files{
		"start.vxml": `<vxml version="2.1"><form><field name="a"><grammar src="a.gram"/><grammar src="b.gram"/>` +
			"\n" + `<grammar type="application/x-jsgf">1 | 2</grammar></field></form></vxml>`,
		"a.gram": "#JSGF V1.0; grammar a; public <a> = 1 | 2;",
		"b.gram": "$a = 1;",
	}
	p := newFiles(f)
	page, err := p.get(t.Context(), "http://host/", "start.vxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	grammars := page.forms[0].items[0].grammars
	_, err = p.grammar(t.Context(), grammars[0], grammars[0].src, nil)
	var refused *thrown
	if !errors.As(err, &refused) || refused.event != "error.unsupported.format" || !strings.Contains(refused.message, "http://host/a.gram:1: the grammar is of the form JSGF") {
		t.Errorf("JSGF that is fetched: %v", err)
	}
	if _, err = p.grammar(t.Context(), grammars[1], grammars[1].src, nil); err == nil || errors.As(err, &refused) {
		t.Errorf("what has no form: %v", err)
	}
	if inline := grammars[2].refused; !strings.Contains(inline.Error(), "start.vxml:2:1: the grammar is of the form JSGF") {
		t.Errorf("JSGF in the page: %v", inline)
	}
}
