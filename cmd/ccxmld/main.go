// Command ccxmld runs CCXML call control applications on FreeSWITCH.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errReported ends a command that has already said what was wrong.
var errReported = errors.New("reported")

// run runs the command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "ccxmld",
		Short:         "Runs CCXML call control applications on FreeSWITCH",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(serveCommand(), demoCommand(), simulateCommand(), checkCommand(), doctorCommand(), drainCommand(), conformanceCommand(), versionCommand())
	root.AddCommand(configCommand())
	root.AddCommand(operateCommands()...)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(stderr, "ccxmld:", err)
	}
	return 1
}
