package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ccxmld/conf"
	"ccxmld/daemon"
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
			return serve(cmd.Context(), config, load, newLogger(config.Log, cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	conf.Flags(cmd.Flags())
	return cmd
}

// serve runs the daemon until ctx ends. SIGHUP makes it read the configuration
// again.
func serve(ctx context.Context, config *conf.Config, load func() (*conf.Config, error), log *slog.Logger) error {
	sessionstore.LogClient(log)
	d, err := daemon.New(ctx, config, log, nil)
	if err != nil {
		return err
	}
	log.Info("ccxmld is ready", "version", daemon.Version(), "esl", d.ESLAddress(), "http", d.HTTPAddress(),
		"advertise", d.Advertise(), "nodes", len(config.Nodes))
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	for {
		select {
		case err := <-ended:
			return err
		case <-again:
			config, err := load()
			if err != nil {
				log.Error("the configuration stays as it was", "error", err)
				continue
			}
			d.Reload(config)
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
