package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ccxmld/switchsim"
)

// diskAttacks are disks without room for what ccxmld writes, and documents that have it
// write.
var diskAttacks = []attack{{
	name:     "disks: full under the log, the spool and the recordings",
	fullDisk: true,
	prepare: func(a *assault) map[string]string {
		prepared := make(chan struct{}, 1)
		a.data["prepared"] = prepared
		server := audioServer(a, prepared)
		a.transitions("fetches.ccxml", `<transition event="ccxml.loaded"><dialogprepare type="'audio/wav'" src="'`+server.URL+`/large.wav?' + Math.random()"/></transition>
<transition event="error.dialog.notprepared"><exit/></transition>`)
		a.transitions("writes.ccxml", `<transition event="ccxml.loaded"><foreach object="new Array(50).join('x').split('x')" item="i"><log expr="new Array(2000).join('x')"/></foreach><exit/></transition>`)
		a.transitions("records.ccxml", `<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><dialogstart connectionid="event$.connectionid" type="'application/x-record'" src="'null:?maxtime=1s'"/></transition>
<transition event="error.dialog.notstarted dialog.exit"><disconnect connectionid="Object.keys(session.connections)[0]"/></transition>
<transition event="connection.disconnected"><exit/></transition>`)
		// After the attack: what has room.
		a.transitions("small.ccxml", `<transition event="ccxml.loaded"><dialogprepare type="'audio/wav'" src="'`+server.URL+`/small.wav'"/></transition>
<transition event="dialog.prepared"><send target="'`+server.URL+`/prepared'" targettype="'basichttp'" name="'x'"/><exit/></transition>`)
		recordings, err := os.MkdirTemp("", "recordings") // whose name has nothing of the test's
		if err != nil {
			a.Fatal(err)
		}
		a.Cleanup(func() { _ = os.RemoveAll(recordings) })
		if err := os.WriteFile(filepath.Join(recordings, "recording-full.wav"), make([]byte, 4<<10), 0o600); err != nil {
			a.Fatal(err)
		}
		return map[string]string{
			"DOCUMENTS_ALLOW":   "['file://" + a.dir + "/', '" + server.URL + "/']",
			"DIALOG_RECORDINGS": recordings, "DIALOG_RECORDINGS_BYTES": "1KiB",
		}
	},
	run: atATime(3, func(a *assault, i int) {
		for a.ctx.Err() == nil {
			switch i {
			case 0:
				a.start("fetches.ccxml")
			case 1:
				a.start("writes.ccxml")
			default:
				caller, err := a.sw.Dial(switchsim.Call{Sockets: []string{a.esl}, Variables: map[string]string{"ccxml_uri": a.uris["records.ccxml"]}})
				if err == nil {
					_, _ = caller.WaitEnded(a.ctx)
				}
			}
			a.pause(20 * time.Millisecond)
		}
	}),
	check: diskHasRoomAgain,
}}

// diskHasRoomAgain looks at what was said, and then gives room to the log and to the spool,
// of which each says once that it is over.
func diskHasRoomAgain(a *assault) {
	a.wait("the attack's sessions end", func() bool { return a.counter("sessions") == 0 })
	_, ready := a.get("/readyz")
	for _, line := range []string{"ready\r\n", "spool: write ", "recordings: "} {
		if !strings.Contains(ready, line) || strings.Contains(ready, line+"ok") {
			a.Errorf("/readyz says %q", ready)
		}
	}
	lost := a.counter("log_lines_lost")
	if lost == 0 {
		a.Error("no line of the log was lost")
	}
	for text, most := range map[string]int{"there are more recordings than": 1, "fetched audio cannot be kept": 1, "log lines were lost": 0} {
		if n := strings.Count(a.log(), text); n > most {
			a.Errorf("%q is said %d times", text, n)
		}
	}
	if err := os.Truncate(a.output.Name(), 0); err != nil {
		a.Fatal(err)
	}
	a.start("small.ccxml")
	select {
	case <-a.data["prepared"].(chan struct{}):
	case <-a.ctx.Done():
		a.Fatal("what has room in the spool is not put there")
	}
	for _, text := range []string{"log lines were lost", "fetched audio can be kept again"} {
		a.wait(text, func() bool { return strings.Contains(a.log(), text) })
		if n := strings.Count(a.log(), text); n != 1 {
			a.Errorf("%q is said %d times", text, n)
		}
	}
	if said := fmt.Sprintf("lines=%d\n", lost); !strings.Contains(a.log(), said) {
		a.Errorf("%d lines were lost, and the log says:\n%s", lost, a.log()[max(0, len(a.log())-2000):])
	}
}

// wait waits until something holds of the process, which has no event for it.
func (a *assault) wait(what string, holds func() bool) {
	for !holds() {
		if a.ctx.Err() != nil {
			a.Fatalf("it never comes to this: %s", what)
		}
		a.pause(20 * time.Millisecond)
	}
}

// audioServer gives audio for which there is no room, and some for which there is.
func audioServer(a *assault, prepared chan<- struct{}) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/prepared" {
			prepared <- struct{}{}
			return
		}
		w.Header().Set("Content-Type", "audio/wav")
		size := 1 << 10
		if strings.HasPrefix(r.URL.Path, "/large") {
			size = 2 * fullAt
		}
		_, _ = w.Write(append([]byte(r.URL.RawQuery), bytes.Repeat([]byte{1}, size)...))
	}))
	a.Cleanup(server.Close)
	return server
}
