package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	project "ccxmld"
	"ccxmld/conf"
	"ccxmld/conformance"
)

// conformanceOptions are the flags of ccxmld conformance.
type conformanceOptions struct {
	freeswitch string // HOST:PORT:PASSWORD, or "" for the simulated switch
	run        string // a regular expression for paths and ids
	dir        string // a suite of one's own
	vxml       bool   // the suite of VoiceXML
	markdown   bool
	verbose    bool
}

func conformanceCommand() *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "conformance",
		Short: "Run the conformance suite and report by section",
		Long: `Conformance runs a document for each requirement of CCXML 1.0, of Voxeo's dialect
and of that of 2002, or with --vxml a page for each assertion of VoiceXML 2.0 and
2.1, on a simulated switch and an embedded Redis, or on the
FreeSWITCH that --freeswitch names. That one must be on this machine, set up as
docs/freeswitch.md says, with flite and mod_loopback, and have no other work; it
needs no phone. The exit status is 1 if one fails.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.DiscardHandler)
			if o.verbose {
				log = newLogger(conf.Log{Level: slog.LevelDebug}, cmd.ErrOrStderr())
			}
			return runConformance(cmd.Context(), o, cmd.OutOrStdout(), log)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.freeswitch, "freeswitch", "", "run on the FreeSWITCH with mod_event_socket at HOST:PORT:PASSWORD")
	flags.StringVar(&o.run, "run", "", "run only documents whose path or requirements match this regular expression")
	flags.StringVar(&o.dir, "suite", "", "run the documents in this folder, written like testdata/conformance")
	flags.BoolVar(&o.vxml, "vxml", false, "run the suite of VoiceXML")
	flags.BoolVar(&o.markdown, "markdown", false, "print the report as Markdown")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "print the daemon's own log too")
	return cmd
}

// parallelTests is how many documents run at a time.
const parallelTests = 16

// runConformance runs the suite and prints the report.
func runConformance(ctx context.Context, o conformanceOptions, out io.Writer, log *slog.Logger) error {
	suite, err := o.suite()
	if err != nil {
		return err
	}
	tests, err := o.tests(suite.Documents)
	if err != nil {
		return err
	}
	sw, err := o.newSwitch(ctx, log)
	if err != nil {
		return err
	}
	site, err := conformance.NewSite(ctx, suite.Documents, sw, log)
	if err != nil {
		return err
	}
	failed := false
	results := site.Run(ctx, tests, parallelTests, func(r conformance.Result) {
		switch {
		case r.Failure != "" && r.Test.Failing != "":
			fmt.Fprintf(out, "known %s %v: %s\n", r.Test.Path, r.Test.Requirements, r.Failure)
		case r.Failure != "":
			failed = true
			fmt.Fprintf(out, "fail  %s %v: %s\n", r.Test.Path, r.Test.Requirements, r.Failure)
		case o.run != "":
			fmt.Fprintf(out, "pass  %s %v: %s\n", r.Test.Path, r.Test.Requirements, r.Test.Title)
		}
	})
	if err := site.Close(); err != nil {
		return err
	}
	report := conformance.NewReport(suite, results)
	if o.run == "" && o.dir == "" {
		printReport(out, report, o.markdown)
	}
	fmt.Fprintf(out, "%d documents ran\n", len(results))
	if failed {
		return errReported
	}
	return nil
}

func (o conformanceOptions) suite() (*conformance.Suite, error) {
	files, folder, list, load := fs.FS(project.Conformance), "testdata/conformance", project.Requirements, conformance.CCXML
	if o.vxml {
		files, folder, list, load = project.VoiceXML, "testdata/vxml", project.Assertions, conformance.VoiceXML
	}
	documents := os.DirFS(o.dir)
	if o.dir == "" {
		var err error
		if documents, err = fs.Sub(files, folder); err != nil {
			return nil, err
		}
	}
	return load(documents, list)
}

func (o conformanceOptions) tests(suite fs.FS) (chosen []*conformance.Test, err error) {
	wanted, err := regexp.Compile(o.run)
	if err != nil {
		return nil, fmt.Errorf("--run: %w", err)
	}
	tests, err := conformance.Load(suite)
	for _, test := range tests {
		if o.freeswitch != "" && test.SIP { // its callers are loopback legs
			continue
		}
		if wanted.MatchString(fmt.Sprint(test.Path, " ", test.Requirements)) {
			chosen = append(chosen, test)
		}
	}
	return chosen, err
}

// linkPatience is how long a FreeSWITCH may take to answer.
const linkPatience = 10 * time.Second

func (o conformanceOptions) newSwitch(ctx context.Context, log *slog.Logger) (conformance.Switch, error) {
	if o.freeswitch == "" {
		return conformance.NewSimulated(log)
	}
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	return conformance.NewFreeSWITCH(ctx, o.freeswitch, log)
}

// printReport prints a line for each section, and what did not pass.
func printReport(out io.Writer, r *conformance.Report, markdown bool) {
	if markdown {
		fmt.Fprint(out, r.Markdown())
		return
	}
	for _, section := range r.Sections {
		passed := 0
		for _, item := range section.Items {
			if item.Verdict == conformance.Pass || item.Verdict == conformance.ByGoTest {
				passed++
			}
		}
		fmt.Fprintf(out, "%3d of %3d  %s\n", passed, len(section.Items), section.Title)
		for _, item := range section.Items {
			if item.Verdict != conformance.Pass {
				fmt.Fprintf(out, "            %s %s: %s\n", item.ID, item.Verdict, item.Reason)
			}
		}
	}
	fmt.Fprintf(out, "%3d of %3d  requirements pass\n", r.Count(conformance.Pass)+r.Count(conformance.ByGoTest), r.Total())
}
