package dialog_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/dialog"
	"ccxmld/dialog/dialogtest"
	"ccxmld/fetch"
)

// recorded runs a recording of a party who speaks for an hour, and gives what it
// ends in.
func recorded(t *testing.T, folder, src string, during func(*dialogtest.Leg, dialog.Dialog)) (events []string, result dialog.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		leg := dialogtest.NewLeg()
		file := filepath.Join(folder, "recording-d1.wav")
		for _, argument := range []string{file + " 60", file + " 30", file + " 30 200 3"} {
			leg.Sounds[argument] = 30 * time.Second
		}
		service := dialog.New(dialog.Options{Recordings: folder, Clock: clocktest.Real(), Fetcher: uploads{&events}})
		var d dialog.Dialog
		leg.Call(func() {
			d = service.Start(dialog.Request{ID: "d1", Source: src, Type: dialog.RecordingType, Base: "http://host/doc.ccxml"}, leg, leg.Do, dialog.Events{
				Started:    func() { events = append(events, "started") },
				NotStarted: func(reason string) { events = append(events, "not started: "+reason) },
				Exited:     func(r dialog.Result) { events = append(events, "exited"); result = r },
			})
		})
		leg.Pass(time.Second) // the beep is over
		during(leg, d)
		synctest.Wait()
		events = append(leg.Heard(), events...)
		leg.Close()
	})
	return events, result
}

// uploads is a web server that notes what is posted to it.
type uploads struct{ events *[]string }

// slowUploads is one that takes its time, and hears of those that give up.
type slowUploads struct {
	came, done chan struct{}
	gaveUp     error
	status     int // of the answer; 201 is the usual one
}

func (u *slowUploads) Fetch(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
	close(u.came)
	select {
	case <-u.done:
	case <-ctx.Done():
		u.gaveUp = ctx.Err()
		return nil, ctx.Err()
	}
	if u.status != http.StatusCreated {
		return nil, &fetch.Error{URI: r.URI, Status: u.status, Reason: "no"}
	}
	return &fetch.Response{URI: r.URI, Status: u.status}, nil
}

// TestUploadOutlivesTheLeg: however the leg is lost, while the party is recorded or
// while the recording is uploaded, the upload is made and the dialog exits with
// what came of it; only immediate termination gives it up.
func TestUploadOutlivesTheLeg(t *testing.T) {
	hangUp := func(leg *dialogtest.Leg, d dialog.Dialog) {
		leg.HangUp()
		leg.Call(d.HungUp)
	}
	detach := func(leg *dialogtest.Leg, d dialog.Dialog) {
		leg.Call(func() {
			if !d.Detached("taken") {
				t.Error("it did not stay for its upload")
			}
		})
	}
	for name, test := range map[string]struct {
		recording, uploading func(*dialogtest.Leg, dialog.Dialog) // what happens meanwhile; nil for nothing
		status               int
		reason, why          string
	}{
		"hung up while recorded":      {hangUp, nil, 201, "hangup", ""},
		"hung up while uploaded":      {nil, hangUp, 201, "maxtime", ""},
		"hung up, and refused":        {hangUp, nil, 507, "hangup", "the recording was not uploaded: http://host/messages: no"},
		"detached while recorded":     {detach, nil, 201, "terminated", "taken"},
		"detached while uploaded":     {nil, detach, 201, "maxtime", ""},
		"detached, then hung up":      {detach, hangUp, 201, "terminated", "taken"},
		"terminated while uploaded":   {nil, func(l *dialogtest.Leg, d dialog.Dialog) { l.Call(func() { d.Terminate(false) }) }, 201, "maxtime", ""},
		"terminated at once while so": {nil, func(l *dialogtest.Leg, d dialog.Dialog) { l.Call(func() { d.Terminate(true) }) }, 0, "", ""},
		"hung up, then terminated so": {hangUp, func(l *dialogtest.Leg, d dialog.Dialog) { l.Call(func() { d.Terminate(true) }) }, 0, "", ""},
		"terminated while recorded":   {func(l *dialogtest.Leg, d dialog.Dialog) { l.Call(func() { d.Terminate(false) }) }, hangUp, 201, "terminated", ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "recording-d1.wav")
			if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				web := &slowUploads{came: make(chan struct{}), done: make(chan struct{}), status: test.status}
				leg := dialogtest.NewLeg()
				leg.Sounds[file+" 60"] = time.Minute
				service := dialog.New(dialog.Options{Recordings: folder, Clock: clocktest.Real(), Uploads: web})
				var d dialog.Dialog
				var exits []dialog.Result
				leg.Call(func() {
					d = service.Start(dialog.Request{ID: "d1", Source: "http://host/messages?beep=no", Type: dialog.RecordingType}, leg, leg.Do, dialog.Events{
						Started: func() {}, NotStarted: func(reason string) { t.Error(reason) },
						Exited: func(r dialog.Result) { exits = append(exits, r) },
					})
				})
				leg.Pass(time.Second)
				if test.recording != nil {
					test.recording(leg, d)
				}
				leg.Pass(time.Minute)
				<-web.came
				if test.uploading != nil {
					test.uploading(leg, d)
				}
				if test.status != 0 {
					if len(exits) != 0 {
						t.Errorf("it exited before the upload was over: %v", exits)
					}
					close(web.done)
				}
				synctest.Wait()
				if len(exits) != 1 {
					t.Fatalf("%d exits", len(exits))
				}
				values := exits[0].Values.Object()
				if test.status == 0 {
					if len(values) != 0 || web.gaveUp == nil {
						t.Errorf("it returned %v; the upload ended with %v", values, web.gaveUp)
					}
				} else if values["file"] != file || values["reason"] != test.reason || values["statuscode"] != test.status || exits[0].Reason != test.why {
					t.Errorf("it returned %v, %q", values, exits[0].Reason)
				}
				leg.Close()
				if err := service.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestCloseWaitsForUploads: an upload is made though its session has ended, and the
// service's end waits for it as long as it may.
func TestCloseWaitsForUploads(t *testing.T) {
	for _, patient := range []bool{true, false} {
		folder := t.TempDir()
		file := filepath.Join(folder, "recording-d1.wav")
		if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			web := &slowUploads{came: make(chan struct{}), done: make(chan struct{}), status: 201}
			leg := dialogtest.NewLeg()
			leg.Sounds[file+" 60"] = time.Minute
			service := dialog.New(dialog.Options{Recordings: folder, Clock: clocktest.Real(), Uploads: web})
			leg.Call(func() {
				service.Start(dialog.Request{ID: "d1", Source: "http://host/messages?beep=no", Type: dialog.RecordingType}, leg, leg.Do, dialog.Events{
					Started: func() {}, Exited: func(dialog.Result) { t.Error("a session that has ended was told") },
				})
			})
			leg.Pass(2 * time.Minute)
			<-web.came
			leg.Close() // the session has ended
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if patient {
				time.AfterFunc(time.Second/2, func() { close(web.done) })
			}
			if err := service.Close(ctx); (err == nil) != patient || (web.gaveUp == nil) != patient {
				t.Errorf("patient: %v: %v; the upload ended with %v", patient, err, web.gaveUp)
			}
		})
	}
}

func (u uploads) Fetch(_ context.Context, r fetch.Request) (*fetch.Response, error) {
	*u.events = append(*u.events, "posted "+string(r.Body)+" as "+r.ContentType+" to "+r.URI)
	return &fetch.Response{URI: r.URI, Status: 201}, nil
}

const beepHeard = "tone_stream://%(300,0,800)"

func TestRecordingEndsByDigit(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "recording-d1.wav")
	events, result := recorded(t, folder, "null:?termdigits=9", func(leg *dialogtest.Leg, d dialog.Dialog) {
		leg.Pass(5 * time.Second)
		leg.Call(func() { d.Digit("1") })
		leg.Call(func() { d.Digit("9") })
	})
	if want := []string{beepHeard, file + " 60…", "started", "exited"}; !slices.Equal(events, want) {
		t.Errorf("it did %q, expected %q", events, want)
	}
	values := result.Values.Object()
	if values["file"] != file || values["termdigit"] != "9" || values["reason"] != "termdigit" || values["duration"].(int64) < 5000 {
		t.Errorf("it returned %v", values)
	}
}

func TestRecordingEndsByItself(t *testing.T) {
	for src, want := range map[string]struct{ reason, app string }{
		"null:?maxtime=30s":                            {"maxtime", " 30"},
		"null:?maxtime=29.2s&finalsilence=3s&beep=no":  {"maxtime", " 30 200 3"},
		"null:?maxtime=30000&beep=false&termdigits=12": {"maxtime", " 30"},
	} {
		events, result := recorded(t, t.TempDir(), src, func(leg *dialogtest.Leg, _ dialog.Dialog) { leg.Pass(time.Minute) })
		if got := result.Values.Text("reason"); got != want.reason {
			t.Errorf("%s: ended by %q, expected %q", src, got, want.reason)
		}
		if !slices.ContainsFunc(events, func(e string) bool { return strings.HasSuffix(e, want.app) }) {
			t.Errorf("%s: %q were heard, expected one that ends in %q", src, events, want.app)
		}
	}
}

// A caller who hangs up leaves what was said until then.
func TestRecordingOfACallerWhoHangsUp(t *testing.T) {
	events, result := recorded(t, t.TempDir(), "null:", func(leg *dialogtest.Leg, d dialog.Dialog) {
		leg.HangUp()
		leg.Call(d.HungUp)
	})
	if result.Values.Text("reason") != "hangup" || result.Values.Text("file") == "" || !slices.Contains(events, "exited") {
		t.Errorf("it did %q and returned %v", events, result.Values)
	}
}

func TestRecordingIsUploaded(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "recording-d1.wav"), []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	events, result := recorded(t, folder, "messages?box=7&maxtime=30s", func(leg *dialogtest.Leg, _ dialog.Dialog) { leg.Pass(time.Minute) })
	if !slices.Contains(events, "posted RIFF as audio/wav to http://host/messages?box=7") {
		t.Errorf("it did %q", events)
	}
	if values := result.Values.Object(); values["statuscode"] != 201 || values["uri"] != "http://host/messages?box=7" || result.Reason != "" {
		t.Errorf("it returned %v, %q", values, result.Reason)
	}
	_, result = recorded(t, t.TempDir(), "messages", func(leg *dialogtest.Leg, _ dialog.Dialog) { leg.Pass(2 * time.Minute) })
	if !strings.Contains(result.Reason, "dialog.recordings must be a directory that FreeSWITCH and ccxmld share") {
		t.Errorf("a file that is not there: %q", result.Reason)
	}
}

func TestRecordingTerminated(t *testing.T) {
	_, result := recorded(t, t.TempDir(), "null:", func(leg *dialogtest.Leg, d dialog.Dialog) { leg.Call(func() { d.Terminate(false) }) })
	if result.Values.Text("reason") != "terminated" {
		t.Errorf("it returned %v", result.Values)
	}
	_, result = recorded(t, t.TempDir(), "null:", func(leg *dialogtest.Leg, d dialog.Dialog) { leg.Call(func() { d.Terminate(true) }) })
	if len(result.Values) != 0 {
		t.Errorf("immediate termination returned %v", result.Values)
	}
}

// TestRecordingWithoutADirectory: FreeSWITCH hangs up whom it cannot record. So the
// directory is made; where that does not help, the dialog does not start.
func TestRecordingWithoutADirectory(t *testing.T) {
	for name, test := range map[string]struct {
		missing func(string) bool
		want    string
	}{
		"here":      {func(path string) bool { _, err := os.Stat(path); return err != nil }, "started"},
		"elsewhere": {func(string) bool { return true }, "not started: FreeSWITCH has no directory "},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "a", "b")
			synctest.Test(t, func(t *testing.T) {
				var events []string
				leg := dialogtest.NewLeg()
				leg.Missing = test.missing
				leg.Sounds[filepath.Join(folder, "recording-d1.wav")+" 60"] = time.Minute
				service := dialog.New(dialog.Options{Recordings: folder, Clock: clocktest.Real()})
				leg.Call(func() {
					service.Start(dialog.Request{ID: "d1", Source: "null:", Type: dialog.RecordingType}, leg, leg.Do, dialog.Events{
						Started:    func() { events = append(events, "started") },
						NotStarted: func(reason string) { events = append(events, "not started: "+reason) },
						Exited:     func(dialog.Result) {},
					})
				})
				leg.Pass(time.Second)
				if len(events) != 1 || !strings.HasPrefix(events[0], test.want) {
					t.Errorf("it did %q, expected %q", events, test.want)
				}
				if name == "elsewhere" && len(leg.Heard()) > 0 {
					t.Errorf("%q were heard", leg.Heard())
				}
				leg.Pass(2 * time.Minute)
				leg.Close()
			})
		})
	}
}

func TestRecordingRefused(t *testing.T) {
	for src, want := range map[string]string{
		"file:///etc/passwd":    "expected the HTTP URI",
		"null:?maxtime=0s":      "maxtime",
		"null:?termdigits=x":    "termdigits",
		"null:?finalsilence=-1": "finalsilence",
	} {
		events, _ := recorded(t, t.TempDir(), src, func(*dialogtest.Leg, dialog.Dialog) {})
		if len(events) != 1 || !strings.HasPrefix(events[0], "not started: ") || !strings.Contains(events[0], want) {
			t.Errorf("%s: %q, expected a reason with %q", src, events, want)
		}
	}
}

// TestTooManyUploads: of more uploads than may be at a time the document is told at once,
// until one is over.
func TestTooManyUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		server := &slowUploads{came: make(chan struct{}), done: make(chan struct{}), status: http.StatusCreated}
		service := dialog.New(dialog.Options{Recordings: folder, Clock: clocktest.Real(), Fetcher: server})
		service.SetMostUploads(1)
		var results []dialog.Result
		record := func(id string) {
			t.Helper()
			leg := dialogtest.NewLeg()
			file := filepath.Join(folder, "recording-"+id+".wav")
			leg.Sounds[file+" 30"] = 30 * time.Second
			if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
				t.Fatal(err)
			}
			leg.Call(func() {
				service.Start(dialog.Request{ID: id, Source: "http://host/up?beep=no&maxtime=30s", Type: dialog.RecordingType}, leg, leg.Do, dialog.Events{
					Started: func() {}, NotStarted: func(reason string) { t.Error(reason) },
					Exited: func(r dialog.Result) { results = append(results, r) },
				})
			})
			leg.Pass(31 * time.Second)
			synctest.Wait()
			leg.Close()
		}
		record("d1")
		record("d2")
		if len(results) != 1 || !strings.Contains(results[0].Reason, "not uploaded: 1 recordings are being uploaded already") {
			t.Fatalf("%+v", results)
		}
		close(server.done)
		synctest.Wait()
		server.came = make(chan struct{})
		record("d3")
		if len(results) != 2 || results[1].Reason != "" { // the leg of the first one is closed
			t.Errorf("%+v", results)
		}
	})
}
