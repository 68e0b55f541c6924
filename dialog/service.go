package dialog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"

	"ccxmld/clock"
	"ccxmld/fetch"
)

// Fetcher gets what dialogs are made of. *fetch.Client is one.
type Fetcher interface {
	Fetch(context.Context, fetch.Request) (*fetch.Response, error)
}

// supplementer is a Fetcher that heeds what documents say of how long they may be
// kept, as *fetch.Client does.
type supplementer interface {
	Supplement(*fetch.Response, http.Header)
}

// Supplement tells the Fetcher's cache what a document says in place of its server's
// headers, as <meta http-equiv> does.
func (s *Service) Supplement(r *fetch.Response, header http.Header) {
	if heeds, ok := s.options.Fetcher.(supplementer); ok && len(header) > 0 {
		heeds.Supplement(r, header)
	}
}

// Options says how dialogs are run.
type Options struct {
	// TTSEngine and TTSVoice name FreeSWITCH's text-to-speech engine.
	TTSEngine, TTSVoice string
	// ASREngine names FreeSWITCH's engine for speech recognition; "" for none:
	// nobody listens to speech.
	ASREngine string
	// Sounds is the folder, as a path or URI, against which relative audio is
	// resolved; "" for the document that names it.
	Sounds string
	// Spool is the directory, shared with FreeSWITCH, for audio fetched by HTTP;
	// "" when there is none, and such audio cannot be played.
	Spool string
	// Recordings is the directory on FreeSWITCH's machine that recordings are
	// written to; "" when there is none, and nothing can be recorded.
	Recordings string
	// AllowFile decides whether FreeSWITCH may be told to play a file; nil
	// allows all. Files below Sounds are always allowed.
	AllowFile func(uri string) error
	// Fetcher gets texts and VoiceXML documents, Audio gets audio, which may
	// be larger, and Uploads sends recordings away, which may take long; Fetcher
	// stands in for those that are nil.
	Fetcher, Audio, Uploads Fetcher
	Clock                   clock.Clock // nil: the one on the wall
	Logger                  *slog.Logger
}

// Service starts dialogs. Its methods are safe for concurrent use, except
// Handle.
type Service struct {
	options Options
	voice   voice
	spool   *spool
	types   map[string]starts

	context context.Context // ends what outlives its dialog's leg
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

// starts is a registered kind of dialog.
type starts struct {
	start   Starter
	prepare Preparer
}

// Starter starts a dialog of one kind. The rules for Service.Start are its own.
type Starter func(r Request, on Channel, do func(func()) bool, e Events) Dialog

// Preparer gets what a dialog of one kind needs; it comes to its Starter as
// Request.Prepared. It may block, and is called in any goroutine.
type Preparer func(context.Context, Request) (any, error)

// New returns a service that knows audio, text/plain, application/ssml+xml and
// recordings.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Audio == nil {
		o.Audio = o.Fetcher
	}
	if o.Uploads == nil {
		o.Uploads = o.Fetcher
	}
	o.Clock = clock.Or(o.Clock)
	s := &Service{options: o, voice: voice{o.TTSEngine, o.TTSVoice}, types: make(map[string]starts)}
	s.context, s.cancel = context.WithCancel(context.Background())
	if o.Spool != "" {
		s.spool = &spool{folder: o.Spool}
	}
	s.Handle(s.startRecording, prepareRecording, RecordingType)
	return s
}

// Close waits for what is still being uploaded, and gives it up when ctx ends. It is
// called when no dialog is started any more.
func (s *Service) Close(ctx context.Context) error {
	over := make(chan struct{})
	go func() {
		s.work.Wait()
		close(over)
	}()
	var err error
	select {
	case <-over:
	case <-ctx.Done():
		err = fmt.Errorf("recordings are given up while they are uploaded: %w", ctx.Err())
	}
	s.cancel()
	<-over
	return err
}

// outlive runs work in a goroutine of the service's, which leg and session do not
// end. cancel gives it up.
func (s *Service) outlive(work func(context.Context)) (cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(s.context)
	clock.GoIn(&s.work, s.options.Clock, func() {
		defer cancel()
		work(ctx)
	})
	return cancel
}

// Clock is where dialogs have their time from.
func (s *Service) Clock() clock.Clock { return s.options.Clock }

// Handle registers a kind of dialog under its media types. It must not be called
// once dialogs are started.
func (s *Service) Handle(start Starter, prepare Preparer, mediaTypes ...string) {
	for _, mediaType := range mediaTypes {
		s.types[mediaType] = starts{start, prepare}
	}
}

// Start starts a dialog on a leg. It is called in the session's goroutine, in
// which do runs functions later; do reports false when the session has ended.
// Whatever keeps the dialog from starting is told by e.NotStarted.
func (s *Service) Start(r Request, on Channel, do func(func()) bool, e Events) Dialog {
	if kind, ok := s.types[mediaType(r.Type)]; ok {
		return kind.start(r, on, do, e)
	}
	kind, err := mediaKind(r.Type)
	if err != nil {
		do(func() { e.NotStarted(err.Error()) })
		return noDialog{}
	}
	if kind == audio && InBackground(r.Hints) {
		return s.startBackground(r, on, do, e)
	}
	return s.startMedia(kind, r, on, do, e)
}

// mediaKind gives the kind of media dialog that a media type stands for.
func mediaKind(text string) (kind, error) {
	switch kind := mediaType(text); {
	case strings.HasPrefix(kind, "audio/"):
		return audio, nil
	case kind == "text/plain":
		return plainText, nil
	case kind == "application/ssml+xml":
		return ssml, nil
	}
	return 0, fmt.Errorf("dialogs of type %q are not supported; expected a VoiceXML page, audio/wav, text/plain, application/ssml+xml or application/x-record", text)
}

// mediaType gives a media type in lower case without its parameters.
func mediaType(text string) string {
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		kind, _, _ = strings.Cut(text, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind
}

// noDialog is a dialog that never was.
type noDialog struct{}

func (noDialog) Digit(string) bool    { return false }
func (noDialog) Terminate(bool)       {}
func (noDialog) Send(Message) error   { return errors.New("there is no such dialog") }
func (noDialog) Detached(string) bool { return false }
func (noDialog) HungUp()              {}
