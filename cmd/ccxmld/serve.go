package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"ccxmld/conf"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take calls from FreeSWITCH, and token starts over HTTP",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := conf.Load(conf.Source{File: file, Flags: cmd.Flags(), Environ: os.Environ()})
			if err != nil {
				return err
			}
			return serve(cmd.Context(), config, newLogger(config.Log, cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	conf.Flags(cmd.Flags())
	return cmd
}

// serve runs the daemon until ctx ends.
func serve(ctx context.Context, config *conf.Config, log *slog.Logger) error {
	d, err := newDaemon(ctx, config, log, nil)
	if err != nil {
		return err
	}
	log.Info("ccxmld is ready", "version", version(), "esl", d.eslAddress(), "http", d.httpAddress(),
		"advertise", d.advertise, "nodes", len(config.Nodes))
	return d.run(ctx)
}

func newLogger(config conf.Log, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.Level}
	if config.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// hostName names this machine for the store; not knowing it is no reason to stop.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return fmt.Sprintf("pid-%d", os.Getpid())
	}
	return name
}
