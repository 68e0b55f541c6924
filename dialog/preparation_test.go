package dialog_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/fetch"
)

// TestPrepare (DLG-4): what can be found out before the start is, and the start
// asks no server again.
func TestPrepare(t *testing.T) {
	spool := t.TempDir()
	file := filepath.Join(spool, "dd29442deca69f52c50006b831cb216e.wav")
	tests := []struct {
		name, source, kind string
		problem            string // of the preparation
		heard              []string
	}{
		{"audio by HTTP", "http://host/a.wav", "audio/wav", "", []string{file}},
		{"audio that is not there", "http://host/b.wav", "audio/wav", "http://host/b.wav: 404 Not Found", nil},
		{"audio that is not there, with a text", "http://host/b.wav?text=Hello", "audio/wav", "", []string{"say Hello"}},
		{"a file, which only FreeSWITCH can see", "/gone.wav?text=Hello", "audio/wav", "", []string{"say Hello"}},
		{"what is not played", "shout://host/radio", "audio/wav", "shout: sources are not played; use a file or an HTTP URI", nil},
		{"nothing", "null:", "audio/wav", "src names nothing to play, and no text to speak", nil},
		{"text", "http://host/a.txt", "text/plain", "", []string{"say Hello there"}},
		{"text that is not there", "http://host/b.txt", "text/plain", "http://host/b.txt: 404 Not Found", nil},
		{"text that is not there, with another", "http://host/b.txt?text=Hello", "text/plain", "", []string{"say Hello"}},
		{"text at hand", "data:,Hello", "text/plain", "", []string{"say Hello"}},
		{"no such kind", "a.mp4", "video/mp4",
			`dialogs of type "video/mp4" are not supported; expected a VoiceXML page, audio/wav, text/plain, application/ssml+xml or application/x-record`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := pages{
					"http://host/a.wav": {ContentType: "audio/wav", Body: []byte("sound")},
					"http://host/a.txt": {ContentType: "text/plain", Body: []byte("Hello there")},
				}
				leg := dialogtest.NewLeg()
				leg.Sounds[file] = time.Second
				s := dialog.New(dialog.Options{TTSEngine: "flite", Clock: clocktest.Real(), Fetcher: server, Spool: spool})
				told := []string{}
				var p *dialog.Preparation
				leg.Call(func() {
					p = s.Prepare(dialog.Request{ID: "d", Source: test.source, Type: test.kind}, leg.Do, func(err error) {
						told = append(told, "prepared")
						if err != nil {
							told[0] = err.Error()
						}
					})
				})
				if test.problem != "" {
					if !reflect.DeepEqual(told, []string{test.problem}) || p.Ready() {
						t.Errorf("told %q, want %q", told, test.problem)
					}
					return
				}
				clear(server)
				leg.Call(func() {
					p.Start(dialog.Request{}, leg, leg.Do, dialog.Events{
						Started: func() { told = append(told, "started") }, NotStarted: func(reason string) { told = append(told, reason) },
						Exited: func(dialog.Result) { told = append(told, "exit") },
					})
				})
				leg.Pass(time.Minute)
				if want := []string{"prepared", "started", "exit"}; !reflect.DeepEqual(told, want) {
					t.Errorf("told %q, want %q", told, want)
				}
				if heard := leg.Heard(); !reflect.DeepEqual(heard, test.heard) {
					t.Errorf("heard %q, want %q", heard, test.heard)
				}
			})
		})
	}
}

// TestPrepareDiscarded: a preparation that is thrown away ends its fetch and
// tells nobody; so does one whose session ends.
func TestPrepareDiscarded(t *testing.T) {
	spool := t.TempDir()
	for _, end := range []func(*dialogtest.Leg, *dialog.Preparation){
		func(l *dialogtest.Leg, p *dialog.Preparation) { l.Call(p.Discard) },
		func(l *dialogtest.Leg, p *dialog.Preparation) { l.Close(); p.Discard() },
	} {
		synctest.Test(t, func(t *testing.T) {
			leg := dialogtest.NewLeg()
			s := dialog.New(dialog.Options{Clock: clocktest.Real(), Spool: spool, Fetcher: pages{"http://host/slow.wav": fetch.Response{Status: 1}}})
			var p *dialog.Preparation
			leg.Call(func() {
				p = s.Prepare(dialog.Request{Source: "http://host/slow.wav", Type: "audio/wav"}, leg.Do, func(err error) { t.Errorf("told %v", err) })
			})
			end(leg, p)
		})
	}
}
