package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/esl/switchsim"
	"ccxmld/interpreter"
)

// stage is a daemon and the simulated switch that it works with, for commands that
// show what happens there.
type stage struct {
	*tracer
	sw     *switchsim.Switch
	daemon *daemon.Daemon
	phones sync.WaitGroup // goroutines of parties
}

// build makes the switch and the daemon and connects them. settings are the
// daemon's, by environment names without their prefix, beside its addresses. stop
// ends both.
func (s *stage) build(ctx context.Context, log *slog.Logger, observer interpreter.Observer, sw switchsim.Options,
	settings map[string]string, options ...daemon.Option) (stop func() error, err error) {
	s.sw = switchsim.New(sw)
	if err := s.sw.Listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.sw.AddTTS("flite")
	config, err := s.configuration(settings)
	if err == nil {
		s.daemon, err = daemon.New(ctx, config, log, observer, options...)
	}
	if err != nil {
		s.sw.Close()
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.daemon.Run(running) }()
	stop = func() error {
		cancel()
		err := <-ended
		s.sw.Close()
		s.phones.Wait()
		return err
	}
	if err := s.daemon.Controller.WaitNodes(ctx); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

func (s *stage) configuration(settings map[string]string) (*conf.Config, error) {
	all := map[string]string{
		"ESL_LISTEN":  "127.0.0.1:0",
		"HTTP_LISTEN": "127.0.0.1:0",
		"NODES":       fmt.Sprintf("[{name: simulated, address: %q, password: ClueCon}]", s.sw.Addr()),
	}
	maps.Copy(all, settings)
	var environ []string
	for name, value := range all {
		environ = append(environ, "CCXMLD_"+name+"="+value)
	}
	return conf.Load(conf.Source{Environ: environ})
}

// follow prints what a party hears, until the call ends.
func (s *stage) follow(ctx context.Context, party *switchsim.Party) {
	type heard struct {
		what  string
		began time.Time
	}
	s.phones.Go(func() {
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
func (s *stage) quiet(ctx context.Context) error {
	return s.daemon.Controller.WaitIdle(ctx)
}
