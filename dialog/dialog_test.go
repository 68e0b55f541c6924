package dialog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/fetch"
)

// run is a dialog on a leg, with what its session was told.
type run struct {
	*dialogtest.Leg
	t      *testing.T
	dialog dialog.Dialog
	told   []string
	result *dialog.Result
}

// start starts a dialog in a bubble; change alters the options and the leg.
func start(t *testing.T, r dialog.Request, change func(*dialog.Options, *dialogtest.Leg)) *run {
	t.Helper()
	leg := dialogtest.NewLeg()
	o := dialog.Options{TTSEngine: "flite", TTSVoice: "kal", Clock: clocktest.Real()}
	if change != nil {
		change(&o, leg)
	}
	x := &run{Leg: leg, t: t}
	s := dialog.New(o)
	if r.Type == "" {
		r.Type = "audio/wav"
	}
	if r.Base == "" {
		r.Base = "file:///app/start.ccxml"
	}
	leg.Call(func() {
		x.dialog = s.Start(r, leg, leg.Do, dialog.Events{
			Started:    func() { x.told = append(x.told, "started") },
			NotStarted: func(reason string) { x.told = append(x.told, "notstarted: "+reason) },
			Exited: func(result dialog.Result) {
				x.told = append(x.told, "exit")
				x.result = &result
			},
		})
		if len(x.told) > 0 {
			t.Error("the session was told before it had the dialog")
		}
	})
	return x
}

func (x *run) press(digits string) {
	for _, d := range digits {
		x.Call(func() { x.dialog.Digit(string(d)) })
	}
}

func (x *run) events() string {
	var told string
	x.Call(func() { told = strings.Join(x.told, ", ") })
	return told
}

func (x *run) wantEvents(want string) {
	x.t.Helper()
	if got := x.events(); got != want {
		x.t.Errorf("the session was told %q, want %q", got, want)
	}
}

func (x *run) wantHeard(want ...string) {
	x.t.Helper()
	if got := x.Heard(); !reflect.DeepEqual(got, want) {
		x.t.Errorf("heard %q, want %q", got, want)
	}
}

func (x *run) wantValues(want map[string]any) {
	x.t.Helper()
	x.wantEvents("started, exit")
	if x.result == nil {
		return
	}
	if got := x.result.Values.Object(); !reflect.DeepEqual(got, want) {
		x.t.Errorf("values %v, want %v", got, want)
	}
}

const announcement = "This is an automated call from the H.A.L. 9000 computer system to commander David Bowman.  " +
	"This message is to inform you that all pod bay doors are now closed, and re entry to the Discovery spacecraft is forbidden. Goodbye."

func TestAudio(t *testing.T) {
	tests := []struct {
		name, src string
		change    func(*dialog.Options, *dialogtest.Leg)
		heard     []string
		events    string
	}{
		{"absolute path", "/sounds/a b.wav", known("/sounds/a b.wav"), []string{"/sounds/a b.wav"}, "started, exit"},
		{"file URI", "file:///sounds/a%20b.wav", known("/sounds/a b.wav"), []string{"/sounds/a b.wav"}, "started, exit"},
		{"beside the document", "100%.wav", known("/app/100%.wav"), []string{"/app/100%.wav"}, "started, exit"},
		{"above the document", "../a.wav", known("/a.wav"), []string{"/a.wav"}, "started, exit"},
		{"below dialog.sounds", "../ivr/a.wav", func(o *dialog.Options, l *dialogtest.Leg) {
			o.Sounds = "/usr/share/sounds/"
			known("/usr/share/sounds/ivr/a.wav")(o, l)
		}, []string{"/usr/share/sounds/ivr/a.wav"}, "started, exit"},
		{"dialog.sounds as a URI", "a.wav", func(o *dialog.Options, l *dialogtest.Leg) {
			o.Sounds = "file:///usr/share/my%20sounds/"
			known("/usr/share/my sounds/a.wav")(o, l)
		}, []string{"/usr/share/my sounds/a.wav"}, "started, exit"},
		{"there, so its text is not spoken", "a.wav?text=Hello", known("/app/a.wav"), []string{"/app/a.wav"}, "started, exit"},
		{"not there, so its text is spoken, whole", "someFile.wav?text=" + announcement, nil, []string{"say " + announcement}, "started, exit"},
		{"only text", "null://?text=" + announcement, nil, []string{"say " + announcement}, "started, exit"},
		{"text on several lines", "null://?text=One.\r\nTwo,\n three|four & five?", nil, []string{"say One. Two,  three|four & five?"}, "started, exit"},
		{"encoded text", "null://?text=caf%C3%A9+au+lait", nil, []string{"say café au lait"}, "started, exit"},
		{"a tone", "tone_stream://%(200,0,440)", nil, []string{"tone_stream://%(200,0,440)"}, "started, exit"},
		{"nothing to pronounce", "null://?text=...", nil, []string{"say ..."}, "started, exit"},
		{"variables stay text", "null://?text=${system rm} and $${x}", nil, []string{`say \${system rm} and \$\${x}`}, "started, exit"},
		{"settings of the engine", "null://?text={a=b}hello", nil, []string{"say a=b}hello"}, "started, exit"},
		{"missing", "missing.wav", nil, nil, "notstarted: missing.wav could not be played: FILE NOT FOUND; FreeSWITCH needs /app/missing.wav on its own machine, readable to it, and in a format it has a module for"},
		{"nothing", "null://", nil, nil, "notstarted: src names nothing to play, and no text to speak"},
		{"tones from a file", "tone_stream://path=/etc/passwd", nil, nil, `notstarted: "tone_stream://path=/etc/passwd": tones are not read from files; write them out`},
		{"a tone that fills the memory", "tone_stream://%(99999999999,0,440)", nil, nil, ""},
		{"a tone for ever", "silence_stream://-1", nil, []string{"silence_stream://-1"}, "started, exit"},
		{"a program", "shell_stream:///bin/sh", nil, nil, ""},
		{"a program, by another scheme", "exec:/bin/sh", nil, nil, "notstarted: exec: sources are not played; use a file or an HTTP URI"},
		{"a line end", "/a\nb.wav", nil, nil, `notstarted: "/a\nb.wav" holds control characters`},
		{"another machine's file", "file://host/a.wav", nil, nil, "notstarted: file://host/a.wav does not name a file of this machine"},
		{"forbidden", "/etc/secret.wav?text=no", func(o *dialog.Options, l *dialogtest.Leg) {
			o.AllowFile = func(uri string) error { return fmt.Errorf("%s is not allowed", uri) }
			known("/etc/secret.wav")(o, l)
		}, []string{"say no"}, "started, exit"},
		{"no spool", "http://host/a.wav", nil, nil,
			"notstarted: http://host/a.wav cannot be played: there is no directory for fetched audio; set dialog.spool in the configuration"},
		{"a text of 100 KB", "null://?text=" + strings.Repeat("very ", 20_000), nil, nil, "notstarted: src is longer than 64 KiB"},
		{"a text of 40 KB", "null://?text=" + strings.Repeat("very ", 8_000), nil, nil, "notstarted: the text is longer than 32 KiB"},
		{"bad control", "a.wav?maxdigits=many", nil, nil, `notstarted: src: maxdigits is "many"; expected a number up to 100`},
		{"bad time", "a.wav?timeout=soon", nil, nil,
			`notstarted: src: timeout: "soon" is not a time: write a number with ms or s, such as '500ms' or '1.5s'`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, dialog.Request{Source: test.src}, test.change)
				x.Pass(time.Hour)
				if test.events == "" {
					if !strings.HasPrefix(x.events(), "notstarted: ") {
						t.Errorf("told %q, want that it did not start", x.events())
					}
				} else {
					x.wantEvents(test.events)
				}
				x.wantHeard(test.heard...)
			})
		})
	}
}

// known makes files that last two seconds.
func known(files ...string) func(*dialog.Options, *dialogtest.Leg) {
	return func(_ *dialog.Options, l *dialogtest.Leg) {
		for _, file := range files {
			l.Sounds[file] = 2 * time.Second
		}
	}
}

// TestMissingEngine: FreeSWITCH says nothing about an engine that is not there,
// so the reason has to say what to do.
func TestMissingEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, dialog.Request{Source: "a.wav?text=Hello"}, func(_ *dialog.Options, l *dialogtest.Leg) { l.Engines = nil })
		x.Pass(time.Second)
		told := x.events()
		for _, word := range []string{"notstarted", `"flite"`, "mod_flite", "dialog.tts"} {
			if !strings.Contains(told, word) {
				t.Errorf("told %q, which does not say %s", told, word)
			}
		}
	})
}

func TestStartedWhenHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, dialog.Request{Source: "null://?text=Hello"}, nil)
		x.wantEvents("") // it might still turn out that there is no such engine
		x.Pass(100 * time.Millisecond)
		x.wantEvents("started")
		x.Pass(time.Second)
		x.wantValues(map[string]any{})
	})
}

func TestDigits(t *testing.T) {
	tests := []struct {
		name, query string
		parameters  []dialog.Pair
		act         func(*run)
		values      map[string]any
		heard       []string
	}{
		{"maxdigits, barge-in", "maxdigits=4", nil, func(x *run) { x.Pass(time.Second); x.press("1234") },
			map[string]any{"digits": "1234", "reason": "maxdigits"}, []string{"/a.wav…"}},
		{"after the prompt", "maxdigits=2", nil, func(x *run) { x.Pass(4 * time.Second); x.press("12") },
			map[string]any{"digits": "12", "reason": "maxdigits"}, []string{"/a.wav"}},
		{"term digit", "maxdigits=4&termdigits=#", nil, func(x *run) { x.press("12#") },
			map[string]any{"digits": "12", "termdigit": "#", "reason": "termdigit"}, []string{"/a.wav…"}},
		{"encoded term digits", "termdigits=%23*", nil, func(x *run) { x.press("7*") },
			map[string]any{"digits": "7", "termdigit": "*", "reason": "termdigit"}, []string{"/a.wav…"}},
		{"no digit", "maxdigits=4&timeout=3s", nil, func(x *run) {
			x.Pass(4990 * time.Millisecond)
			x.wantEvents("started")
			x.Pass(20 * time.Millisecond)
		}, map[string]any{"digits": "", "reason": "timeout"}, []string{"/a.wav"}},
		{"no further digit", "maxdigits=4&interdigittimeout=1500ms", nil, func(x *run) {
			x.press("1")
			x.Pass(time.Second)
			x.press("2")
			x.Pass(1490 * time.Millisecond)
			x.wantEvents("started")
			x.Pass(20 * time.Millisecond)
		}, map[string]any{"digits": "12", "reason": "interdigittimeout"}, []string{"/a.wav…"}},
		{"all too slow", "maxdigits=9&interdigittimeout=2s&maxtime=5s", nil, func(x *run) {
			for range 4 {
				x.press("1")
				x.Pass(1900 * time.Millisecond)
			}
		}, map[string]any{"digits": "111", "reason": "maxtime"}, []string{"/a.wav…"}},
		{"maxtime for the first digit too", "maxtime=500", nil, func(x *run) { x.Pass(2600 * time.Millisecond) },
			map[string]any{"digits": "", "reason": "maxtime"}, []string{"/a.wav"}},
		{"no waiting", "timeout=0", nil, func(x *run) { x.Pass(2100 * time.Millisecond) },
			map[string]any{"digits": "", "reason": "timeout"}, []string{"/a.wav"}},
		{"no barge-in", "maxdigits=2&bargein=false", nil, func(x *run) { x.press("12"); x.Pass(3 * time.Second); x.press("34") },
			map[string]any{"digits": "34", "reason": "maxdigits"}, []string{"/a.wav"}},
		{"beep", "maxdigits=1&beep=true", nil, func(x *run) { x.Pass(3 * time.Second); x.press("5") },
			map[string]any{"digits": "5", "reason": "maxdigits"}, []string{"/a.wav", "tone_stream://%(300,0,800)"}},
		{"parameters win", "maxdigits=4", []dialog.Pair{{"maxdigits", "2"}, {"other", "x"}}, func(x *run) { x.press("12") },
			map[string]any{"digits": "12", "reason": "maxdigits"}, []string{"/a.wav…"}},
		{"letters are no digits", "maxdigits=2", nil, func(x *run) { x.press("x1y2") },
			map[string]any{"digits": "12", "reason": "maxdigits"}, []string{"/a.wav…"}},
		{"terminated", "maxdigits=4", nil, func(x *run) { x.press("1"); x.Call(func() { x.dialog.Terminate(false) }) },
			map[string]any{"digits": "1", "reason": "terminated"}, []string{"/a.wav…"}},
		{"terminated at once", "maxdigits=4", nil, func(x *run) { x.press("1"); x.Call(func() { x.dialog.Terminate(true) }) },
			map[string]any{}, []string{"/a.wav…"}},
		{"hung up", "maxdigits=4", nil, func(x *run) { x.press("1"); x.Call(func() { x.dialog.HungUp() }) },
			map[string]any{"digits": "1", "reason": "hangup"}, []string{"/a.wav…"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, dialog.Request{Source: "/a.wav?" + test.query, Parameters: test.parameters}, known("/a.wav"))
				x.wantEvents("started")
				test.act(x)
				x.Pass(time.Nanosecond)
				x.wantValues(test.values)
				x.wantHeard(test.heard...)
				x.press("1") // nobody listens
				x.Pass(time.Hour)
				x.wantValues(test.values)
			})
		})
	}
}

// TestOneExit: whatever comes after the end of a dialog, it ends once (DLG-24).
func TestOneExit(t *testing.T) {
	acts := map[string]func(x *run){
		"terminate":    func(x *run) { x.dialog.Terminate(false) },
		"immediate":    func(x *run) { x.dialog.Terminate(true) },
		"hungup":       func(x *run) { x.dialog.HungUp() },
		"twice":        func(x *run) { x.dialog.Terminate(false); x.dialog.Terminate(true) },
		"then hungup":  func(x *run) { x.dialog.Terminate(false); x.dialog.HungUp() },
		"hungup first": func(x *run) { x.dialog.HungUp(); x.dialog.Terminate(false) },
	}
	for name, act := range acts {
		for _, wait := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second} {
			t.Run(fmt.Sprintf("%s after %s", name, wait), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x := start(t, dialog.Request{Source: "/a.wav"}, known("/a.wav"))
					x.Pass(wait)
					x.Call(func() { act(x) })
					x.HangUp()
					x.Pass(time.Hour)
					x.wantEvents("started, exit")
				})
			})
		}
	}
}

// TestBeforeItBegins: a dialog that ends in the goroutine's turn in which it was
// started.
func TestBeforeItBegins(t *testing.T) {
	for name, test := range map[string]struct {
		act  func(dialog.Dialog)
		want string
	}{
		"terminated": {func(d dialog.Dialog) { d.Terminate(false) }, "started exit"},
		"hung up":    {func(d dialog.Dialog) { d.HungUp() }, "notstarted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leg := dialogtest.NewLeg()
				var told []string
				leg.Call(func() {
					test.act(dialog.New(dialog.Options{Clock: clocktest.Real()}).Start(dialog.Request{Source: "/a.wav", Type: "audio/wav"}, leg, leg.Do, dialog.Events{
						Started:    func() { told = append(told, "started") },
						NotStarted: func(string) { told = append(told, "notstarted") },
						Exited:     func(dialog.Result) { told = append(told, "exit") },
					}))
				})
				leg.Pass(time.Hour)
				if got := strings.Join(told, " "); got != test.want {
					t.Errorf("told %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestLegGoneInPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, dialog.Request{Source: "/a.wav?maxdigits=1"}, known("/a.wav"))
		x.Pass(time.Second)
		x.HangUp()
		x.wantValues(map[string]any{"digits": "", "reason": "hangup"})
		if x.Breaks() != 0 {
			t.Error("a leg that is gone was sent a break")
		}
	})
}

// pages answers fetches.
type pages map[string]fetch.Response

func (p pages) Fetch(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
	response, ok := p[r.URI]
	if !ok {
		return nil, errors.New(r.URI + ": 404 Not Found")
	}
	if response.Status == 1 { // never answers
		<-ctx.Done()
		return nil, ctx.Err()
	}
	response.URI = r.URI
	return &response, nil
}

func TestFetchedAudio(t *testing.T) {
	spool := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		server := pages{"http://host/a.php?id=7": {ContentType: "audio/mpeg", Body: []byte("sound")}}
		change := func(o *dialog.Options, l *dialogtest.Leg) {
			o.Fetcher, o.Spool = server, spool
			known(filepath.Join(spool, "3c8f0ccfb50f2c0a36db5b12cab4d7b9.mp3"))(o, l)
		}
		x := start(t, dialog.Request{Source: "a.php?id=7&text=Hello", Base: "http://host/start.ccxml"}, change)
		x.Pass(10 * time.Second)
		x.wantEvents("started, exit")
		files, err := os.ReadDir(spool)
		if err != nil || len(files) != 1 {
			t.Fatalf("spool: %v, %v", files, err)
		}
		file := filepath.Join(spool, files[0].Name())
		if body, _ := os.ReadFile(file); string(body) != "sound" || filepath.Ext(file) != ".mp3" {
			t.Errorf("spool has %s: %q", file, body)
		}
		leg := func(o *dialog.Options, l *dialogtest.Leg) { change(o, l); known(file)(o, l) }
		x = start(t, dialog.Request{Source: "http://host/a.php?id=7"}, leg)
		x.Pass(10 * time.Second)
		x.wantHeard(file)
		x = start(t, dialog.Request{Source: "http://host/b.wav?text=Sorry"}, leg)
		x.Pass(10 * time.Second)
		x.wantHeard("say Sorry")
		x = start(t, dialog.Request{Source: "http://host/b.wav"}, leg)
		x.Pass(10 * time.Second)
		x.wantEvents("notstarted: http://host/b.wav: 404 Not Found")
	})
}

// TestEndWhileFetching: the fetch ends with the dialog; a bubble whose
// goroutines do not end fails.
func TestEndWhileFetching(t *testing.T) {
	spool := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := start(t, dialog.Request{Source: "http://host/slow.wav"}, func(o *dialog.Options, _ *dialogtest.Leg) {
			o.Fetcher, o.Spool = pages{"http://host/slow.wav": {Status: 1}}, spool
		})
		x.wantEvents("")
		x.Call(func() { x.dialog.Terminate(false) })
		x.Pass(time.Second)
		x.wantEvents("started, exit")
	})
}

func TestText(t *testing.T) {
	server := pages{
		"http://host/hello.txt": {ContentType: "text/plain", Body: []byte("Hello,\nworld.")},
		"http://host/hello.xml": {Body: []byte(`<?xml version="1.0"?><speak version="1.0"><!-- x --> Fish &amp; <emphasis>chips</emphasis></speak>`)},
		"http://host/empty.txt": {},
	}
	tests := []struct{ name, mediaType, src, engine, heard, events string }{
		{"data", "text/plain", "data:text/plain,One, two. Three?", "flite", "say One, two. Three?", "started, exit"},
		{"encoded data", "text/plain; charset=utf-8", "data:,One%2C%20two", "flite", "say One, two", "started, exit"},
		{"base64", "text/plain", "data:text/plain;base64,SGVsbG8=", "flite", "say Hello", "started, exit"},
		{"fetched", "text/plain", "hello.txt", "flite", "say Hello, world.", "started, exit"},
		{"text of the query", "text/plain", "missing.txt?text=Sorry, no text.", "flite", "say Sorry, no text.", "started, exit"},
		{"SSML for an engine that knows it", "application/ssml+xml", "hello.xml", "google",
			`say <?xml version="1.0"?><speak version="1.0"><!-- x --> Fish &amp; <emphasis>chips</emphasis></speak>`, "started, exit"},
		{"SSML for flite", "application/ssml+xml", "hello.xml", "flite", "say Fish & chips", "started, exit"},
		{"inline SSML", "application/ssml+xml", "data:application/ssml+xml,<speak>One <break/> two</speak>", "flite", "say One two", "started, exit"},
		{"not there", "text/plain", "missing.txt", "flite", "", "notstarted: http://host/missing.txt: 404 Not Found"},
		{"empty", "text/plain", "empty.txt", "flite", "", "notstarted: empty.txt is empty"},
		{"no comma", "text/plain", "data:Hello", "flite", "", "notstarted: a data: URI needs a comma before its data, as in data:text/plain,Hello"},
		{"no engine", "text/plain", "data:,Hello", "", "", "notstarted: no text-to-speech engine is configured; set dialog.tts in the configuration"},
		{"unknown type", "video/mp4", "a.mp4", "flite", "", `notstarted: dialogs of type "video/mp4" are not supported; expected a VoiceXML page, audio/wav, text/plain, application/ssml+xml or application/x-record`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := start(t, dialog.Request{Source: test.src, Type: test.mediaType, Base: "http://host/start.ccxml"},
					func(o *dialog.Options, l *dialogtest.Leg) {
						o.Fetcher, o.TTSEngine = server, test.engine
						l.Engines["google"] = true
					})
				x.Pass(time.Hour)
				x.wantEvents(test.events)
				if got := strings.Join(x.Heard(), " "); got != test.heard {
					t.Errorf("heard %q, want %q", got, test.heard)
				}
			})
		})
	}
}

// TestSessionEnded: a dialog whose session has ended plays nothing and leaves
// nothing behind.
func TestSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leg := dialogtest.NewLeg()
		leg.Close()
		d := dialog.New(dialog.Options{Clock: clocktest.Real()}).Start(dialog.Request{Source: "/a.wav", Type: "audio/wav"}, leg, leg.Do, dialog.Events{
			NotStarted: func(string) { t.Error("told after the end of the session") },
		})
		d.Digit("1")
	})
}
