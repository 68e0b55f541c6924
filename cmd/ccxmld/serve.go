package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/httpapi"
	"ccxmld/logs"
	"ccxmld/sessionstore"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take calls from FreeSWITCH, and token starts over HTTP",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load := func() (*conf.Config, error) {
				return conf.Load(conf.Source{File: file, Flags: cmd.Flags(), Environ: os.Environ()})
			}
			config, err := load()
			if err != nil {
				return err
			}
			return serveLogged(cmd.Context(), config, load, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	conf.Flags(cmd.Flags())
	return cmd
}

// logPatience is how long the end of ccxmld waits for whoever reads its log.
const logPatience = time.Second

// serveLogged runs the daemon with a log for which nothing waits, and by which it
// also says why it ends.
func serveLogged(ctx context.Context, config *conf.Config, load func() (*conf.Config, error), out io.Writer) error {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the log may go away
	log := logs.New(logs.Options{
		Out: out, Level: config.Log.Level, JSON: config.Log.Format == "json", PerSecond: config.Log.LinesPerSecond,
	})
	defer log.Close(logPatience)
	if err := serve(ctx, config, load, log); err != nil {
		log.Logger().Error("ccxmld ends", "error", err)
		return errReported
	}
	return nil
}

// serve runs the daemon. The end of ctx, which a first SIGTERM or SIGINT brings, makes it
// drain; a second one ends it at once. SIGHUP makes it read the configuration again.
func serve(ctx context.Context, config *conf.Config, load func() (*conf.Config, error), lines *logs.Log) error {
	log := lines.Logger()
	// SIGHUP ends a program that does not listen to it, also one that is about to start.
	again, stop := make(chan os.Signal, 1), make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	sessionstore.LogClient(log)
	d, err := daemon.New(ctx, config, log, nil, daemon.WithCounters(func() []httpapi.Counter {
		return []httpapi.Counter{{Name: "log_lines_lost", Value: lines.Lost()}, {Name: "log_lines_left_out", Value: lines.LeftOut()}}
	}))
	if err != nil {
		return err
	}
	log.Info("ccxmld is ready", "version", daemon.Version(), "esl", d.ESLAddress(), "http", d.HTTPAddress(),
		"advertise", d.Advertise(), "nodes", len(config.Nodes))
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	asked, signals := ctx.Done(), 0
	for {
		select {
		case err := <-ended:
			return err
		case <-asked:
			asked = nil
			d.Drain("a signal; a second one ends all calls at once")
		case <-stop:
			if signals++; signals > 1 {
				log.Warn("a second signal: calls are ended at once", "sessions", d.Controller.Sessions())
				end()
			}
		case <-again:
			config, err := load()
			if err == nil {
				err = d.Reload(config)
			}
			if err != nil {
				log.Error("the configuration stays as it was", "error", err)
				continue
			}
			lines.SetLevel(config.Log.Level)
		}
	}
}

func newLogger(config conf.Log, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.Level}
	if config.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
