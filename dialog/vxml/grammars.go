package vxml

import (
	"context"
	"errors"
	"strings"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
	"ccxmld/processors"
)

// compiledGrammar is a grammar that is not compiled with its page, with the versions of
// the grammars that it refers to.
type compiledGrammar struct {
	grammar srgs.Grammar
	speech  error // in place of it: srgs.ErrSpeech
	origins []origin
}

// origin is a document of which a grammar is made, as it was then.
type origin struct{ uri, version string }

// grammar gets and compiles what a <grammar> has not in its page, and the grammars
// that it refers to, if one of them has changed since. It blocks.
func (p *pages) grammar(ctx context.Context, g *grammar, src string, how *dialog.Fetch) (srgs.Grammar, error) {
	uri, version, size := g.position.String(), g.page.version, 0
	read := func(*processors.Account) (srgs.Source, error) { return *g.inline, nil }
	if g.inline == nil {
		var err error
		if uri, err = fetch.Resolve(g.page.base, src); err != nil {
			return nil, err
		}
		document, rule, _ := strings.Cut(uri, "#")
		response, err := p.service.Fetch(ctx, document, how)
		if err != nil {
			return nil, err
		}
		version, size = response.Version, len(response.Body)
		read = func(account *processors.Account) (srgs.Source, error) {
			return grammarSource(ctx, account, response, rule)
		}
	}
	known, err := p.grammars.Make(ctx, uri, version, func(known compiledGrammar) bool {
		return p.unchanged(ctx, known.origins, how)
	}, func(ctx context.Context) (compiledGrammar, int64, error) {
		account := p.processors.Account()
		account.Begin()
		defer account.End()
		source, err := read(account)
		if err != nil {
			return compiledGrammar{}, 0, err
		}
		return p.compileGrammar(ctx, account, source, size, how)
	})
	if err != nil {
		return nil, err
	}
	return known.grammar, known.speech
}

// compileGrammar compiles a grammar whose own text has so many bytes, and tells how many
// the compiled one takes.
func (p *pages) compileGrammar(ctx context.Context, account *processors.Account, source srgs.Source, size int, how *dialog.Fetch) (made compiledGrammar, bytes int64, err error) {
	bytes, source.Context, source.Account = fetch.CompiledBytes(size), ctx, account
	compiled, err := srgs.Compile(source, func(uri, _ string) (srgs.Source, error) {
		account.Pause()
		response, err := p.service.Fetch(ctx, uri, how)
		account.Resume()
		if err != nil {
			return srgs.Source{}, err
		}
		made.origins = append(made.origins, origin{uri, response.Version})
		bytes += fetch.CompiledBytes(len(response.Body))
		return grammarSource(ctx, account, response, "")
	})
	switch {
	case errors.Is(err, srgs.ErrSpeech):
		made.speech = err
	case err != nil:
		return compiledGrammar{}, 0, err
	default:
		made.grammar = compiled
		bytes += compiled.Bytes()
	}
	return made, bytes, nil
}

// unchanged tells whether documents are still what a grammar was made of. What cannot be
// had any more is for compiling to report.
func (p *pages) unchanged(ctx context.Context, origins []origin, how *dialog.Fetch) bool {
	for _, one := range origins {
		response, err := p.service.Fetch(ctx, one.uri, how)
		if err != nil || response.Version != one.version {
			return false
		}
	}
	return true
}

// grammarSource reads a grammar of either form, to start from one of its rules.
func grammarSource(ctx context.Context, account *processors.Account, response *fetch.Response, rule string) (source srgs.Source, err error) {
	source.URI, source.Rule = response.URI, rule
	text := response.Text()
	if srgs.IsABNF(text) {
		source.Text = text
		return source, nil
	}
	if advice := ForeignGrammar(response); advice != "" {
		return source, thrownf("error.unsupported.format", "%s:1: %s", response.URI, advice)
	}
	source.Root, source.Places, err = response.PlacedXML(fetch.XMLLimits{Context: ctx, Account: account})
	return source, err
}
