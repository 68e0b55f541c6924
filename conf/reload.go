package conf

import (
	"crypto/sha256"
	"slices"

	yaml "go.yaml.in/yaml/v3"
)

// live are the settings that a running ccxmld takes up when it reads its configuration
// again. The others need a new start.
var live = []string{
	"nodes", "documents.routes", "documents.allow", "documents.links", "tokens", "dial.routes", "dial.redirects", "drain.timeout", "log.level",
	"limits.sessions", "limits.percent_for_calls", "limits.children_per_session", "limits.children_per_tree", "limits.children_per_second",
	"limits.events_queued", "limits.events_per_second", "limits.connections_per_session", "limits.dialogs_per_session",
	"limits.conferences_per_session", "limits.members_per_conference", "limits.script_steps", "limits.script_memory", "limits.script_time",
	"limits.ecmascript", "limits.regexp_backtracking", "limits.session_lifetime", "limits.document_bytes", "limits.audio_bytes",
	"limits.fetch_timeout", "limits.originates_per_second", "limits.originates_waiting",
}

// Changed lists the settings that another configuration has other values for: those
// that a running ccxmld takes up, and those that need a new start.
func (c *Config) Changed(other *Config) (taken, restart []string) {
	for i, setting := range c.effective {
		switch {
		case setting.sum == other.effective[i].sum:
		case slices.Contains(live, setting.key):
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
