package vxml

import (
	"context"
	"errors"
	"sync"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
	"ccxmld/script"
)

// pages gets and compiles pages and what belongs to them. What is compiled is shared
// by all dialogs that run the same version of it. It is safe for concurrent use.
type pages struct {
	service  *dialog.Service
	compiler *Compiler
	noticed  func(*Page)

	compiled versions[*Page]
	grammars versions[srgs.Grammar]
	scripts  versions[*script.Script]
}

// versions keeps the last version of what was compiled, by URI.
type versions[T any] struct {
	mu   sync.Mutex
	kept map[string]version[T]
}

type version[T any] struct {
	version  string
	compiled T
}

// mostVersions bounds how many are kept of each kind.
const mostVersions = 500

func (v *versions[T]) get(uri, of string) (compiled T, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.kept[uri]
	return known.compiled, ok && known.version == of
}

func (v *versions[T]) put(uri, of string, compiled T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil {
		v.kept = make(map[string]version[T])
	}
	if len(v.kept) >= mostVersions {
		for uri := range v.kept { // any one
			delete(v.kept, uri)
			break
		}
	}
	v.kept[uri] = version[T]{of, compiled}
}

var errNoPage = errors.New("there is no URI of a VoiceXML page")

// get gets a page and compiles it, if it has changed since. It blocks.
func (p *pages) get(ctx context.Context, base, reference string, how *dialog.Fetch) (*Page, error) {
	if reference == "" {
		return nil, errNoPage
	}
	response, err := p.fetch(ctx, base, reference, how)
	if err != nil {
		return nil, err
	}
	if page, ok := p.compiled.get(response.URI, response.Version); ok {
		p.service.Supplement(response, page.header)
		return page, nil
	}
	root, places, err := response.PlacedXML(fetch.XMLLimits{})
	if err != nil {
		return nil, err
	}
	page, err := p.compiler.CompilePlaced(root, response.URI, places)
	if err != nil {
		return nil, err
	}
	p.noticed(page)
	p.compiled.put(response.URI, response.Version, page)
	p.service.Supplement(response, page.header)
	return page, nil
}

// root gives the application root document of a page, which may be itself; one that is
// there already is taken. It blocks.
func (p *pages) root(ctx context.Context, page, present *Page, cookies *fetch.Cookies) (*Page, error) {
	switch page.application {
	case "", page.URI:
		return page, nil
	}
	if present != nil && present.URI == page.application {
		return present, nil
	}
	root, err := p.get(ctx, page.base, page.application, &dialog.Fetch{Cookies: cookies})
	switch {
	case err != nil:
		return nil, err
	case root.application != "" && root.application != root.URI:
		return nil, thrownf("error.semantic", "%s is the application root document of %s, and has one itself", root.URI, page.URI)
	}
	return root, nil
}

func (p *pages) fetch(ctx context.Context, base, reference string, how *dialog.Fetch) (*fetch.Response, error) {
	uri, err := fetch.Resolve(base, reference)
	if err != nil {
		return nil, err
	}
	return p.service.Fetch(ctx, uri, how)
}

// script gets a script that a page names, and compiles it. It blocks.
func (p *pages) script(ctx context.Context, page *Page, reference, encoding string, how *dialog.Fetch) (*script.Script, error) {
	response, err := p.fetch(ctx, page.base, reference, how)
	if err != nil {
		return nil, err
	}
	of := response.Version + encoding
	if compiled, ok := p.scripts.get(response.URI, of); ok {
		return compiled, nil
	}
	text := response.Text()
	if encoding != "" {
		if text, err = response.TextIn(encoding); err != nil {
			return nil, err
		}
	}
	compiled, err := page.language.Script(text, script.Position{URI: response.URI, Line: 1})
	if err == nil {
		p.scripts.put(response.URI, of, compiled)
	}
	return compiled, err
}
