package conf

import (
	"crypto/sha256"

	yaml "go.yaml.in/yaml/v3"
)

// Changed lists the settings that another configuration has other values for: those
// that a running ccxmld takes up, and those that need a new start.
func (c *Config) Changed(other *Config) (taken, restart []string) {
	for _, d := range c.Diff(other) {
		if d.Live {
			taken = append(taken, d.Key)
		} else {
			restart = append(restart, d.Key)
		}
	}
	return taken, restart
}

// sumOf tells whether two values were written alike.
func sumOf(n *yaml.Node) [sha256.Size]byte {
	text, _ := yaml.Marshal(n) // what was read can be written
	return sha256.Sum256(text)
}
