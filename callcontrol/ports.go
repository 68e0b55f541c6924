package callcontrol

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"

	"ccxmld/clock"
	"ccxmld/remote"
	"ccxmld/sessionstore"
)

// A controller whose process has ended need not be waited for until its lease is over: its
// machine refuses connections to its port. Only a port that has answered before counts, and
// only one that refuses again and again.

// enoughRefusals is how often in a row, a second apart, a port refuses that of a controller
// that is gone.
const enoughRefusals = 2

// ports are the ports of other controllers, as a controller finds them.
type ports struct {
	controller *Controller
	refused    map[string]int // how often in a row, by controller; none of those that have never answered
}

// endLeases ends the leases of controllers that are gone, which do not count as alive from
// then on.
func (p *ports) endLeases(ctx context.Context, controllers []sessionstore.Controller) []sessionstore.Controller {
	controllers = slices.Clone(controllers)
	for _, i := range p.gone(ctx, controllers) {
		one := &controllers[i]
		p.controller.log.Warn("a controller is gone: its port refuses", "controller_id", one.ID, "address", one.Address)
		if err := p.controller.options.Store.EndLease(ctx, *one); err != nil {
			p.controller.log.Warn("the lease of a controller that is gone was not ended", "controller_id", one.ID, "error", err)
			continue
		}
		one.Alive = false
	}
	return controllers
}

// gone gives the places of those that hold their lease and whose port refuses.
func (p *ports) gone(ctx context.Context, controllers []sessionstore.Controller) (places []int) {
	host := ""
	for _, one := range controllers {
		if one.ID == p.controller.options.ID {
			host = one.Host
		}
	}
	seen := make(map[string]int)
	for i, one := range controllers {
		address := ownAddress(one)
		if !one.Alive || one.ID == p.controller.options.ID || isLoopback(address) && one.Host != host {
			continue
		}
		times, answered := p.refused[one.ID]
		switch err := p.controller.dialPort(ctx, address); {
		case answered && errors.Is(err, syscall.ECONNREFUSED):
			if seen[one.ID] = times + 1; times+1 >= enoughRefusals {
				places = append(places, i)
			}
		case answered || err == nil:
			seen[one.ID] = 0
		}
	}
	p.refused = seen
	return places
}

// ownAddress is a controller's own of the addresses A|B that it tells FreeSWITCH.
func ownAddress(c sessionstore.Controller) string {
	address, _, _ := strings.Cut(c.Address, "|")
	return address
}

// dialPort connects to a controller's address, and closes the connection.
func (c *Controller) dialPort(ctx context.Context, address string) error {
	dial := c.options.LinkDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, refusedTimeout)
	defer cancel()
	conn, err := dial(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// isLoopback tells whether an address means another machine on each machine.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && remote.IsLoopback(host)
}
