package daemon

import (
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon/certificatetest"
)

// TestCertificateIsReadAgain when its files have changed, and files that do not do leave the
// one before.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	files := conf.TLS{Certificate: filepath.Join(dir, "tls.pem"), Key: filepath.Join(dir, "tls.key")}
	manual := clock.NewManual(time.Now())
	c := &certificate{files: files, log: slog.New(slog.DiscardHandler), clock: manual}
	begun := time.Now()
	var a certificatetest.Authority
	a.Issue(t, "ours", filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"))
	changed := func(minutes int) {
		t.Helper()
		at := begun.Add(time.Duration(minutes) * time.Minute)
		for _, file := range []string{files.Certificate, files.Key} {
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	shown := func() string {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(got.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Subject.CommonName
	}
	a.Issue(t, "first", files.Certificate, files.Key)
	changed(0)
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	a.Issue(t, "second", files.Certificate, files.Key)
	changed(1)
	if got := shown(); got != "first" {
		t.Errorf("looked at again at once: %s", got)
	}
	manual.Advance(lookAgainAfter)
	if got := shown(); got != "second" {
		t.Errorf("after a change: %s", got)
	}
	if err := os.WriteFile(files.Key, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed(2)
	manual.Advance(lookAgainAfter)
	if got := shown(); got != "second" {
		t.Errorf("after a change that does not do: %s", got)
	}
}
