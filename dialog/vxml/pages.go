package vxml

import (
	"context"
	"errors"
	"reflect"

	"github.com/antchfx/xmlquery"

	"ccxmld/dialog"
	"ccxmld/fetch"
	"ccxmld/processors"
	"ccxmld/script"
)

// pages gets and compiles pages and what belongs to them. What is compiled is shared
// by all dialogs that run the same version of it. It is safe for concurrent use.
type pages struct {
	service    *dialog.Service
	compiler   *Compiler
	noticed    func(*Page)
	processors *processors.Gate

	compiled *fetch.Versions[*Page]
	grammars *fetch.Versions[compiledGrammar]
	scripts  *fetch.Versions[*script.Script]
	trees    *fetch.Versions[*xmlquery.Node] // of <data>
}

// maxCompiled bounds the bytes of what is kept, of each kind.
const maxCompiled = 32 << 20

func newPages(service *dialog.Service, compiler *Compiler, noticed func(*Page)) *pages {
	return &pages{
		service: service, compiler: compiler, noticed: noticed,
		compiled: fetch.NewVersions[*Page](service.Clock(), maxCompiled),
		grammars: fetch.NewVersions[compiledGrammar](service.Clock(), maxCompiled),
		scripts:  fetch.NewVersions[*script.Script](service.Clock(), maxCompiled),
		trees:    fetch.NewVersions[*xmlquery.Node](service.Clock(), maxCompiled),
	}
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
	page, err := p.compiled.Make(ctx, response.URI, response.Version, nil, func(ctx context.Context) (*Page, int64, error) {
		return p.compile(ctx, response)
	})
	if err != nil {
		return nil, err
	}
	p.service.Supplement(response, page.header)
	return page, nil
}

func (p *pages) compile(ctx context.Context, response *fetch.Response) (page *Page, bytes int64, err error) {
	account := p.processors.Account()
	account.Begin()
	defer account.End()
	root, places, err := response.PlacedXML(fetch.XMLLimits{Account: account, Context: ctx})
	if err != nil {
		return nil, 0, err
	}
	if page, err = p.compiler.Until(ctx).compile(root, response.URI, places, account); err != nil {
		return nil, 0, err
	}
	page.version = response.Version
	p.noticed(page)
	return page, fetch.CompiledBytes(len(response.Body)) + page.bytes, nil
}

// root gives the application root document of a page, which may be itself; one that is
// there already is taken. It blocks.
func (p *pages) root(ctx context.Context, page, present *Page, how *dialog.Fetch) (*Page, error) {
	switch page.application {
	case "", page.URI:
		return page, nil
	}
	if present != nil && present.URI == page.application {
		return present, nil
	}
	root, err := p.get(ctx, page.base, page.application, how)
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
	return p.scripts.Make(ctx, response.URI, of, nil, func(ctx context.Context) (made *script.Script, bytes int64, err error) {
		text := response.Text()
		if encoding != "" {
			if text, err = response.TextIn(encoding); err != nil {
				return nil, 0, err
			}
		}
		account := p.processors.Account()
		account.Begin()
		defer account.End()
		account.TickFor(len(text))
		made, err = page.language.Until(ctx).Script(text, script.Position{URI: response.URI, Line: 1})
		return made, fetch.CompiledBytes(len(text)), err
	})
}

// data parses what <data> has fetched. What may be kept for others is parsed once for all
// dialogs: their scripts cannot change it. It blocks.
func (p *pages) data(ctx context.Context, response *fetch.Response) (*xmlquery.Node, error) {
	if !response.Reusable {
		root, _, err := p.parse(ctx, response)
		return root, err
	}
	return p.trees.Make(ctx, response.URI, response.Version, nil, func(ctx context.Context) (*xmlquery.Node, int64, error) {
		return p.parse(ctx, response)
	})
}

func (p *pages) parse(ctx context.Context, response *fetch.Response) (root *xmlquery.Node, bytes int64, err error) {
	account := p.processors.Account()
	account.Begin()
	defer account.End()
	if root, err = response.XML(fetch.XMLLimits{Account: account, Context: ctx}); err != nil {
		return nil, 0, err
	}
	return root, treeBytes(root), nil
}

// treeBytes is what a document takes in memory, about.
func treeBytes(root *xmlquery.Node) (bytes int64) {
	ofNode, ofAttribute := int64(reflect.TypeFor[xmlquery.Node]().Size()), int64(reflect.TypeFor[xmlquery.Attr]().Size())
	for n := root; n != nil; n = following(n, root) {
		bytes += ofNode + int64(len(n.Data)+len(n.Prefix)+len(n.NamespaceURI))
		for _, a := range n.Attr {
			bytes += ofAttribute + int64(len(a.Name.Space)+len(a.Name.Local)+len(a.Value)+len(a.NamespaceURI))
		}
	}
	return bytes
}
