package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"ccxmld/clock"
)

const (
	// drainReport is how often the log tells of a drain that goes on.
	drainReport = 5 * time.Second
	// drainSample is how many of the sessions that are left it names.
	drainSample = 5
)

// Drain has the daemon take no new sessions, and Run end when those that it has are
// over, or drain.timeout is. by says for the log who wants it. Further calls do nothing.
func (d *Daemon) Drain(by string) {
	if d.drainAsked.Opened() {
		return
	}
	d.log.Info("draining: no new sessions are taken", "by", by, "sessions", d.Controller.Sessions(), "timeout", d.current.Load().Drain.Timeout)
	d.api.Drain()
	d.Controller.Drain()
	d.drainAsked.Open()
}

// drain hands the sessions over to another controller. Where there is none, it waits for
// one, until no session is left, drain.timeout is over, or ctx ends.
func (d *Daemon) drain(ctx context.Context) {
	begun := d.clock.Now()
	whole := ctx
	ctx, cancel := clock.WithTimeout(ctx, d.clock, d.current.Load().Drain.Timeout)
	defer cancel()
	for ctx.Err() == nil {
		if d.Controller.CanHandOver(ctx) {
			d.handOver(whole)
			return
		}
		d.tellSystemd(fmt.Sprintf("STATUS=draining: %d sessions are left", d.Controller.Sessions()),
			fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (drainReport+2*CloseTime).Microseconds()))
		report, stop := clock.WithTimeout(ctx, d.clock, drainReport)
		err := d.Controller.WaitIdle(report)
		stop()
		if err == nil {
			d.log.Info("drained", "after", d.clock.Now().Sub(begun))
			return
		}
		if ctx.Err() != nil {
			break
		}
		d.log.Info("draining", "sessions", d.Controller.Sessions(), "connections", d.Controller.Connections(),
			"some", strings.Join(d.Controller.SessionIDs(drainSample), " "), "after", d.clock.Now().Sub(begun))
	}
	if n := d.Controller.Sessions(); n > 0 && d.Controller.IsDurable() && whole.Err() == nil {
		d.handOver(whole)
	} else if n > 0 {
		d.log.Warn("the drain is over before all sessions are: they are ended", "sessions", n,
			"some", strings.Join(d.Controller.SessionIDs(drainSample), " "), "after", d.clock.Now().Sub(begun))
	}
}

// handOver leaves the sessions to whoever takes them over.
func (d *Daemon) handOver(ctx context.Context) {
	ctx, cancel := clock.WithTimeout(ctx, d.clock, CloseTime)
	defer cancel()
	n, err := d.Controller.HandOver(ctx)
	if err != nil {
		d.log.Error("sessions have not been handed over in time", "sessions", n, "error", err)
		return
	}
	d.log.Info("drained: the sessions go on with another controller, or with this one when it is started again", "sessions", n)
}

// tellSystemd tells systemd, if it has started ccxmld, of its state (sd_notify). What
// systemd does not take is no reason to stop.
func (d *Daemon) tellSystemd(states ...string) {
	if d.network == nil {
		_, _ = systemd.SdNotify(false, strings.Join(states, "\n"))
	}
}
