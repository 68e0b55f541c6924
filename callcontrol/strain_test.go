package callcontrol

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"ccxmld/script"
)

// TestStrain: scripts that go on after they were given up, and memory, keep new
// sessions out; scripts that have come back do not.
func TestStrain(t *testing.T) {
	var strain Strain
	limits := strain.Bound(script.Limits{})
	for n := range 4 {
		if err := strain.Err(); err != nil {
			t.Errorf("with %d scripts: %v", n, err)
		}
		strain.Abandoned()
	}
	if err := strain.Err(); err == nil || !strings.Contains(err.Error(), "4 scripts did not end") {
		t.Errorf("with 4 scripts: %v", err)
	}
	limits.Back()
	if err := strain.Err(); err != nil || strain.Given() != 4 {
		t.Errorf("with one come back: %v, %d given up", err, strain.Given())
	}
	strain.Memory = 1
	if err := strain.Err(); err == nil || !strings.Contains(err.Error(), "limits.process_memory") {
		t.Errorf("with little memory allowed: %v", err)
	}
}

// TestStrainKeepsCallsOut: with too much strain no place is given, not to calls either,
// and the log says why.
func TestStrainKeepsCallsOut(t *testing.T) {
	var log bytes.Buffer
	strain := &Strain{Memory: 1}
	c := &Controller{log: slog.New(slog.NewTextHandler(&log, nil))}
	c.SetLimits(Limits{Sessions: 10, Strain: strain})
	for _, o := range []origin{{call: true}, {}} {
		if err := c.reserve(o); !errors.Is(err, ErrOutOfSessions) || !strings.Contains(err.Error(), "limits.process_memory") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "limits.process_memory") {
		t.Errorf("the log: %s", &log)
	}
	strain.Memory = 0
	if err := c.reserve(origin{call: true}); err != nil {
		t.Errorf("without strain: %v", err)
	}
}
