package conf

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestLiveSettings: what docs/operations.md says of settings that a running ccxmld takes
// up is true.
func TestLiveSettings(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(text), "## Changing the configuration")
	for _, s := range settings {
		named := strings.Contains(said, "`"+s.key+"`")
		if limit := strings.HasPrefix(s.key, "limits."); limit == (named == s.live) {
			t.Errorf("%s: taken up: %v, named in docs/operations.md: %v", s.key, s.live, named)
		}
	}
}

// TestChanged: a setting has changed if it is written otherwise.
func TestChanged(t *testing.T) {
	load := func(environ ...string) *Config {
		t.Helper()
		c, err := Load(Source{Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := load("CCXMLD_NODES=[{name: a, address: '127.0.0.1:1', password: one}]", "CCXMLD_REDIS_PREFIX=a:", "CCXMLD_MAIL_FROM=a@example.org")
	taken, restart := before.Changed(load("CCXMLD_NODES=[{name: a, address: '127.0.0.1:1', password: two}]", "CCXMLD_MAIL_FROM=a@example.org", "CCXMLD_LOG_LEVEL=warn"))
	if want := []string{"nodes", "log.level"}; !slices.Equal(taken, want) {
		t.Errorf("taken up: %v, want %v", taken, want)
	}
	if want := []string{"redis.prefix"}; !slices.Equal(restart, want) {
		t.Errorf("need a new start: %v, want %v", restart, want)
	}
}
