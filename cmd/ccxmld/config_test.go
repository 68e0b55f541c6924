package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Configurations are checked, shown and compared without anything being started, and no secret
// is shown.
func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good.yaml", "nodes: [{name: fs1, address: 127.0.0.1:8021, password: ClueCon}]\ntokens: {s3cret: file:///a.ccxml}\n")
	other := write("other.yaml", "nodes: [{name: fs1, address: 127.0.0.1:8021, password: another}]\nesl: {listen: 127.0.0.1:9084}\n")
	bad := write("bad.yaml", "esl: {lisen: x}\n")
	for _, test := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"config", "check", "--config", good}, 0, []string{"can be used"}},
		{[]string{"config", "check", "--config", bad}, 1, []string{"bad.yaml:1", "did you mean esl.listen"}},
		{[]string{"config", "show", "--config", good}, 0, []string{"nodes = 1 entries (" + good + ":1)", "drain.timeout = 10m (default)"}},
		{[]string{"config", "diff", good, other}, 0, []string{"nodes", "by SIGHUP", "esl.listen  127.0.0.1:8084  127.0.0.1:9084  by a new start", "tokens"}},
		{[]string{"config", "diff", good, good}, 0, nil},
		{[]string{"config", "diff", good, bad}, 1, []string{"did you mean"}},
	} {
		var out bytes.Buffer
		status := run(t.Context(), test.args, &out, &out)
		if status != test.status || test.want == nil && out.Len() > 0 {
			t.Errorf("%q: %d %s", test.args, status, &out)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q says no %q: %s", test.args, want, &out)
			}
		}
		for _, secret := range []string{"s3cret", "ClueCon", "another"} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%q shows %s", test.args, secret)
			}
		}
	}
	var out bytes.Buffer
	if status := run(t.Context(), []string{"config", "schema"}, &out, &out); status != 0 || !json.Valid(out.Bytes()) {
		t.Errorf("%d %s", status, &out)
	}
}
