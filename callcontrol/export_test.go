package callcontrol

import (
	"maps"
	"slices"
)

// LegIDs are the legs that a controller has, and then those whose end it waits for.
func (c *Controller) LegIDs() (has, waits []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.legs)), slices.Sorted(maps.Keys(c.released))
}
