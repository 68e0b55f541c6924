package switchsim_test

import (
	"path/filepath"
	"testing"

	"ccxmld/esl/recording"
	"ccxmld/switchsim"
)

// TestSpeechAsRecorded: detect_speech with the engine test of FreeSWITCH's mod_test,
// on a leg that waits for commands. The result is given by a setting first, and said
// then; an engine that does not exist changes nothing while another is open.
func TestSpeechAsRecorded(t *testing.T) {
	blocks, err := recording.Load(filepath.Join("testdata", "detect-speech.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	s.sw.AddASR("test")
	s.dial("42475b08-c71c-4bf4-a771-d25b9e1e7c2f", switchsim.Call{To: "answer", Dialplan: []switchsim.Action{{Application: "answer"}, {Application: "park"}}})
	linked(s)
	s.began = s.clock.Now()
	says := func(seconds float64, words string) deed {
		return deed{at(seconds), func(s *stage) { s.caller.Say(words) }}
	}
	s.play(blocks, []deed{says(0.75, "I would like the sales department"), says(3.05, "agent")})
	var transferred leave // the recorded leg came to its park by a transfer, of a phone with a port and no name
	for _, name := range []string{"Channel-Name", "Caller-Channel-Name", "Caller-Caller-ID-Name", "Caller-Orig-Caller-ID-Name", "Caller-Profile-Index"} {
		transferred = append(transferred, exception{kind: "value", header: name})
	}
	for _, name := range []string{"Caller-Transfer-Source", "Caller-RDNIS", "Channel-HIT-Dialplan"} {
		transferred = append(transferred, exception{kind: "header", header: name})
	}
	s.compare(blocks, transferred)
}
