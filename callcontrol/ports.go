package callcontrol

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"

	"ccxmld/clock"
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

// endLeases ends the leases of controllers that are gone.
func (p *ports) endLeases(ctx context.Context) {
	for _, one := range p.gone(ctx) {
		p.controller.log.Warn("a controller is gone: its port refuses", "controller_id", one.ID, "address", one.Address)
		if err := p.controller.options.Store.EndLease(ctx, one); err != nil {
			p.controller.log.Warn("the lease of a controller that is gone was not ended", "controller_id", one.ID, "error", err)
		}
	}
}

// gone gives the controllers that hold their lease and whose port refuses.
func (p *ports) gone(ctx context.Context) (list []sessionstore.Controller) {
	controllers, err := p.controller.options.Store.Controllers(ctx)
	if err != nil {
		return nil // who looks for dead ones says it
	}
	host := ""
	for _, one := range controllers {
		if one.ID == p.controller.options.ID {
			host = one.Host
		}
	}
	seen := make(map[string]int)
	for _, one := range controllers {
		if !one.Alive || one.ID == p.controller.options.ID || isLoopback(one.Address) && one.Host != host {
			continue
		}
		times, answered := p.refused[one.ID]
		switch err := p.controller.dialPort(ctx, one.Address); {
		case err == nil:
			seen[one.ID] = 0
		case answered && errors.Is(err, syscall.ECONNREFUSED):
			if seen[one.ID] = times + 1; times+1 >= enoughRefusals {
				list = append(list, one)
			}
		case answered:
			seen[one.ID] = 0
		}
	}
	p.refused = seen
	return list
}

// dialPort connects to a controller's address, a list A|B of which its own comes first, and
// closes the connection.
func (c *Controller) dialPort(ctx context.Context, addresses string) error {
	dial := c.options.LinkDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	ctx, cancel := clock.WithTimeout(ctx, c.options.Clock, refusedTimeout)
	defer cancel()
	address, _, _ := strings.Cut(addresses, "|")
	conn, err := dial(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// isLoopback tells whether an address means another machine on each machine.
func isLoopback(addresses string) bool {
	address, _, _ := strings.Cut(addresses, "|")
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
