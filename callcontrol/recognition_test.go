package callcontrol

import (
	"slices"
	"testing"

	"ccxmld/dialog"
	"ccxmld/freeswitch"
)

// FreeSWITCH tells the same speech a second time when the leg is parked: who
// listens hears it once.
func TestSpeechIsHeardOnce(t *testing.T) {
	var heard []string
	l := &leg{hears: func(r dialog.Recognition) { heard = append(heard, r.Body) }}
	for _, told := range []struct {
		sequence int64
		body     string
	}{{7, "one"}, {7, "one"}, {9, "two"}, {7, "one"}, {9, "two"}, {10, "two"}} {
		l.recognized(freeswitch.Speech{Number: told.sequence, Kind: "detected-speech", Body: told.body})
	}
	if want := []string{"one", "two", "two"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}
