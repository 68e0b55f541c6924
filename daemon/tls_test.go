package daemon_test

import (
	"crypto/tls"
	"net/http"
	"path/filepath"
	"testing"

	"ccxmld/daemon/certificatetest"
	"ccxmld/sitetest"
)

// HTTP is served by TLS, operators are known by their certificates, and a certificate that was
// renewed is shown without a new start.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	var a certificatetest.Authority
	a.Issue(t, "ours", file("ca.pem"), file("ca.key"))
	a.Issue(t, "first", file("tls.pem"), file("tls.key"))
	a.Issue(t, "bob", file("bob.pem"), file("bob.key"))
	s := sitetest.NewOverTCP(t, sitetest.WithSettings(map[string]string{
		"HTTP_TLS_CERTIFICATE": file("tls.pem"), "HTTP_TLS_KEY": file("tls.key"), "HTTP_TLS_CLIENTS": file("ca.pem"),
		"API_OPERATORS": "[{name: bob, role: read, certificate: bob}]",
	}))
	get := func(path string, certificates ...tls.Certificate) (status int, shown string) {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.Pool, ServerName: "localhost", Certificates: certificates}}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get("https://" + s.Daemon.HTTPAddress() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode, response.TLS.PeerCertificates[0].Subject.CommonName
	}
	if status, shown := get("/healthz"); status != 200 || shown != "first" {
		t.Errorf("%d by %s", status, shown)
	}
	bob, err := tls.LoadX509KeyPair(file("bob.pem"), file("bob.key"))
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := get("/v1/sessions", bob); status != 200 {
		t.Errorf("by bob's certificate: %d", status)
	}
	if status, _ := get("/v1/sessions"); status != 401 {
		t.Errorf("without a certificate: %d", status)
	}
}
