package conf

import (
	"crypto/sha256"

	yaml "go.yaml.in/yaml/v3"
)

// Changed lists the settings that another configuration has other values for: those
// that a running ccxmld takes up, and those that need a new start.
func (c *Config) Changed(other *Config) (taken, restart []string) {
	for i, setting := range settings {
		switch {
		case c.effective[i].sum == other.effective[i].sum:
		case setting.live:
			taken = append(taken, setting.key)
		default:
			restart = append(restart, setting.key)
		}
	}
	return taken, restart
}

// sumOf tells whether two values were written alike.
func sumOf(n *yaml.Node) [sha256.Size]byte {
	text, _ := yaml.Marshal(n) // what was read can be written
	return sha256.Sum256(text)
}
