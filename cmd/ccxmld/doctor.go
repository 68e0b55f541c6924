package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ccxmld/conf"
	"ccxmld/doctor"
	"ccxmld/fetch"
	"ccxmld/interpreter/lint"
	"ccxmld/sessionstore"
)

func doctorCommand() *cobra.Command {
	var d doctorRun
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Look at FreeSWITCH, Redis, documents and addresses before a call does",
		Long: `Doctor reads the configuration as serve does, and looks at all it names: whether each
FreeSWITCH is reached, is set up, speaks, plays and records; whether Redis does what is asked
of it; whether documents load; whether dial routes lead somewhere. On each FreeSWITCH it places
a short call from FreeSWITCH to itself. It may run beside a ccxmld that works.

Each line is ok, warning or problem, the last two with how to mend it. The exit status is 1 if
there is a problem, or with --strict a warning; else 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := conf.Load(conf.Source{File: d.file, Flags: cmd.Flags(), Environ: os.Environ()})
			if err != nil {
				return err
			}
			return d.run(cmd.Context(), config, cmd.OutOrStdout())
		},
	}
	command.Flags().StringVar(&d.file, "config", "", "configuration file (YAML); see conf/ccxmld.yaml")
	command.Flags().StringVar(&d.format, "format", "text", "text, or json for an array of objects")
	command.Flags().BoolVar(&d.strict, "strict", false, "warnings make the exit status 1 too")
	command.Flags().DurationVar(&d.patience, "patience", 5*time.Second, "how long to wait for each answer of another machine")
	conf.Flags(command.Flags())
	return command
}

// doctorRun is one run of ccxmld doctor.
type doctorRun struct {
	file     string
	format   string
	strict   bool
	patience time.Duration
}

// run examines, and reports whether all is well.
func (d *doctorRun) run(ctx context.Context, config *conf.Config, out io.Writer) error {
	if d.format != "text" && d.format != "json" {
		return fmt.Errorf("--format is %q; expected text or json", d.format)
	}
	if d.patience <= 0 {
		return fmt.Errorf("--patience is %s; expected a time such as 5s", d.patience)
	}
	sessionstore.LogClient(slog.New(slog.DiscardHandler))
	client, err := fetch.New(fetch.Options{
		Allow: config.Documents.Allow, Links: config.Documents.Links, MaxBytes: config.Limits.DocumentBytes, Timeout: config.Limits.FetchTimeout,
	})
	if err != nil {
		return fmt.Errorf("documents.allow: %w", err)
	}
	documents := checker{asConfigured: true}
	documents.prepare(client)
	report := report{out: out, asJSON: d.format == "json", findings: []doctor.Finding{}}
	worst := doctor.Examine(ctx, doctor.Options{
		Config: config, Found: report.add, Patience: d.patience,
		Document: func(ctx context.Context, uri string) error {
			for _, finding := range documents.document(ctx, uri) {
				switch {
				case finding.Severity != lint.Error:
				case finding.Position.Line > 0:
					return fmt.Errorf("line %d: %s", finding.Position.Line, finding.Message)
				default:
					return errors.New(finding.Message)
				}
			}
			return nil
		},
	})
	switch err := errors.Join(report.end(), ctx.Err()); {
	case err != nil:
		return err
	case worst == doctor.Problem || d.strict && worst == doctor.Warning:
		return errReported
	}
	return nil
}

// report prints findings: text as they come, JSON at the end.
type report struct {
	out      io.Writer
	asJSON   bool
	about    string // of the last line
	findings []doctor.Finding
	failed   error // to write
}

func (r *report) add(f doctor.Finding) {
	r.findings = append(r.findings, f)
	if r.asJSON {
		return
	}
	text := fmt.Sprintf("  %-8s %s\n", f.Status, f.Text)
	if f.About != r.about {
		text = f.About + "\n" + text
	}
	r.about = f.About
	if f.Mend != "" {
		text += "           mend: " + f.Mend + "\n"
	}
	if _, err := io.WriteString(r.out, text); err != nil && r.failed == nil {
		r.failed = err
	}
}

func (r *report) end() error {
	count := make(map[doctor.Status]int)
	for _, f := range r.findings {
		count[f.Status]++
	}
	if !r.asJSON {
		_, err := fmt.Fprintf(r.out, "%d ok, %d warnings, %d problems\n", count[doctor.OK], count[doctor.Warning], count[doctor.Problem])
		return errors.Join(r.failed, err)
	}
	encoder := json.NewEncoder(r.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r.findings)
}
