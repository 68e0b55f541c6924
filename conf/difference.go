package conf

// Difference is a setting that two configurations have other values for.
type Difference struct {
	Key      string
	Old, New string // without secrets
	Live     bool   // a running ccxmld takes it up; others need a new start
}

// Diff lists what another configuration has other values for.
func (c *Config) Diff(other *Config) (list []Difference) {
	for i, s := range settings {
		old, next := c.effective[i], other.effective[i]
		if old.sum != next.sum {
			list = append(list, Difference{s.key, old.text, next.text, s.live})
		}
	}
	return list
}
