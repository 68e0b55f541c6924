package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ccxmld/conf"
)

// configCommand looks at configurations, without starting anything.
func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check, show and compare configurations"}
	cmd.AddCommand(configCheckCommand(), configShowCommand(), configSchemaCommand(), configDiffCommand())
	return cmd
}

// loading is a command that loads the configuration which serve would have.
func loading(use, short string, do func(*conf.Config, io.Writer) error) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := conf.Load(conf.Source{File: file, Flags: cmd.Flags(), Environ: os.Environ()})
			if err != nil {
				return err
			}
			return do(config, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	conf.Flags(cmd.Flags())
	return cmd
}

func configCheckCommand() *cobra.Command {
	return loading("check", "Say what is wrong with a configuration; ccxmld doctor also tries what it leads to", func(_ *conf.Config, out io.Writer) error {
		_, err := fmt.Fprintln(out, "the configuration can be used")
		return err
	})
}

func configShowCommand() *cobra.Command {
	return loading("show", "Show every setting, and where it comes from; secrets are left out", func(c *conf.Config, out io.Writer) error {
		_, err := fmt.Fprint(out, c.String())
		return err
	})
}

func configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Write the JSON Schema of the configuration file, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := conf.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(text))
			return err
		},
	}
}

func configDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff OLD NEW", Short: "Show what differs between two configuration files, and what of it needs a new start", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var configs [2]*conf.Config
			for i, file := range args {
				var err error
				if configs[i], err = conf.Load(conf.Source{File: file}); err != nil {
					return err
				}
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, d := range configs[0].Diff(configs[1]) {
				takes := "by a new start"
				if d.Live {
					takes = "by SIGHUP"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", d.Key, shown(d.Old), shown(d.New), takes)
			}
			return table.Flush()
		},
	}
}

func shown(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}
