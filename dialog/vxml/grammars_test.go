package vxml

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
)

// files answers fetches by path.
type files map[string]string

func (f files) Fetch(_ context.Context, r fetch.Request) (*fetch.Response, error) {
	u, err := url.Parse(r.URI)
	if err != nil {
		return nil, err
	}
	text, ok := f[strings.TrimPrefix(u.Path, "/")]
	if !ok {
		return nil, errors.New(r.URI + ": 404 Not Found")
	}
	return &fetch.Response{URI: r.URI, Status: 200, Body: []byte(text), Version: text}, nil
}

func newFiles(f files) *pages {
	service := dialog.New(dialog.Options{Clock: clocktest.Real(), Fetcher: f})
	return newPages(service, NewCompiler(), func(*Page) {})
}

const (
	header = ` xmlns="http://www.w3.org/2001/06/grammar" version="1.0" mode="dtmf" root="r"`
	twice  = `<grammar` + header + `><rule id="r"><item repeat="2"><ruleref uri="digit.grxml"/></item></rule></grammar>`
	digit  = `<grammar` + header + `><rule id="r" scope="public">%d</rule></grammar>`
	asking = `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><field name="a">` +
		`<grammar` + header + `><rule id="r"><ruleref uri="digit.grxml"/></rule></grammar>` +
		`<grammar src="external.grxml"/><grammar src="spoken.grxml"/></field></form></vxml>`
)

// TestGrammarsAreCompiledOnce: grammars, inline ones and others, are compiled once for
// all dialogs, and anew where what they are made of has changed.
func TestGrammarsAreCompiledOnce(t *testing.T) {
	f := files{"start.vxml": asking, "external.grxml": twice, "digit.grxml": fmt.Sprintf(digit, 1),
		"spoken.grxml": `<grammar xmlns="http://www.w3.org/2001/06/grammar" version="1.0" mode="voice" xml:lang="en" root="r"><rule id="r">one</rule></grammar>`}
	p := newFiles(f)
	compiled := func() (list []srgs.Grammar) {
		t.Helper()
		page, err := p.get(t.Context(), "http://host/", "start.vxml", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.forms[0].items[0].grammars[:2] {
			one, err := p.grammar(t.Context(), g, g.src, nil)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, one)
		}
		spoken := page.forms[0].items[0].grammars[2]
		if _, err := p.grammar(t.Context(), spoken, spoken.src, nil); !errors.Is(err, srgs.ErrSpeech) {
			t.Errorf("a grammar of speech: %v", err)
		}
		return list
	}
	first, again := compiled(), compiled()
	for i, name := range []string{"the inline grammar", "the external grammar"} {
		if first[i] != again[i] {
			t.Errorf("%s is compiled for each dialog", name)
		}
	}
	if n := p.grammars.Len(); n != 3 {
		t.Errorf("%d grammars are kept, want 3: the one of speech is not read again either", n)
	}
	f["digit.grxml"] = fmt.Sprintf(digit, 2)
	changed := compiled()
	if changed[0].Match("1") != dialog.NoMatch || changed[0].Match("2") != dialog.Complete {
		t.Error("the inline grammar does not follow what it refers to")
	}
	if changed[1].Match("11") != dialog.NoMatch || changed[1].Match("22") != dialog.Complete {
		t.Error("the external grammar does not follow what it refers to")
	}
	f["start.vxml"] = strings.Replace(asking, `uri="digit.grxml"`, `uri="digit.grxml#r"`, 1)
	if compiled()[0] == changed[0] {
		t.Error("the inline grammar does not follow its page")
	}
	delete(f, "digit.grxml")
	page, err := p.get(t.Context(), "http://host/", "start.vxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.grammar(t.Context(), page.forms[0].items[0].grammars[0], "", nil); err == nil {
		t.Error("a grammar counts that cannot be had any more")
	}
}

// TestGrammarsAreBounded: what is kept counts with its repeats, in pages and beside them.
func TestGrammarsAreBounded(t *testing.T) {
	const large = `<grammar` + header + `><rule id="r"><item repeat="900">1<item repeat="30">2</item></item>%s</rule></grammar>`
	f, reference := files{"digit.grxml": fmt.Sprintf(digit, 1)}, `<ruleref uri="digit.grxml"/>`
	for i := range 60 {
		f[fmt.Sprint(i, ".vxml")] = `<vxml version="2.1"><form><field name="a"><grammar src="` + fmt.Sprint(i, ".grxml") + `"/></field></form></vxml>`
		f[fmt.Sprint(i, ".grxml")] = fmt.Sprintf(large, reference)
		f[fmt.Sprint(i, "inline.vxml")] = `<vxml version="2.1"><form><field name="a">` + fmt.Sprintf(large, "") + `</field></form></vxml>`
	}
	p := newFiles(f)
	for i := range 60 {
		if _, err := p.get(t.Context(), "http://host/", fmt.Sprint(i, "inline.vxml"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.compiled.Len(); n < 15 || n > 25 {
		t.Errorf("%d pages with grammars of 27,900 nodes are kept in 32 MiB", n)
	}
	for i := range 60 {
		page, err := p.get(t.Context(), "http://host/", fmt.Sprint(i, ".vxml"), nil)
		if err != nil {
			t.Fatal(err)
		}
		g := page.forms[0].items[0].grammars[0]
		if _, err := p.grammar(t.Context(), g, g.src, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.grammars.Len(); n < 15 || n > 25 {
		t.Errorf("%d grammars of 27,901 nodes are kept in 32 MiB", n)
	}
}
