package conf_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ccxmld/conf"
)

// TestSecretsStayInside prints and logs a configuration in every way that
// comes to mind.
func TestSecretsStayInside(t *testing.T) {
	c := load(t, conf.Source{File: "testdata/full.good.yaml"})
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, c)
		fmt.Fprintf(&out, verb, *c)
		fmt.Fprintf(&out, verb, c.Nodes)
		fmt.Fprintf(&out, verb, &c.Nodes[0])
	}
	text := slog.New(slog.NewTextHandler(&out, nil))
	text.Info("start", "config", c, "nodes", c.Nodes, "password", c.Nodes[0].Password)
	asJSON := slog.New(slog.NewJSONHandler(&out, nil))
	asJSON.Info("start", "config", c, "nodes", c.Nodes, "password", c.Nodes[0].Password)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)

	hex := func(s string) string { return fmt.Sprintf("%x", s) }
	for _, secret := range []string{"from-a-file", "secret-of-redis", "a.token-of-ours", "short-form", "the-key-of-ann-is-secret"} {
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), hex(secret)) {
			t.Errorf("%q got out", secret)
		}
	}
	if !strings.Contains(out.String(), "esl.listen = 0.0.0.0:9084 (testdata/full.good.yaml:5)") {
		t.Error("String does not say what is set where")
	}
}

// TestProblemsHoldNoSecrets: what is wrong with a secret is told without it.
func TestProblemsHoldNoSecrets(t *testing.T) {
	_, err := conf.Load(conf.Source{Flags: flags(t,
		"--redis-url=http://:hush-hush@redis", "--tokens={hush-hush: {}}", "--nodes=[{password: \"hush-hush\\n\"}]")})
	if err == nil || strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("got %v", err)
	}
}
