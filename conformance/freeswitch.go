package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"ccxmld/clock"
	"ccxmld/esl"
)

// real is a FreeSWITCH with the suite's parties, which are loopback legs.
type real struct {
	address, password string
	link              *esl.Link
	cancel            context.CancelFunc
	ended             chan struct{}
}

// NewFreeSWITCH connects to a FreeSWITCH for a Site, which is named by
// HOST:PORT:PASSWORD of its mod_event_socket. It must be on this machine, take 500
// new calls a second, and have mod_loopback, mod_conference with the profile ccxmld, mod_tone_stream and the
// speech engine flite; no phone is needed.
func NewFreeSWITCH(ctx context.Context, named string, log *slog.Logger) (Switch, error) {
	at := strings.LastIndex(named, ":")
	if at < 0 || !strings.Contains(named[:at], ":") {
		return nil, fmt.Errorf("%q does not name a FreeSWITCH; expected HOST:PORT:PASSWORD of mod_event_socket", named)
	}
	r := &real{address: named[:at], password: named[at+1:], ended: make(chan struct{})}
	up := make(chan struct{}, 1)
	r.link = esl.NewLink(esl.LinkOptions{
		Name: "parties", Address: r.address, Password: r.password, Logger: log,
		OnUp: func() {
			select {
			case up <- struct{}{}:
			default:
			}
		},
	})
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	go func() { defer close(r.ended); _ = r.link.Run(running) }()
	select {
	case <-up:
		if err := r.fastEnough(ctx); err != nil {
			r.Close()
			return nil, err
		}
		return r, nil
	case <-ctx.Done():
		r.Close()
		err := r.link.Err()
		if remedy := esl.Remedy(err); remedy != "" {
			return nil, fmt.Errorf("FreeSWITCH at %s cannot be reached: %w: %s", r.address, err, remedy)
		}
		return nil, fmt.Errorf("FreeSWITCH at %s cannot be reached: %w", r.address, errors.Join(ctx.Err(), err))
	}
}

// leastRate is how many calls a second the suite is run with, at least. A loopback
// call is two of them, and what FreeSWITCH refuses looks like a document's failure.
const leastRate = 500

// fastEnough looks whether FreeSWITCH takes calls as fast as the suite places them.
func (r *real) fastEnough(ctx context.Context) error {
	reply, err := r.link.Do(ctx, esl.API("fsctl", "sps"))
	if err != nil {
		return fmt.Errorf("FreeSWITCH at %s: %w", r.address, err)
	}
	text := strings.TrimSpace(reply.Text)
	rate, err := strconv.Atoi(text[strings.LastIndexByte(text, ' ')+1:])
	if err == nil && rate < leastRate {
		return fmt.Errorf("FreeSWITCH at %s takes %d new calls a second and refuses the others; the suite needs %d: fs_cli -x 'fsctl sps %d', until its next start",
			r.address, rate, leastRate, leastRate)
	}
	return nil
}

// Settings implements Switch.
func (r *real) Settings() map[string]string {
	var routes []string
	for _, p := range parties {
		routes = append(routes, fmt.Sprintf("{match: 'sip:%s@party', dial: 'loopback/m:^:%s/default/inline'}", p.name, p.real))
	}
	return map[string]string{
		"NODES":       fmt.Sprintf("[{name: real, address: %q, password: %q}]", r.address, r.password),
		"DIAL_ROUTES": "[" + strings.Join(routes, ", ") + "]",
	}
}

// Call implements Switch.
func (r *real) Call(ctx context.Context, address, uri string, caller Caller) error {
	id := uuid.NewString()
	// What mod_sofia tells of a call's INVITE, which a loopback leg has not.
	told := caller.variables()
	maps.Copy(told, map[string]string{
		"ccxml_uri": uri, "sip_full_from": "<sip:4075550100@party>", "sip_full_to": "<sip:8001@party>", "sip_call_id": id,
		"sip_from_uri": "4075550100@party", "sip_to_uri": "8001@party",
	})
	variables := map[string]string{
		"loopback_bowout": "false", "loopback_bowout_on_execute": "false", "origination_caller_id_number": "4075550100",
		"loopback_export": strings.Join(slices.Sorted(maps.Keys(told)), ","),
	}
	maps.Copy(variables, told)
	call := esl.Originate{
		UUID: id, Dial: "loopback/app=socket:" + address + " async full", Extension: "&park()", Vars: variables,
	}
	answered := make(chan bool, 1)
	r.link.Job(call.Command(), func(result string, err error) {
		answered <- err == nil && strings.HasPrefix(result, "+OK")
	})
	go r.play(ctx, id, answered, caller)
	return nil
}

// play takes a caller's steps, and hangs up when the test is over.
func (r *real) play(ctx context.Context, id string, answered <-chan bool, caller Caller) {
	defer func() { r.link.Send(esl.API("uuid_kill", id), nil) }()
	for steps := caller.Steps; ctx.Err() == nil; steps = caller.next(ctx) {
		if !r.take(ctx, id, answered, steps) {
			return
		}
	}
}

// take takes steps; not done when the caller is to hang up or the test is over.
func (r *real) take(ctx context.Context, id string, answered <-chan bool, steps []Step) (done bool) {
	for _, step := range steps {
		switch step.Do {
		case Answered:
			select {
			case ok := <-answered:
				if !ok {
					return false
				}
			case <-ctx.Done():
				return false
			}
		case Wait:
			if !clock.Sleep(ctx, clock.Real(), step.Wait) {
				return false
			}
		case Press:
			r.link.Send(esl.API("uuid_send_dtmf", id, step.Keys), nil)
		case HangUp:
			return false
		}
	}
	return true
}

// Close implements Switch.
func (r *real) Close() {
	r.cancel()
	<-r.ended
}
