package conf_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"ccxmld/conf"
)

// TestEveryKeyIsDocumented holds docs/configuration.md against the table of
// settings, in both directions, defaults included.
func TestEveryKeyIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("ccxmld", pflag.ContinueOnError)
	conf.Flags(fs)
	rows := map[string]string{} // the default's column by key
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	for _, key := range conf.Keys() {
		column, ok := rows[key]
		if !ok {
			t.Errorf("%s has no row in docs/configuration.md", key)
			continue
		}
		f := fs.Lookup(strings.NewReplacer(".", "-", "_", "-").Replace(key))
		if f == nil || f.Usage == "" {
			t.Errorf("%s has no flag with a help text", key)
			continue
		}
		if f.DefValue != "" && key != "dialog.spool" && key != "dialog.recordings" && column != "`"+f.DefValue+"`" {
			t.Errorf("%s: docs/configuration.md says %s, the default is %s", key, column, f.DefValue)
		}
	}
	known := strings.Join(conf.Keys(), " ") + " name address password password_file weight sip role key key_file certificate "
	for key := range rows {
		if !strings.Contains(known+" ", key) {
			t.Errorf("docs/configuration.md describes %s, which is no key", key)
		}
	}
}

// TestExamplesInShippedFile takes the comment signs away from the examples in
// ccxmld.yaml: they must load, and then every key is set.
func TestExamplesInShippedFile(t *testing.T) {
	text, err := os.ReadFile("ccxmld.yaml")
	if err != nil {
		t.Fatal(err)
	}
	empty := regexp.MustCompile(`(?m)^( *)(nodes|routes|allow|hosts|tokens|operators): *(\[\]|\{\})\n`)
	example := regexp.MustCompile(`(?m)^( *)# ( *(?:[a-z0-9_]+:|- ).*)$`)
	uncommented := example.ReplaceAllString(empty.ReplaceAllString(string(text), ""), "$1$2")
	uncommented = strings.Replace(uncommented, "esl:\n", "esl:\n  allow: []\n", 1) // has no example of its own

	file := filepath.Join(t.TempDir(), "ccxmld.yaml")
	for name, content := range map[string]string{
		"ccxmld.yaml": uncommented, "fs1.password": "pw\n", "ann.key": "0123456789abcdef\n", "tls.crt": "", "tls.key": "", "operators-ca.pem": "", "webhook.secret": "s\n",
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(load(t, conf.Source{File: file}).String()), "\n") {
		if strings.HasSuffix(line, "(default)") {
			t.Errorf("ccxmld.yaml does not show %s", line)
		}
	}
}
