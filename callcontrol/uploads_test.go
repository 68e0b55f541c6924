package callcontrol_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// TestUploadOutlivesTheCall: a recording is uploaded whatever ends it, and whatever
// ends the call meanwhile; the document gets one dialog.exit that says why the
// recording ended, where it is, and what the server said. That the session ends
// does not end the upload either.
func TestUploadOutlivesTheCall(t *testing.T) {
	t.Parallel()
	recordings := t.TempDir()
	s := sitetest.New(t, sitetest.AllowDocuments("http://web"), sitetest.With("DIALOG_RECORDINGS", recordings), sitetest.With("LIMITS_FETCH_TIMEOUT", "20s"),
		func(o *sitetest.Options) { o.Switch.WriteRecordings = true })
	uploaded, answer := sitetest.NewQueue[string](s.Clock), sitetest.NewQueue[string](s.Clock)
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		uploaded.Put(string(body[:min(len(body), 4)]))
		if _, err := answer.Next(r.Context()); err != nil {
			t.Error("an upload was given up")
		}
		w.WriteHeader(http.StatusAccepted)
	})
	for action, does := range map[string]struct{ element, whileRecorded, whileUploaded string }{
		"hangup":     {"", "hangup", "maxtime"},
		"disconnect": {`<disconnect connectionid="c"/>`, "hangup", "maxtime"},
		"terminate":  {`<dialogterminate dialogid="d"/>`, "terminated", "maxtime"},
		"join":       {`<join id1="c" id2="room"/>`, "terminated", "maxtime"},
		"exit":       {`<exit/>`, "", ""},
	} {
		uri := s.Document(action+".ccxml", fmt.Sprintf(`<ccxml version="1.0"><var name="c"/><var name="d"/><var name="room"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><createconference conferenceid="room"/><accept/></transition>
<transition event="connection.connected"><dialogstart connectionid="c" dialogid="d" src="'%s/?beep=no&amp;maxtime=20s'" type="'application/x-record'"/></transition>
<transition event="dialog.started"><log expr="'recording in ' + session.id"/></transition>
<transition event="act">%s</transition>
<transition event="dialog.exit"><log expr="['exit', event$.values.reason, event$.values.statuscode, event$.values.file != undefined].join(' ')"/><exit/></transition>
<transition event="connection.disconnected"><log expr="'gone'"/></transition>
<transition event="error.*"><log expr="event$.name + event$.reason"/></transition>
</eventprocessor></ccxml>`, "http://web", does.element))
		for _, phase := range []struct{ name, reason string }{{"recorded", does.whileRecorded}, {"uploaded", does.whileUploaded}} {
			t.Run(action+" while it is "+phase.name, func(t *testing.T) {
				s := s.In(t)
				s.Trace.Reset()
				caller := s.Dial(uri)
				s.Must(caller.WaitHeardFunc(s.Context(), func(s switchsim.Sound) bool { return s.Kind == "record" }))
				s.WaitLog("recording in ")
				at := slices.IndexFunc(s.Trace.Lines(), func(line string) bool { return strings.HasPrefix(line, "log recording in ") })
				session := strings.TrimPrefix(s.Trace.Lines()[at], "log recording in ")
				act := func() {
					if action == "hangup" {
						caller.Hangup()
						s.WaitLog("gone")
					} else if status, body := s.Get("/ccxml/basichttp?name=act&sessionid=" + session); status != 204 {
						t.Fatalf("%d %s", status, body)
					}
				}
				if phase.name == "recorded" {
					act()
				}
				body := s.Next(uploaded)
				if phase.name == "uploaded" {
					act()
				}
				if action == "exit" { // and nobody is told any more
					s.WaitIdle()
				}
				answer.Put("")
				if action != "exit" {
					s.WaitLog(fmt.Sprintf("exit %s 202 true", phase.reason))
				}
				if body != "RIFF" {
					t.Errorf("%q was uploaded", body)
				}
				s.WaitIdle()
			})
		}
	}
	if files, err := os.ReadDir(recordings); err != nil || len(files) != 10 {
		t.Errorf("%d recordings, %v", len(files), err)
	}
}

// TestVX60RecordingsDirectoryIsMade: where FreeSWITCH cannot record since there is no
// directory, ccxmld makes it and asks again.
func TestVX60RecordingsDirectoryIsMade(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "none", "recordings")
	var records *sitetest.Queue[string]
	s := sitetest.New(t, sitetest.With("DIALOG_RECORDINGS", folder), func(o *sitetest.Options) {
		records = sitetest.NewQueue[string](o.Clock)
		o.Switch.Folders = func(path string) bool {
			if _, err := os.Stat(path); err != nil {
				return false
			}
			records.Put(path)
			return true
		}
	})
	caller := s.Dial(s.Transitions("record.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="session.connections[event$.connectionid]._RecordCall(100, 'a')"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))
	s.WaitLog(folder)
	s.Next(records)
	caller.Hangup()
	s.WaitIdle()
}

// TestRecordingsWithoutADirectory: a dialog that would have FreeSWITCH hang up the
// caller does not start; a page gets error.noresource.
func TestRecordingsWithoutADirectory(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.With("DIALOG_RECORDINGS", filepath.Join(t.TempDir(), "none")), func(o *sitetest.Options) {
		o.Switch.Folders = func(string) bool { return false }
	})
	page := s.Document("page.vxml", `<vxml version="2.1"><form><record name="r" beep="false"/><catch event="error.noresource"><exit expr="'noresource'"/></catch></form></vxml>`)
	s.Dial(s.Transitions("record.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'null:'" type="'application/x-record'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><dialogstart src="'`+page+`'" type="'application/voicexml+xml'"/></transition>
<transition event="dialog.exit"><log expr="'page: ' + Object.keys(event$.values).map(function (k) { return event$.values[k] })"/><exit/></transition>
<transition event="connection.disconnected"><log expr="'the caller is gone'"/><exit/></transition>`))
	s.WaitLog("FreeSWITCH has no directory ")
	s.WaitLog("page: noresource")
	s.WaitIdle()
}
