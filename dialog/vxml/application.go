package vxml

import (
	"context"
	"errors"
	"strings"

	"ccxmld/dialog"
)

// enterPage initialises a page and runs it, from the form that the jump leads to
// or its first.
func (x *execution) enterPage(to *jump) error {
	x.form, x.item = nil, nil
	x.events = make(map[string]map[string]int)
	x.runtime.CleanGlobals()
	before := x.page
	x.page = to.page
	if err := x.enterApplication(to, before); err != nil {
		return x.caught(err)
	}
	if err := x.enterDocument(); err != nil {
		return x.caught(err)
	}
	f := to.form
	if f == nil {
		if len(x.page.forms) == 0 {
			return nil
		}
		f = x.page.forms[0]
	}
	return x.enterForm(f, to.input)
}

// enterApplication makes the page's application root document the present one. Its
// variables stay when a page of the same application follows, or the root itself
// (VoiceXML 2.0, 1.5.2), unless it is the root that follows itself or is submitted to.
func (x *execution) enterApplication(to *jump, before *Page) error {
	root := to.root
	if root == nil { // a link or grammar of the root leads to it
		root = to.page
	}
	anew := root == to.page && (to.submitted || before != nil && before.URI == root.URI)
	if x.root != nil && x.root.URI == root.URI && !anew {
		return nil
	}
	x.page, x.root = root, root
	x.runtime.OpenScope(applicationScope)
	x.runtime.SwitchScope(documentScope, x.runtime.Scope(applicationScope))
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	if x.last != nil {
		x.runtime.Declare(applicationScope, "lastresult$", x.last)
	}
	if err := x.runAll(root.init); err != nil {
		return err
	}
	x.page = to.page
	return nil
}

// enterDocument runs what initialises the page, which its root has had already.
func (x *execution) enterDocument() error {
	x.runtime.OpenScope(dialogScope)
	x.openAnonymous()
	if x.page.URI == x.root.URI {
		x.runtime.SwitchScope(documentScope, x.runtime.Scope(applicationScope))
		return nil
	}
	x.runtime.OpenScope(documentScope)
	return x.runAll(x.page.init)
}

// load gets another page with its application root document, which may be the present
// one. base is the page that names it.
func (x *execution) load(base *Page, next string, f fetching, how *dialog.Fetch, present *Page) (*jump, error) {
	reference, id, fragment := strings.Cut(next, "#")
	if reference == "" && fragment {
		reference = base.URI // which is fetched again (VoiceXML 2.0, 5.3.8)
	}
	to := &jump{fresh: true}
	err := x.fetch(f, func(ctx context.Context) (err error) {
		if to.page, err = x.browser.load(ctx, base.base, reference, how); err == nil {
			to.root, err = x.browser.pages.root(ctx, to.page, present, &dialog.Fetch{Cookies: x.cookies})
		}
		return err
	})
	var event *thrown
	switch {
	case errors.As(err, &event):
		return nil, event
	case err != nil:
		return nil, badFetch(err)
	case id == "":
		return to, nil
	}
	if to.form = to.page.byID[id]; to.form == nil {
		return nil, thrownf("error.badfetch", "there is no dialog %q in %s", id, to.page.URI)
	}
	return to, nil
}
