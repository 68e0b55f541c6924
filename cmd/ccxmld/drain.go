package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ccxmld/conf"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

func drainCommand() *cobra.Command {
	var file, controller string
	cmd := &cobra.Command{
		Use:   "drain --controller ID",
		Short: "Have a controller take no new sessions, and end with its last one",
		Long: `Drain does over Redis what SIGTERM does to a controller: it takes no new sessions, those that
run go on until they end or drain.timeout is over, and then it ends. Without --controller the
controllers are listed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := conf.Load(conf.Source{File: file, Flags: cmd.Flags(), Environ: os.Environ()})
			if err != nil {
				return err
			}
			return drain(cmd.Context(), config, controller, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	cmd.Flags().StringVar(&controller, "controller", "", "the controller's id, as its log, Redis and this command name it")
	conf.Flags(cmd.Flags())
	return cmd
}

// drainTimeout bounds what the command waits for Redis.
const drainTimeout = 10 * time.Second

// drain asks a controller to drain, or lists them where none is named.
func drain(ctx context.Context, config *conf.Config, controller string, out io.Writer) error {
	if config.Redis.URL == "" {
		return errors.New("redis.url is not set: a controller with an embedded Redis is reached by nothing but SIGTERM")
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	sessionstore.LogClient(quiet)
	store, err := sessionstore.Open(ctx, sessionstore.Options{URL: config.Redis.URL, CA: config.Redis.CA, Prefix: config.Redis.Prefix, Logger: quiet})
	if err != nil {
		return fmt.Errorf("redis.url: %w", err)
	}
	defer func() { _ = store.Close() }()
	if controller == "" {
		return listControllers(ctx, store, out)
	}
	switch err := peer.AskToDrain(ctx, store, controller, "ccxmld drain"); {
	case errors.Is(err, sessionstore.ErrNoController):
		return fmt.Errorf("no controller %q lives; ccxmld drain without --controller lists them", controller)
	case err != nil:
		return err
	}
	fmt.Fprintf(out, "controller %s is asked to drain\n", controller)
	return nil
}

func listControllers(ctx context.Context, store *sessionstore.Store, out io.Writer) error {
	controllers, err := store.Controllers(ctx)
	if err != nil {
		return err
	}
	for _, c := range controllers {
		state := "alive"
		if !c.Alive {
			state = "gone"
		}
		fmt.Fprintf(out, "%s %s on %s, process %d, version %s\n", c.ID, state, c.Host, c.PID, c.Version)
	}
	if len(controllers) == 0 {
		fmt.Fprintln(out, "no controller is registered in this Redis under this prefix")
	}
	return nil
}
