package daemon

import (
	"fmt"
	"strings"

	"ccxmld/conf"
)

// Reload takes up a configuration that was read again, as far as a running daemon can:
// nodes, routes, what may be fetched, tokens, limits, drain.timeout. Calls and sessions
// go on. The log says what changed, and what needs a new start. On an error everything
// stays as it was.
func (d *Daemon) Reload(config *conf.Config) error {
	if err := d.documents.Set(fetchOptions(config, config.Limits.DocumentBytes)); err != nil {
		return fmt.Errorf("documents.allow: %w", err)
	}
	if err := d.audio.Set(fetchOptions(config, config.Limits.AudioBytes)); err != nil {
		return fmt.Errorf("documents.allow: %w", err)
	}
	taken, _ := d.current.Load().Changed(config)
	_, restart := d.config.Changed(config)
	d.current.Store(config)
	d.Controller.SetLimits(d.limits())
	d.Controller.SetNodes(nodesOf(config))
	d.api.SetTokens(config.Tokens)
	d.access.Set(config.API)
	d.log.Info("the configuration was read again", "changed", strings.Join(taken, " "))
	if len(restart) > 0 {
		d.log.Warn("some settings have changed that hold from the next start only", "settings", strings.Join(restart, " "))
	}
	return nil
}
