package dialog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/fetch"
	"ccxmld/spool"
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
	// SpoolBounds and RecordingBounds say how much of either stays, and how long.
	SpoolBounds, RecordingBounds spool.Bounds
	// AllowFile decides whether FreeSWITCH may be told to play a file; nil
	// allows all. Files below Sounds are always allowed.
	AllowFile func(uri string) error
	// Fetcher gets texts and VoiceXML documents, Intake those that a call waits for
	// before it is answered, Audio gets audio, which may be larger, and Uploads sends
	// recordings away, which may take long; Fetcher stands in for those that are nil.
	Fetcher, Intake, Audio, Uploads Fetcher
	Clock                           clock.Clock // nil: the one on the wall
	Logger                          *slog.Logger
}

// Service starts dialogs. Its methods are safe for concurrent use, except
// Handle.
type Service struct {
	options    Options
	voice      voice
	spool      *spool.Audio      // nil for none
	recordings *spool.Recordings // nil for none
	types      map[string]starts
	texts      *fetch.Versions[Prompt] // that were fetched to be spoken

	unspoken, unkept lasting

	context context.Context // ends what outlives its dialog's leg
	cancel  context.CancelFunc
	work    clock.Group

	most    int // pages, fetches and preparations at a time
	uploads int // of recordings that may be sent away at a time
	mu      sync.Mutex
	running map[int64]context.CancelFunc // what they are ended by
	sending int                          // uploads under way, or waiting for their turn
	last    int64                        // of them, ever
	crowded bool                         // which was logged
	closed  bool
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
	if o.Intake == nil {
		o.Intake = o.Fetcher
	}
	if o.Audio == nil {
		o.Audio = o.Fetcher
	}
	if o.Uploads == nil {
		o.Uploads = o.Fetcher
	}
	o.Clock = clock.Or(o.Clock)
	s := &Service{options: o, voice: voice{o.TTSEngine, o.TTSVoice}, types: make(map[string]starts), texts: fetch.NewVersions[Prompt](o.Clock, maxTexts)}
	s.context, s.cancel = context.WithCancel(context.Background())
	s.unspoken.begin(o, "texts are not spoken", "texts are spoken again")
	s.unkept.begin(o, "fetched audio cannot be kept for FreeSWITCH to play", "fetched audio can be kept again")
	s.most, s.uploads, s.running = maxWork, maxUploads, make(map[int64]context.CancelFunc)
	if o.Spool != "" {
		s.spool = spool.NewAudio(o.Spool, o.SpoolBounds, o.Logger)
	}
	if o.Recordings != "" {
		s.recordings = spool.NewRecordings(o.Recordings, o.RecordingBounds, o.Logger)
	}
	s.Handle(s.startRecording, prepareRecording, RecordingType)
	return s
}

// Close waits for what is still being uploaded, and gives it up when ctx ends. It is
// called when no session is there any more; pages that still run end.
func (s *Service) Close(ctx context.Context) error {
	s.end()
	err := s.work.Wait(ctx, s.options.Clock)
	if err != nil {
		err = fmt.Errorf("recordings are given up while they are uploaded: %w", context.Cause(ctx))
	}
	s.cancel()
	last, cancel := clock.WithTimeout(context.WithoutCancel(ctx), s.options.Clock, endPatience)
	defer cancel()
	if s.work.Wait(last, s.options.Clock) != nil {
		err = errors.Join(err, errors.New("what is under way for dialogs does not end"))
	}
	if s.spool != nil {
		err = errors.Join(err, s.spool.Close())
	}
	return err
}

const (
	// maxWork bounds the goroutines of dialogs: one for each page that runs, and one
	// for each fetch.
	maxWork = 50_000
	// maxUploads bounds the uploads of recordings, each of which has a goroutine.
	maxUploads = 10_000
	// maxTexts bounds the bytes of fetched texts that are kept.
	maxTexts = 8 << 20
	// endPatience is how long what is given up may take to end.
	endPatience = time.Second
)

// Background runs work for a dialog in a goroutine of the service's, which calls cancel
// if it closes before. The error tells that there is too much of it.
func (s *Service) Background(cancel context.CancelFunc, work func()) error {
	begun, tell := s.begin(cancel, work)
	switch {
	case begun:
		return nil
	case tell:
		s.options.Logger.Error("dialogs are refused: too much is under way for them already", "most", s.most)
	}
	return fmt.Errorf("%d pages and fetches of dialogs are under way already, or ccxmld ends", s.most)
}

// begin begins work unless there is too much; tell says that this is to be logged.
func (s *Service) begin(cancel context.CancelFunc, work func()) (begun, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.running) >= s.most {
		tell = !s.closed && !s.crowded
		s.crowded = true
		return false, tell
	}
	s.crowded = s.crowded && len(s.running) > s.most/2 // which is logged once
	s.last++
	id := s.last
	s.running[id] = cancel
	s.work.Go(s.options.Clock, func() {
		defer s.ended(id)
		work()
	})
	return true, false
}

func (s *Service) ended(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}

// end tells all that is under way for dialogs to end.
func (s *Service) end() {
	s.mu.Lock()
	s.closed = true
	running := slices.Collect(maps.Values(s.running))
	s.mu.Unlock()
	for _, cancel := range running {
		cancel()
	}
}

// startUpload runs work in a goroutine of the service's, which leg and session do not
// end. cancel gives it up.
func (s *Service) startUpload(work func(context.Context)) (cancel context.CancelFunc, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending >= s.uploads {
		return nil, fmt.Errorf("%d recordings are being uploaded already", s.sending)
	}
	s.sending++
	ctx, cancel := context.WithCancel(s.context)
	s.work.Go(s.options.Clock, func() {
		defer s.uploadOver()
		defer cancel()
		work(ctx)
	})
	return cancel, nil
}

func (s *Service) uploadOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending--
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
