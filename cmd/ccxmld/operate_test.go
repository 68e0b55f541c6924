package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// Operators look and act from the command line, and are told why they are refused.
func TestOperateCommands(t *testing.T) {
	s := sitetest.NewOverTCP(t, sitetest.With("API_OPERATORS", `[{name: bob, role: operate, key: the-key-of-bob-00}, {name: ann, role: read, key: the-key-of-ann-00}]`))
	document := s.Transitions("waits", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><assign name="state$" expr="'talking'"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	party := s.DialFrom("101", document)
	s.Must(s.Trace.Wait(s.Context(), "state talking"))
	key := filepath.Join(t.TempDir(), "key")
	ccxmld := func(who string, args ...string) (status int, out, errors string) {
		if err := os.WriteFile(key, []byte("the-key-of-"+who+"-00\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		args = append(args, "--url", "http://"+s.Daemon.HTTPAddress(), "--key-file", key)
		status = run(t.Context(), args, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	_, out, errors := ccxmld("ann", "calls", "--number", "101")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "CALL ") || !strings.HasPrefix(lines[1], party.UUID()+"  CONNECTED  in") {
		t.Fatalf("%s%s", out, errors)
	}
	if _, out, _ := ccxmld("ann", "calls", "--number", "999", "--json"); out != "" {
		t.Errorf("no call has 999: %s", out)
	}
	_, out, _ = ccxmld("ann", "sessions", "--state", "talking")
	fields := strings.Fields(out)
	if len(fields) != 12 || fields[8] != "talking" {
		t.Fatalf("%q", fields)
	}
	session := fields[6]
	if _, out, _ = ccxmld("ann", "sessions", "show", session); !strings.Contains(out, `"event": "connection.connected"`) {
		t.Error(out)
	}
	if status, _, errors := ccxmld("ann", "calls", "hangup", party.UUID()); status != 1 || !strings.Contains(errors, "ann has the role read, and this asks for operate") {
		t.Errorf("%d %s", status, errors)
	}
	if status, _, errors := ccxmld("zoe", "conferences"); status != 1 || !strings.Contains(errors, "Authorization: Bearer") {
		t.Errorf("%d %s", status, errors)
	}
	if status, _, errors := ccxmld("bob", "calls", "hangup", party.UUID(), "--cause", "busy!"); status != 1 || !strings.Contains(errors, "no cause of FreeSWITCH") {
		t.Errorf("%d %s", status, errors)
	}
	if status, _, errors := ccxmld("bob", "calls", "hangup", party.UUID()); status != 0 {
		t.Error(errors)
	}
	s.WaitIdle()
	if status, _, errors := ccxmld("bob", "sessions", "end", session); status != 1 || !strings.Contains(errors, "there is no session "+session) {
		t.Errorf("%d %s", status, errors)
	}
}
