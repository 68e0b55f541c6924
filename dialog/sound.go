package dialog

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ccxmld/fetch"
)

// schemeOf gives a URI's scheme in lower case, "" for a relative reference.
// FreeSWITCH's schemes have underscores in them.
func schemeOf(uri string) string {
	for i := range len(uri) {
		switch c := uri[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.' || c == '_'):
		case i > 0 && c == ':':
			return strings.ToLower(uri[:i])
		default:
			return ""
		}
	}
	return ""
}

// isNothing tells whether a source names nothing to play: null://?text=….
func isNothing(uri string) bool { return uri == "" || schemeOf(uri) == "null" }

// locate finds what a source stands for: a path that FreeSWITCH plays, or an
// HTTP URI that has to be fetched. FreeSWITCH knows more kinds of sources, some
// of which run programs; documents get files, tones and silence only.
func (s *Service) locate(source, base string) (file, remote string, err error) {
	if strings.ContainsFunc(source, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", fmt.Errorf("%q holds control characters", source)
	}
	scheme := schemeOf(source)
	if scheme == "" && !s.isRecording(source) {
		if s.options.Sounds != "" && !strings.HasPrefix(source, "/") {
			return s.belowSounds(source)
		}
		if source, err = resolve(base, source); err != nil {
			return "", "", err
		}
		scheme = schemeOf(source)
	}
	switch scheme {
	case "":
		file = path.Clean(source)
	case "file":
		if file, err = filePath(source); err != nil {
			return "", "", err
		}
	case "http", "https":
		return "", source, nil
	case "tone_stream", "silence_stream":
		return source, "", checkTones(source)
	default:
		return "", "", fmt.Errorf("%s: sources are not played; use a file or an HTTP URI", scheme)
	}
	if s.options.AllowFile != nil {
		err = s.options.AllowFile(fileURI(file))
	}
	return file, "", err
}

const (
	longestTones = 1000             // characters of a script of tones
	longestTone  = 10 * time.Minute // FreeSWITCH makes the whole tone before it plays it
)

var numberInTones = regexp.MustCompile(`\d+`)

// checkTones refuses what a tone_stream or silence_stream may do beside sounding:
// read its script from a file (path=, mod_tone_stream), which documents.allow does
// not know of, and fill FreeSWITCH's memory with one tone.
func checkTones(source string) error {
	_, script, _ := strings.Cut(source, "://")
	switch {
	case len(script) > longestTones:
		return fmt.Errorf("the tones of %q are longer than %d characters", shorten(source), longestTones)
	case strings.HasPrefix(strings.ToLower(script), "path="):
		return fmt.Errorf("%q: tones are not read from files; write them out", shorten(source))
	}
	for _, text := range numberInTones.FindAllString(script, -1) {
		if n, err := strconv.ParseInt(text, 10, 64); err != nil || n > longestTone.Milliseconds() {
			return fmt.Errorf("%q: %s is too long; a tone may last up to %s, and loops=-1 repeats it", shorten(source), shorten(text), longestTone)
		}
	}
	return nil
}

// isRecording tells whether a source is the path of a recording, as RecordingFile names
// them: documents get it from us, wherever they are.
func (s *Service) isRecording(source string) bool {
	folder := strings.TrimSuffix(s.options.Recordings, "/")
	return folder != "" && strings.HasPrefix(path.Clean(source), folder+"/")
}

// resolve resolves a relative source against the document that names it (RFC 3986, 5.2):
// one that begins with a slash is a path of this machine for a document that is a file
// itself, and else of the document's server.
func resolve(base, source string) (string, error) {
	scheme := schemeOf(base)
	switch isPath := strings.HasPrefix(source, "/"); {
	case scheme == "http" || scheme == "https":
		return fetch.Resolve(base, source)
	case strings.HasPrefix(source, "//"): // as file:, with its rules for hosts
		return "file:" + source, nil
	case isPath:
		return source, nil
	case scheme == "file": // with the source as it is: names have spaces and percent signs
		document, err := filePath(base)
		return path.Join(path.Dir(document), source), err
	case scheme == "" && strings.HasPrefix(base, "/"):
		return path.Join(path.Dir(base), source), nil
	}
	return "", fmt.Errorf("%s is relative, but the document %q is nowhere that sounds could be; set dialog.sounds in the configuration", source, base)
}

// belowSounds resolves a relative source against dialog.sounds, which it cannot
// leave.
func (s *Service) belowSounds(source string) (file, remote string, err error) {
	below := path.Clean("/" + source)
	switch scheme := schemeOf(s.options.Sounds); scheme {
	case "http", "https":
		remote, err = fetch.Resolve(strings.TrimSuffix(s.options.Sounds, "/")+"/", "."+escapePath(source))
		return "", remote, err
	case "file":
		folder, err := filePath(s.options.Sounds)
		return path.Join(folder, below), "", err
	default:
		return path.Join(s.options.Sounds, below), "", nil
	}
}

// escapePath makes a cleaned path of a relative reference, and keeps its query.
func escapePath(source string) string {
	name, query, hasQuery := strings.Cut(source, "?")
	below := path.Clean("/" + name)
	if _, err := url.PathUnescape(below); err != nil {
		below = (&url.URL{Path: below}).EscapedPath()
	}
	if hasQuery {
		below += "?" + query
	}
	return below
}

// filePath gives the path of a file: URI on this machine, which may be written
// with raw spaces.
func filePath(uri string) (string, error) {
	rest := uri[len("file:"):]
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		host, name, found := strings.Cut(authority, "/")
		if !found || host != "" && host != "localhost" {
			return "", fmt.Errorf("%s does not name a file of this machine", uri)
		}
		rest = "/" + name
	}
	name, _, _ := strings.Cut(rest, "?")
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	if !strings.HasPrefix(name, "/") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%s does not name a file", uri)
	}
	return path.Clean(name), nil
}

func fileURI(file string) string { return (&url.URL{Scheme: "file", Path: file}).String() }

// playAudio plays a source, which is fetched before if it comes by HTTP.
func (c *Conversation) playAudio(t *turn, p Prompt) {
	switch {
	case p.file != "" && c.hold(p.file):
		c.playback(t, p, p.file)
		return
	case p.Recorded:
		c.playback(t, p, p.Source)
		return
	}
	file, remote, err := c.service.locate(p.Source, p.Base)
	switch {
	case err != nil:
		c.failed(t, p, err.Error())
	case remote == "":
		c.playback(t, p, file)
	case c.service.spool == nil:
		c.failed(t, p, noSpool(remote).Error())
	default:
		fetched := func(file string, err error) {
			switch {
			case c.turn != t || t.listening:
			case err != nil:
				c.failed(t, p, err.Error())
			default:
				c.hold(file)
				c.playback(t, p, file)
			}
		}
		c.background(func(ctx context.Context) func() {
			file, err := c.service.fetchAudio(ctx, remote, p.Fetch)
			return func() { fetched(file, err) }
		}, func(err error) { fetched("", err) })
	}
}

// hold keeps fetched audio where it is while it plays, in place of what was played
// before; false tells that it is not there any more.
func (c *Conversation) hold(file string) (there bool) {
	if c.service.spool == nil {
		return true
	}
	release, there := c.service.spool.Hold(file)
	if there {
		c.release()
		c.held = release
	}
	return there
}

// release gives up what was played.
func (c *Conversation) release() {
	if c.held != nil {
		c.held()
		c.held = nil
	}
}

func (s *Service) fetchAudio(ctx context.Context, uri string, how *Fetch) (file string, err error) {
	response, err := s.get(ctx, s.options.Audio, uri, how)
	if err != nil {
		return "", err
	}
	return s.keep(response)
}

// Sound gives what FreeSWITCH plays for a source: a path, or a tone_stream. Audio by
// HTTP is fetched first. It blocks, and may be called in any goroutine.
func (s *Service) Sound(ctx context.Context, source, base string) (string, error) {
	file, remote, err := s.locate(source, base)
	switch {
	case err != nil || remote == "":
		return file, err
	case s.spool == nil:
		return "", noSpool(remote)
	}
	return s.fetchAudio(ctx, remote, nil)
}

// SpeaksMarkup tells whether the text-to-speech engine takes SSML.
func (s *Service) SpeaksMarkup() bool { return s.voice.knowsSSML() }

var errNoFetcher = errors.New("nothing can be fetched here")

// Fetch gets a resource, under the policy of the service's Fetcher. how may be
// nil. It blocks, and may be called in any goroutine.
func (s *Service) Fetch(ctx context.Context, uri string, how *Fetch) (*fetch.Response, error) {
	fetcher := s.options.Fetcher
	switch {
	case how == nil:
	case len(how.Recordings) > 0:
		fetcher = s.options.Uploads
	case how.Intake:
		fetcher = s.options.Intake
	}
	return s.get(ctx, fetcher, uri, how)
}

func (s *Service) get(ctx context.Context, fetcher Fetcher, uri string, how *Fetch) (*fetch.Response, error) {
	if fetcher == nil {
		return nil, errNoFetcher
	}
	r := fetch.Request{URI: uri}
	if how != nil {
		r.Cookies = how.Cookies
		r.Method, r.Enctype, r.Timeout, r.MaxAge, r.MaxStale = how.Method, how.Enctype, how.Timeout, how.MaxAge, how.MaxStale
		for _, p := range how.Form {
			r.Form = append(r.Form, fetch.Pair{Name: p.Name, Value: p.Value})
		}
		for _, p := range how.Recordings {
			pair, err := s.upload(p.Name, p.Value)
			if err != nil {
				return nil, err
			}
			r.Form = append(r.Form, pair)
		}
	}
	return fetcher.Fetch(ctx, r)
}

// background runs work in a goroutine that ends with the conversation, and then
// what work returns in the session's goroutine; refused if there is too much of it.
func (c *Conversation) background(work func(context.Context) func(), refused func(error)) {
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(context.Background())
	}
	unlessClosed := func(f func()) {
		c.do(func() {
			if !c.closed {
				f()
			}
		})
	}
	ctx := c.ctx
	err := c.service.Background(c.cancel, func() { unlessClosed(work(ctx)) })
	if err != nil {
		unlessClosed(func() { refused(err) })
	}
}
