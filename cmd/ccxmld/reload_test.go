package main

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSIGHUP: the configuration is read again, what needs a new start is named, and a
// file that cannot be read changes nothing.
func TestSIGHUP(t *testing.T) {
	dir := t.TempDir()
	file, document := filepath.Join(dir, "ccxmld.yaml"), filepath.Join(dir, "stays.ccxml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(document, stays)
	write(file, "{}")
	p := startProcess(t, map[string]string{"CONFIG": file})
	hangup := func(text, said string) {
		t.Helper()
		write(file, text)
		if err := p.command.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		p.waitLine(said)
	}
	hangup("tokens: {t: {uri: 'file://"+document+"'}}\n", `msg="the configuration was read again" changed=tokens`)
	if status, body := p.get("/CCXML10.start?tokenid=t"); status != http.StatusOK {
		t.Errorf("a token that is new: %d %q", status, body)
	}
	hangup("tokens: [not, a, map]\n", "the configuration stays as it was")
	if status, body := p.get("/CCXML10.start?tokenid=t"); status != http.StatusOK {
		t.Errorf("after a file that cannot be read: %d %q", status, body)
	}
	hangup("mail: {from: other@example.org}\n", "from the next start only\" settings=mail.from")
	if status, body := p.get("/CCXML10.start?tokenid=t"); status != http.StatusForbidden {
		t.Errorf("a token that is gone: %d %q", status, body)
	}
	hangup("log: {level: debug}\n", "changed=log.level")
	_ = p.read()
	p.terminate()
}
