package vxml

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/script"
)

// answer answers all fetches.
type answer struct {
	text     string
	reusable bool
}

func (a *answer) Fetch(_ context.Context, r fetch.Request) (*fetch.Response, error) {
	return &fetch.Response{URI: r.URI, Status: 200, Body: []byte(a.text), Version: a.text, Reusable: a.reusable}, nil
}

func newAnswer(a *answer) *pages {
	return newPages(dialog.New(dialog.Options{Fetcher: a}), NewCompiler(), func(*Page) {})
}

// TestDataIsParsedOnce: what <data> fetches is parsed once for all dialogs, also those
// that ask at once, and anew when it has changed. What is for one request is not kept.
func TestDataIsParsedOnce(t *testing.T) {
	a := &answer{text: "<a/>", reusable: true}
	p := newAnswer(a)
	get := func() (*xmlquery.Node, error) {
		response, err := p.fetch(t.Context(), "http://host/", "a.xml", nil)
		if err != nil {
			return nil, err
		}
		return p.data(t.Context(), response)
	}
	got := make([]*xmlquery.Node, 30)
	var done sync.WaitGroup
	for i := range got {
		done.Go(func() {
			var err error
			if got[i], err = get(); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	for _, root := range got {
		if root != got[0] {
			t.Fatal("it is parsed for each dialog")
		}
	}
	a.text = "<b/>"
	changed, err := get()
	if err != nil || changed == got[0] || firstElement(changed).Data != "b" {
		t.Errorf("it does not follow its source: %v", err)
	}
	a.text = "<b>"
	var broken *fetch.XMLError
	if _, err := get(); !errors.As(err, &broken) {
		t.Errorf("no XML: %v", err)
	}
	a.text, a.reusable = "<c/>", false
	first, err := get()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := get(); err != nil || first == again {
		t.Errorf("an answer for one request is kept: %v", err)
	}
	if n := p.trees.Len(); n != 1 {
		t.Errorf("%d documents are kept, want 1", n)
	}
}

// TestDataIsBounded: documents count with what their nodes take, which is far more than
// their text.
func TestDataIsBounded(t *testing.T) {
	a := &answer{reusable: true}
	for range 10_000 {
		a.text += "<b/>"
	}
	a.text = "<a>" + a.text + "</a>"
	p := newAnswer(a)
	for i := range 60 {
		response, err := p.fetch(t.Context(), "http://host/", string(rune('A'+i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.data(t.Context(), response); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.trees.Len(); n < 15 || n > 30 {
		t.Errorf("%d documents of 10,000 nodes are kept in 32 MiB", n)
	}
}

// TestDataCannotBeChanged: dialogs that share a document read it at the same time, and
// what one writes to it the others do not see.
func TestDataCannotBeChanged(t *testing.T) {
	root, err := fetch.ParseXML([]byte(`<a x="1"><b>text</b><!--c--><![CDATA[d]]></a>`), "a.xml", fetch.XMLLimits{})
	if err != nil {
		t.Fatal(err)
	}
	before := root.OutputXML(true)
	const writes = `(function () {
		var e = d.documentElement, text = e.firstChild.firstChild;
		var all = [d, e, text, e.attributes, e.attributes.item(0), e.childNodes, e.childNodes[0]];
		for (var i = 0; i < all.length; i++)
			for (var name of ["nodeValue", "value", "data", "textContent", "firstChild", "parentNode", "0", "length", "nodeName", "mine"]) {
				try { all[i][name] = null } catch (refused) {}
				try { delete all[i][name] } catch (refused) {}
			}
		e.childNodes.reverse(); e.childNodes.pop();
		return e.getAttribute("x") + text.data + e.childNodes.length + e.textContent + e.mine
	})()`
	language := script.NewLanguage("dialog")
	expression, err := language.Expression(writes, script.Position{})
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			runtime := language.NewRuntime(script.Limits{})
			runtime.OpenScope("dialog")
			runtime.Declare("dialog", "d", newDocument(runtime.VM(), root))
			for range 20 {
				value, err := runtime.Eval(expression)
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := value.String(), "1text3textdundefined"; got != want {
					t.Errorf("it is %q, want %q", got, want)
				}
			}
		})
	}
	done.Wait()
	if after := root.OutputXML(true); after != before {
		t.Errorf("%s became %s", before, after)
	}
}
