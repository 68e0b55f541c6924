package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// TestUploadOutlivesTheCall: a recording is uploaded whatever ends it, and whatever
// ends the call meanwhile; the document gets one dialog.exit that says why the
// recording ended, where it is, and what the server said. That the session ends
// does not end the upload either.
func TestUploadOutlivesTheCall(t *testing.T) {
	t.Parallel()
	recordings := t.TempDir()
	h := newHouse(t, allowing("http://web"), with("DIALOG_RECORDINGS", recordings), with("LIMITS_FETCH_TIMEOUT", "20s"),
		func(p *plan) { p.sw.WriteRecordings = true })
	uploaded, answer := newBox[string](h.clock), newBox[string](h.clock)
	h.serve("web", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		uploaded.put(string(body[:min(len(body), 4)]))
		if _, err := answer.next(r.Context()); err != nil {
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
		uri := h.document(action+".ccxml", fmt.Sprintf(`<ccxml version="1.0"><var name="c"/><var name="d"/><var name="room"/><eventprocessor>
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
				h := h.in(t)
				h.seen.forget()
				caller := h.dial(uri)
				h.must(caller.WaitHeardFunc(h.ctx, func(s switchsim.Sound) bool { return s.Kind == "record" }))
				h.logged("recording in ")
				at := slices.IndexFunc(h.seen.all(), func(line string) bool { return strings.HasPrefix(line, "log recording in ") })
				session := strings.TrimPrefix(h.seen.all()[at], "log recording in ")
				act := func() {
					if action == "hangup" {
						caller.Hangup()
						h.logged("gone")
					} else if status, body := h.get("/ccxml/basichttp?name=act&sessionid=" + session); status != 204 {
						t.Fatalf("%d %s", status, body)
					}
				}
				if phase.name == "recorded" {
					act()
				}
				body := h.told(uploaded)
				if phase.name == "uploaded" {
					act()
				}
				if action == "exit" { // and nobody is told any more
					h.idle()
				}
				answer.put("")
				if action != "exit" {
					h.logged(fmt.Sprintf("exit %s 202 true", phase.reason))
				}
				if body != "RIFF" {
					t.Errorf("%q was uploaded", body)
				}
				h.idle()
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
	var records *box[string]
	h := newHouse(t, with("DIALOG_RECORDINGS", folder), func(p *plan) {
		records = newBox[string](p.site.Clock)
		p.sw.Folders = func(path string) bool {
			if _, err := os.Stat(path); err != nil {
				return false
			}
			records.put(path)
			return true
		}
	})
	caller := h.dial(h.transitions("record.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><log expr="session.connections[event$.connectionid]._RecordCall(100, 'a')"/></transition>
<transition event="connection.disconnected"><exit/></transition>`))
	h.logged(folder)
	h.told(records)
	caller.Hangup()
	h.idle()
}

// TestRecordingsWithoutADirectory: a dialog that would have FreeSWITCH hang up the
// caller does not start; a page gets error.noresource.
func TestRecordingsWithoutADirectory(t *testing.T) {
	t.Parallel()
	h := newHouse(t, with("DIALOG_RECORDINGS", filepath.Join(t.TempDir(), "none")), func(p *plan) {
		p.sw.Folders = func(string) bool { return false }
	})
	page := h.document("page.vxml", `<vxml version="2.1"><form><record name="r" beep="false"/><catch event="error.noresource"><exit expr="'noresource'"/></catch></form></vxml>`)
	h.dial(h.transitions("record.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart src="'null:'" type="'application/x-record'"/></transition>
<transition event="error.dialog.notstarted"><log expr="event$.reason"/><dialogstart src="'`+page+`'" type="'application/voicexml+xml'"/></transition>
<transition event="dialog.exit"><log expr="'page: ' + Object.keys(event$.values).map(function (k) { return event$.values[k] })"/><exit/></transition>
<transition event="connection.disconnected"><log expr="'the caller is gone'"/><exit/></transition>`))
	h.logged("FreeSWITCH has no directory ")
	h.logged("page: noresource")
	h.idle()
}
