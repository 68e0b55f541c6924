package dialog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ccxmld/fetch"
)

// Preparation is a dialog that is made ready before it is started: its page is
// compiled, or what it plays fetched. It belongs to the goroutine of its session.
type Preparation struct {
	service *Service
	request Request
	cancel  context.CancelFunc
	result  any  // what the kind of dialog brought, for Request.prepared
	ready   bool // done was told of success
	over    bool
}

// Prepare makes a dialog ready. done is called once, in the session's goroutine
// and after Prepare has returned, with what keeps the dialog from starting, or
// nil; it is not called any more after Discard. do is that of Start.
func (s *Service) Prepare(r Request, do func(func()) bool, done func(error)) *Preparation {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Preparation{service: s, request: r, cancel: cancel}
	prepared := func(result any, err error) {
		do(func() {
			if p.over {
				return
			}
			p.result, p.ready = result, err == nil
			done(err)
		})
	}
	err := s.Background(cancel, func() {
		defer cancel()
		prepared(s.prepare(ctx, r))
	})
	if err != nil {
		cancel()
		prepared(nil, err)
	}
	return p
}

// Discard throws the preparation away.
func (p *Preparation) Discard() {
	p.over = true
	p.cancel()
}

// Ready tells whether the dialog can be started.
func (p *Preparation) Ready() bool { return p.ready && !p.over }

// Start starts the dialog, as Service.Start does, for what r says of the leg and
// the direction of media; the rest was told to Prepare. The preparation is used
// up.
func (p *Preparation) Start(r Request, on Channel, do func(func()) bool, e Events) Dialog {
	p.over = true
	request := p.request
	request.MediaDirection, request.Call = r.MediaDirection, r.Call
	request.Session, request.Connection, request.IOProcessors = r.Session, r.Connection, r.IOProcessors
	if r.Hints != nil {
		request.Hints = r.Hints
	}
	request.Prepared = p.result
	return p.service.Start(request, on, do, e)
}

// prepare gets what a dialog needs. It blocks.
func (s *Service) prepare(ctx context.Context, r Request) (any, error) {
	if kind, ok := s.types[mediaType(r.Type)]; ok {
		return kind.prepare(ctx, r)
	}
	kind, err := mediaKind(r.Type)
	if err != nil {
		return nil, err
	}
	m := &media{kind: kind, request: r}
	prompts, err := m.prompts()
	switch {
	case err != nil:
		return nil, err
	case prompts == nil && kind != audio:
		return m.text(ctx, s)
	}
	for i := range prompts {
		if err := s.prepareAudio(ctx, &prompts[i]); err != nil {
			return nil, err
		}
	}
	return prompts, nil
}

// prepareAudio fetches a prompt's audio if it comes by HTTP. Whether there is a
// file on FreeSWITCH's machine only FreeSWITCH knows. Audio that cannot be had is
// no obstacle where there is a text to speak in its place.
func (s *Service) prepareAudio(ctx context.Context, p *Prompt) error {
	if p.Source == "" {
		return nil
	}
	if schemeOf(p.Source) == sayScheme {
		_, err := sayArgument(p.Source)
		return err
	}
	_, remote, err := s.locate(p.Source, p.Base)
	if err == nil && remote != "" {
		if s.spool == nil {
			err = noSpool(remote)
		} else {
			p.file, err = s.fetchAudio(ctx, remote, p.Fetch)
		}
	}
	if err != nil && len(p.Else) > 0 {
		return nil
	}
	return err
}

func noSpool(uri string) error {
	return fmt.Errorf("%s cannot be played: there is no directory for fetched audio; set dialog.spool in the configuration", uri)
}

// text fetches the text that is to be spoken. It blocks.
func (m *media) text(ctx context.Context, s *Service) ([]Prompt, error) {
	fetched, err := m.fetchedText(ctx, s)
	switch {
	case err == nil:
		return []Prompt{fetched}, nil
	case m.source.text == "":
		return nil, err
	}
	s.options.Logger.Info("the text cannot be fetched; that of the query is spoken", append(m.request.LogAttributes(), "src", shorten(m.request.Source), "error", err)...)
	return m.speech(m.source.text), nil
}

func (m *media) fetchedText(ctx context.Context, s *Service) (Prompt, error) {
	uri, err := fetch.Resolve(m.request.Base, m.source.uri)
	if err != nil {
		return Prompt{}, err
	}
	response, err := s.Fetch(ctx, uri, m.fetch())
	if err != nil {
		return Prompt{}, err
	}
	read := func(context.Context) (Prompt, int64, error) {
		p := Prompt{Text: response.Text(), SSML: m.kind == ssml}
		if strings.TrimSpace(p.Text) == "" {
			return Prompt{}, 0, errors.New(m.source.uri + " is empty")
		}
		if p.SSML {
			p.withoutTags()
		}
		return p, int64(len(p.Text) + len(p.plain)), nil
	}
	if !response.Reusable {
		p, _, err := read(ctx)
		return p, err
	}
	return s.texts.Make(ctx, fmt.Sprint(response.URI, "\n", m.kind), response.Version, nil, read)
}
