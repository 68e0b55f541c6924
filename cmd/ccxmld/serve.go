package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"ccxmld/conf"
	"ccxmld/daemon"
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
	d, err := daemon.New(ctx, config, log, nil)
	if err != nil {
		return err
	}
	log.Info("ccxmld is ready", "version", daemon.Version(), "esl", d.ESLAddress(), "http", d.HTTPAddress(),
		"advertise", d.Advertise(), "nodes", len(config.Nodes))
	return d.Run(ctx)
}

func newLogger(config conf.Log, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.Level}
	if config.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
