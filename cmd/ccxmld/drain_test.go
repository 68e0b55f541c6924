package main

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/sessionstore/redistest"
	"ccxmld/switchsim"
)

// stays is a document whose caller is answered and stays.
const stays = `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><eventprocessor>
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`

// drained is a daemon that is a process, with one call, and a manager such as systemd.
type drained struct {
	*process
	sw     *switchsim.Switch
	caller *switchsim.Party
	told   *net.UnixConn // what the manager gets
}

func startDrained(t *testing.T, settings map[string]string) *drained {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stays.ccxml"), []byte(stays), 0o600); err != nil {
		t.Fatal(err)
	}
	manager, err := os.MkdirTemp("", "manager") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(manager) })
	socket := filepath.Join(manager, "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	sw := switchsim.New(switchsim.Options{})
	t.Cleanup(sw.Close)
	all := map[string]string{"DRAIN_TIMEOUT": "1h", "DOCUMENTS_ALLOW": "['file://" + dir + "/']", "TOKENS": "{t: {uri: 'file://" + dir + "/stays.ccxml'}}"}
	maps.Copy(all, settings)
	d := &drained{process: startProcess(t, all), sw: sw, told: told}
	_ = d.read()
	ctx, cancel := context.WithTimeout(t.Context(), processPatience)
	defer cancel()
	d.caller, err = sw.Dial(switchsim.Call{Sockets: []string{d.esl}, Variables: map[string]string{"ccxml_uri": "file://" + dir + "/stays.ccxml"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.caller.WaitAnswered(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

// waitTold waits until the manager is told of a state.
func (d *drained) waitTold(state string) {
	d.Helper()
	_ = d.told.SetReadDeadline(time.Now().Add(processPatience))
	var all strings.Builder
	for buffer := make([]byte, 4096); ; {
		n, err := d.told.Read(buffer)
		if err != nil {
			d.Fatalf("the manager is not told of %s: %v; it was told:\n%s", state, err, &all)
		}
		if all.Write(append(buffer[:n:n], '\n')); strings.Contains(string(buffer[:n]), state) {
			return
		}
	}
}

// TestSIGTERMDrains: the call goes on after SIGTERM, and with its end the daemon ends.
func TestSIGTERMDrains(t *testing.T) {
	d := startDrained(t, nil)
	d.waitTold("READY=1")
	d.signal()
	d.waitTold("STATUS=draining: 1 sessions are left")
	if status, body := d.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, body := d.get("/CCXML10.start?tokenid=t"); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("a token start: %d %q", status, body)
	}
	d.waitTold("EXTEND_TIMEOUT_USEC=")
	d.caller.Hangup()
	d.waitTold("STOPPING=1")
	d.waitEnded()
}

// TestSecondSignal: a second SIGTERM ends the calls at once.
func TestSecondSignal(t *testing.T) {
	d := startDrained(t, nil)
	d.signal()
	d.waitTold("STATUS=draining")
	d.signal()
	d.waitEnded()
	ctx, cancel := context.WithTimeout(t.Context(), processPatience)
	defer cancel()
	if _, err := d.caller.WaitEnded(ctx); err != nil {
		t.Error(err)
	}
}

// TestDrainCommand: ccxmld drain lists controllers, and has one drain.
func TestDrainCommand(t *testing.T) {
	redis := redistest.Real(t)
	d := startDrained(t, map[string]string{"REDIS_URL": redis.URL})
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		status := run(t.Context(), append([]string{"drain", "--redis-url", redis.URL}, args...), &out, &out)
		return status, out.String()
	}
	status, list := run()
	id, rest, _ := strings.Cut(list, " ")
	if status != 0 || !strings.HasPrefix(rest, "alive on ") {
		t.Fatalf("the list: %d %q", status, list)
	}
	if status, said := run("--controller", "nobody"); status != 1 || !strings.Contains(said, `no controller "nobody" lives`) {
		t.Errorf("of nobody: %d %q", status, said)
	}
	if status, said := run("--controller", id); status != 0 || !strings.Contains(said, "is asked to drain") {
		t.Errorf("%d %q", status, said)
	}
	d.waitTold("STATUS=draining")
	d.caller.Hangup()
	d.waitEnded()
}
