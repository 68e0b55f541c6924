package callcontrol_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/records"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// kept reads the records that are in a directory.
func kept(t *testing.T, dir string) (calls []records.Call, sessions []records.Session) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var call records.Call
			var session records.Session
			if err := json.Unmarshal([]byte(line), &call); err != nil {
				t.Fatal(err)
			}
			if call.Record == "call" {
				calls = append(calls, call)
				continue
			}
			if err := json.Unmarshal([]byte(line), &session); err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, session)
		}
	}
	return calls, sessions
}

// TestRecords: each call and each session has one record, which says how it went.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	s := sitetest.New(t, sitetest.With("RECORDS_DIRECTORY", dir))
	s.Switch.Callee("200", switchsim.Answers{After: 3 * time.Second})
	s.Switch.Callee("300", switchsim.Refuses{Status: 486, After: time.Second})
	document := s.Transitions("all", `
		<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
		<transition event="connection.connected" cond="event$.connectionid == c"><createconference conferenceid="room" confname="'sales'"/></transition>
		<transition event="conference.created"><join id1="c" id2="room"/></transition>
		<transition event="conference.joined"><createcall dest="'tel:200'" callerid="'tel:100'"/><createcall dest="'tel:300'"/></transition>
		<transition event="connection.connected"><log expr="'answered'"/></transition>
		<transition event="connection.failed"/>
		<transition event="connection.disconnected"><exit/></transition>`, "c room")
	party := s.DialFrom("101", document)
	s.WaitLog("answered")
	s.Sleep(10 * time.Second)
	party.Hangup()
	s.WaitIdle()
	s.WaitSwitchIdle()
	s.Stop()
	calls, sessions := kept(t, dir)
	if len(calls) != 3 || len(sessions) != 1 {
		t.Fatalf("%d calls and %d sessions have records: %+v", len(calls), len(sessions), calls)
	}
	busy, caller, callee := calls[0], calls[1], calls[2] // in the order in which they ended
	if busy.Direction != "out" || busy.Remote != "tel:300" || busy.SIPStatus != 486 || busy.Cause != "USER_BUSY" || !busy.Answered.IsZero() || busy.Talked != 0 || busy.Seconds != 1 {
		t.Errorf("busy: %+v", busy)
	}
	if caller.ID != party.UUID() || caller.Direction != "in" || caller.EndedBy != "remote" || caller.SIPCallID == "" || caller.Node == "" || caller.Version == "" ||
		strings.Join(caller.Conferences, " ") != "conference:sales" || caller.Talked != 13 || caller.Document != document {
		t.Errorf("caller: %+v", caller)
	}
	if callee.Remote != "tel:200" || callee.Local != "tel:100" || callee.EndedBy != "local" || callee.Seconds != 13 || callee.Talked != 10 || callee.SIPCallID == "" || callee.Q850 != 16 {
		t.Errorf("callee: %+v", callee)
	}
	session := sessions[0]
	if session.ID != caller.Session || session.ID != busy.Session || session.Startup != "newcall" || session.Reason != "" || session.Seconds != 13 {
		t.Errorf("session: %+v", session)
	}
}

// TestRecordsAcrossTakeOver: a call and a session that were taken over have one record each,
// with the times from their beginnings.
func TestRecordsAcrossTakeOver(t *testing.T) {
	mine, other := t.TempDir(), t.TempDir()
	one := sitetest.New(t, sitetest.With("RECORDS_DIRECTORY", mine))
	survivor := one.AddDaemon(sitetest.With("RECORDS_DIRECTORY", other))
	survivor.WaitLinks()
	party := one.Dial(one.Transitions("waits", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><dialogstart src="'tone_stream://%(600000,0,440)'" type="'audio/wav'"/></transition>
		<transition event="dialog.started"><log expr="'here'"/></transition>
		<transition event="ccxml.resumed"><log expr="'resumed'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`))
	one.WaitLog("here")
	one.Sleep(10 * time.Second)
	one.Kill()
	survivor.WaitLog("resumed")
	party.Hangup()
	survivor.WaitIdle()
	survivor.WaitSwitchIdle()
	survivor.Stop()
	// The one that is killed here still ends its session, unlike a process, and so notes that.
	if calls, _ := kept(t, mine); len(calls) != 0 {
		t.Errorf("the one that was killed has %+v", calls)
	}
	calls, sessions := kept(t, other)
	if len(calls) != 1 || len(sessions) != 1 {
		t.Fatalf("%+v, %+v", calls, sessions)
	}
	if c := calls[0]; c.Seconds < 10 || c.Talked < 10 || c.EndedBy != "remote" || c.Controller != survivor.Daemon.Controller.ID() {
		t.Errorf("%+v", c)
	}
	if s := sessions[0]; s.Seconds < 10 || s.Claims != 1 {
		t.Errorf("%+v", s)
	}
}
