package vxml

import (
	"context"
	"errors"
	"sync"

	"ccxmld/dialog"
	"ccxmld/fetch"
)

// pages gets and compiles pages. A compiled page is shared by all dialogs that
// run the same version of it. It is safe for concurrent use.
type pages struct {
	service  *dialog.Service
	compiler *Compiler
	noticed  func(*Page)

	mu       sync.Mutex
	compiled map[string]version // by URI
}

type version struct {
	version string
	page    *Page
}

// mostPages bounds how many compiled pages are kept.
const mostPages = 500

var errNoPage = errors.New("there is no URI of a VoiceXML page")

// get gets a page and compiles it, if it has changed since. It blocks.
func (p *pages) get(ctx context.Context, base, reference string, how *dialog.Fetch) (*Page, error) {
	if reference == "" {
		return nil, errNoPage
	}
	uri, err := fetch.Resolve(base, reference)
	if err != nil {
		return nil, err
	}
	response, err := p.service.Fetch(ctx, uri, how)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	known, ok := p.compiled[response.URI]
	p.mu.Unlock()
	if ok && known.version == response.Version {
		return known.page, nil
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.compiled) >= mostPages {
		for uri := range p.compiled { // any one
			delete(p.compiled, uri)
			break
		}
	}
	p.compiled[response.URI] = version{response.Version, page}
	return page, nil
}
