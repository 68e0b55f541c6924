package switchsim_test

import (
	"path/filepath"
	"testing"
	"time"

	"ccxmld/esl/recording"
	"ccxmld/switchsim"
)

// outgoingLeg makes a call go out to a number under the recorded id, whose socket is
// the subject. The party that was called is the one who acts.
func outgoingLeg(s *stage, uuid string) {
	s.hidden = s.link(s.sw)
	s.hidden.say("bgapi originate {origination_uuid=" + uuid + ",ignore_early_media=true,originate_timeout=8}sofia/internal/answer@127.0.0.1:5060 '&socket(" + s.first.address() + " async full)'")
	s.hidden.await("+OK Job-UUID")
	s.clock.Advance(100 * time.Millisecond)
	s.callee("answer")
	s.subject = s.first.accept()
	s.began = s.clock.Now()
}

// replay compares the switch with a recording of testdata.
func (s *stage) replay(name string, deeds []deed, leave leave) {
	s.Helper()
	blocks, err := recording.Load(filepath.Join("testdata", name))
	if err != nil {
		s.Fatal(err)
	}
	s.play(blocks, deeds)
	s.compare(blocks, append(leave, earlier...))
}

// earlier is what FreeSWITCH 1.10.12 does differently from 1.11, which the switch
// is: the lines of its source.
var earlier = leave{{kind: "value", header: "Event-Calling-Line-Number"}}

// TestReferAsRecorded: an answered leg, on which a prompt plays, is sent elsewhere
// twice. The far end refuses, and then accepts and tells of its call.
func TestReferAsRecorded(t *testing.T) {
	s := newStage(t)
	outgoingLeg(s, "1753daad-f77d-4213-b9ea-965d1cb6cca2")
	s.caller.Referred(switchsim.Referral{Refuses: 603})
	s.replay("refer.txt", []deed{
		{at(1.5), func(s *stage) {
			s.caller.Referred(switchsim.Referral{Outcome: 200, After: 800 * time.Millisecond})
		}},
	}, leave{{kind: "value", header: "event-id"}, {kind: "value", header: "from-tag"}, {kind: "value", header: "to-tag"}})
	if ending := s.ending(); ending.By != "local" || ending.RedirectedTo != "sip:support@127.0.0.1" {
		t.Errorf("the far end got %+v", ending)
	}
}

// ending waits until the far end's call has ended.
func (s *stage) ending() switchsim.Ending {
	s.Helper()
	ending, err := s.caller.WaitEnded(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	return ending
}
