package spool

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ccxmld/logs"
)

// TestFilesThatCannotBeRemoved: a sweep that fails every five minutes is said ever less
// often, and when it is over.
func TestFilesThatCannotBeRemoved(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	now := time.Unix(0, 0)
	failing := logs.Trouble{Now: func() time.Time { return now }}
	for range 12 {
		tellRemoval(log, &failing, "recordings", "/r", errors.New("read-only file system"))
		now = now.Add(5 * time.Minute)
	}
	if n := strings.Count(said.String(), "recordings cannot be removed"); n != 6 {
		t.Errorf("said %d times in an hour: %s", n, &said)
	}
	tellRemoval(log, &failing, "recordings", "/r", nil)
	tellRemoval(log, &failing, "recordings", "/r", nil)
	if n := strings.Count(said.String(), "recordings can be removed again"); n != 1 {
		t.Errorf("said %d times to be over: %s", n, &said)
	}
}
