package sessionstore_test

import (
	"fmt"
	"slices"
	"testing"

	"ccxmld/sessionstore"
)

// TestShare: each session is one controller's, whoever asks; they get about as many each;
// and with one less only what it had goes elsewhere.
func TestShare(t *testing.T) {
	var sessions []string
	for i := range 3000 {
		sessions = append(sessions, fmt.Sprint("session-", i))
	}
	all := []string{"a", "b", "c"}
	shares := sessionstore.Share(sessions, all)
	owner := make(map[string]string)
	for controller, share := range shares {
		if len(share) < 900 || len(share) > 1100 || !slices.Contains(all, controller) {
			t.Errorf("%s gets %d of 3000", controller, len(share))
		}
		for _, session := range share {
			if owner[session] != "" {
				t.Errorf("%s is given twice", session)
			}
			owner[session] = controller
		}
	}
	if len(owner) != len(sessions) {
		t.Errorf("%d sessions are given", len(owner))
	}
	slices.Reverse(sessions)
	for controller, share := range sessionstore.Share(sessions, []string{"c", "b", "a"}) {
		for _, session := range share {
			if owner[session] != controller {
				t.Fatalf("%s is for %s or %s, by the order", session, owner[session], controller)
			}
		}
	}
	for controller, share := range sessionstore.Share(sessions, []string{"a", "c"}) {
		for _, session := range share {
			if owner[session] != controller && owner[session] != "b" {
				t.Fatalf("%s goes from %s to %s since b is gone", session, owner[session], controller)
			}
		}
	}
	if got := sessionstore.Share(sessions, nil); len(got) != 0 {
		t.Errorf("shared among nobody: %v", got)
	}
	living := sessionstore.Living([]sessionstore.Controller{{ID: "a", Alive: true}, {ID: "b"}, {ID: "c", Alive: true}})
	if !slices.Equal(living, []string{"a", "c"}) {
		t.Errorf("living: %q", living)
	}
}
