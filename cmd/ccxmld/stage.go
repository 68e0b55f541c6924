package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/interpreter"
	"ccxmld/site"
	"ccxmld/switchsim"
)

// stage is a site, for commands that show what happens there. Whoever builds it is
// at work by its clock: time passes while he waits through it.
type stage struct {
	*tracer
	*site.Site
	phones sync.WaitGroup // goroutines of parties
}

// newStage makes a stage without a daemon.
func newStage(t *tracer, sw switchsim.Options) (*stage, error) {
	s, err := site.New(sw)
	if err != nil {
		return nil, err
	}
	s.Switch.AddTTS("flite")
	t.now, t.began = s.Clock.Now, s.Clock.Now()
	return &stage{tracer: t, Site: s}, nil
}

// serve starts the daemon. settings are its own, by environment names without their
// prefix, beside its addresses. others takes HTTP requests to addresses that are not
// on the stage.
func (s *stage) serve(ctx context.Context, log *slog.Logger, observer interpreter.Observer, settings map[string]string, others http.RoundTripper) error {
	all := map[string]string{
		"ESL_LISTEN":  "127.0.0.1:0",
		"HTTP_LISTEN": "127.0.0.1:0",
		"NODES":       "[{name: simulated, address: '" + s.Switch.Addr() + "', password: ClueCon}]",
		// What scripts may take is on the wall, also where the machine is busy.
		"LIMITS_SCRIPT_TIME": "5s",
	}
	maps.Copy(all, settings)
	var environ []string
	for name, value := range all {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	config, err := conf.Load(conf.Source{Environ: environ})
	if err != nil {
		return err
	}
	return s.Start(ctx, config, log, observer, others)
}

// end ends the daemon and the switch; nothing is printed any more. unwatch ends what
// the parties wait for.
func (s *stage) end(unwatch func()) error {
	s.finish()
	unwatch()
	err := s.Close()
	s.phones.Wait()
	return err
}

// onThePhone runs what a party does in a goroutine of its own.
func (s *stage) onThePhone(f func()) { clock.GoIn(&s.phones, s.Clock, f) }

// follow prints what a party hears, until the call ends.
func (s *stage) follow(ctx context.Context, party *switchsim.Party) {
	type heard struct {
		what  string
		began time.Time
	}
	s.onThePhone(func() {
		known := make(map[heard]bool)
		for {
			err := party.WaitHeardFunc(ctx, func(sound switchsim.Sound) bool { return !known[heard{sound.What, sound.From}] })
			for _, sound := range party.Heard() {
				if key := (heard{sound.What, sound.From}); !known[key] {
					known[key] = true
					s.line(heardColour, party.Number(), "hears", "%s: %s", sound.Kind, sound.What)
				}
			}
			if err != nil {
				return
			}
		}
	})
}

// quiet waits until no session runs any more.
func (s *stage) quiet(ctx context.Context) error { return s.Daemon.Controller.WaitIdle(ctx) }

// machineNetwork leads to the network of the machine, whose time is real: one
// exchange takes at most so long, and none of the calls' time.
type machineNetwork struct {
	next  http.RoundTripper
	limit time.Duration
}

// RoundTrip implements http.RoundTripper.
func (n machineNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), n.limit, errors.New("no answer in time"))
	response, err := n.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &exchange{response.Body, cancel}
	return response, nil
}

// CloseIdleConnections is for http.Client's.
func (n machineNetwork) CloseIdleConnections() {
	if t, ok := n.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// exchange is the body of an answer, with which the time for it ends.
type exchange struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (e *exchange) Close() error {
	defer e.cancel()
	return e.ReadCloser.Close()
}
