package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"ccxmld/callcontrol"
	"ccxmld/callcontrol/documents"
	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
	"ccxmld/script"
	"ccxmld/switchsim"
)

// simulateOptions are the flags of ccxmld simulate.
type simulateOptions struct {
	digits   string
	says     string
	hangup   time.Duration
	from, to string
	callees  []string
	values   []string
	allow    []string
	longest  time.Duration
	verbose  bool
}

func simulateCommand() *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate DOCUMENT",
		Short: "Run a CCXML document or VoiceXML page on a simulated switch, and show what happens",
		Long: `Simulate runs a CCXML document or a VoiceXML page, a file or URI, for a call on a
simulated switch with an embedded Redis. What the caller hears, presses and says, the
events, the HTTP requests and how it ended are printed; docs/simulate.md explains it.
The calls' time is virtual: a call of an hour is over at once, and the same flags give
the same output every time.

The exit status is 1 if the document does not load, or a session dies.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags := cmd.Flags(); flags.Changed("value") && (flags.Changed("from") || flags.Changed("to")) {
				return errors.New("--from and --to are of somebody who calls, and with --value nobody does; leave out one or the other")
			}
			out := cmd.OutOrStdout()
			file, isFile := out.(*os.File)
			colour := isFile && isatty.IsTerminal(file.Fd()) && os.Getenv("NO_COLOR") == ""
			log := slog.DiscardHandler
			if o.verbose {
				log = newLogger(conf.Log{Level: slog.LevelInfo}, cmd.ErrOrStderr()).Handler()
			}
			return simulate(cmd.Context(), args[0], o, out, colour, log)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.digits, "digits", "", "what the caller presses: KEYS at the next prompt, TIME:KEYS so long after the answer; e.g. 1234#,2,30s:0")
	flags.StringVar(&o.says, "says", "", "what the caller says: WORDS or TIME:WORDS, as with --digits; e.g. sales,8s:an agent")
	flags.DurationVar(&o.hangup, "hangup", 0, "the caller hangs up so long after the answer (default: the document ends the call)")
	flags.StringVar(&o.from, "from", "4075550100", "the caller's number")
	flags.StringVar(&o.to, "to", "8001", "the number that is called")
	flags.StringArrayVar(&o.callees, "callee", nil, "NUMBER=BEHAVIOUR of who is called: answers, answers:10s, busy, noanswer, rejects, notfound, unavailable or unreachable; * for all (default *=answers)")
	flags.StringArrayVar(&o.values, "value", nil, "NAME=VALUE in session.values: the session is started as by a token, and nobody calls; the first who is called does what --digits, --says and --hangup say")
	flags.StringArrayVar(&o.allow, "allow", nil, "a beginning of URIs that may be fetched, beside files and the document's host")
	flags.DurationVar(&o.longest, "longest", 5*time.Minute, "the call's time after which the caller hangs up in any case")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "print the daemon's own log too")
	return cmd
}

// simulation is a stage with what one run of a document needs.
type simulation struct {
	*stage
	simulateOptions
	presses, sayings []input
	uri              string // as routes name the document
	died             atomic.Bool
	open             openCalls
}

var _ interpreter.Observer = (*simulation)(nil)

// simulate runs a document and prints what happens.
func simulate(ctx context.Context, document string, o simulateOptions, out io.Writer, colour bool, log slog.Handler) error {
	presses, err := parseDigits(o.digits)
	if err != nil {
		return err
	}
	sayings, err := parseInput("--says", o.says)
	if err != nil {
		return err
	}
	uri, err := routeOf(ctx, document, out)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ccxmld-simulate-")
	if err != nil {
		return err
	}
	t := newTracer(out, colour)
	t.names = true
	trace := slog.New(&traceHandler{trace: t, next: log})
	built, err := newStage(t, switchsim.Options{Sounds: soundOnDisk, WriteRecordings: true, Logger: trace})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s := &simulation{stage: built, simulateOptions: o, presses: presses, sayings: sayings, uri: uri}
	s.open.clock = s.Clock
	watching, unwatch := context.WithCancel(ctx)
	err = s.play(watching, trace, dir)
	err = errors.Join(err, s.end(unwatch), os.RemoveAll(dir))
	if err == nil && s.died.Load() {
		return errReported
	}
	return err
}

// play starts the daemon and runs the document.
func (s *simulation) play(ctx context.Context, log *slog.Logger, dir string) error {
	others, err := fetch.Transport(fetch.Options{Allow: s.allowed()})
	if err != nil {
		return fmt.Errorf("documents.allow: %w", err)
	}
	network := machineNetwork{others, exchangeTimeout}
	defer network.CloseIdleConnections()
	if err := s.serve(ctx, log, s, s.settings(dir), network); err != nil {
		return err
	}
	s.Switch.AddASR(simulatedEngine)
	if err := s.employ(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// exchangeTimeout is how long, in real time, a server of the machine's network may take
// to answer.
const exchangeTimeout = 15 * time.Second

// routeOf gives the URI of a document as routes have it: with vxml: before that of
// a VoiceXML page. What is wrong with the document is printed; an error that keeps
// it from loading ends the simulation.
func routeOf(ctx context.Context, document string, out io.Writer) (string, error) {
	client, err := reader(document)
	if err != nil {
		return "", err
	}
	defer client.Close()
	var c checker
	c.prepare(client)
	uri, isPage, err := c.route(ctx, document)
	if err != nil {
		return "", err
	}
	loads := true
	for _, finding := range c.document(ctx, document) {
		if finding.Severity == lint.Error {
			fmt.Fprintln(out, finding.Error())
			loads = loads && !isPage && finding.Code == interpreter.CodeExpression // which is raised when it is reached
		}
	}
	if !loads {
		return "", errReported
	}
	return uri, nil
}

// route tells a page from a document.
func (c *checker) route(ctx context.Context, document string) (route string, isPage bool, err error) {
	uri, err := uriOf(document)
	if err != nil {
		return "", false, err
	}
	response, err := c.client.Fetch(ctx, fetch.Request{URI: uri})
	if err != nil {
		return "", false, err
	}
	root, err := response.XML(fetch.XMLLimits{})
	if err != nil {
		return "", false, err
	}
	if rootOf(root) == "vxml" {
		return documents.PageScheme + uri, true, nil
	}
	return uri, false, nil
}

// allowed is what may be fetched: files, and what the document's own host has.
func (s *simulation) allowed() []string {
	allowed := append([]string{"file:///"}, s.allow...)
	if host := hostOf(s.uri); host != "" {
		allowed = append(allowed, host)
	}
	return allowed
}

// settings are those of the daemon.
func (s *simulation) settings(dir string) map[string]string {
	var allow []string
	for _, uri := range s.allowed() {
		allow = append(allow, strconv.Quote(uri))
	}
	settings := map[string]string{
		"DOCUMENTS_ALLOW":              "[" + strings.Join(allow, ", ") + "]",
		"DOCUMENTS_ROUTES":             fmt.Sprintf("[{uri: %q}]", s.uri),
		"DIAL_ROUTES":                  "[{match: 'sip:(.*)@(.*)', dial: 'sofia/internal/$1@$2'}, {match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}]",
		"DIALOG_SPOOL":                 filepath.Join(dir, "spool"),
		"DIALOG_RECORDINGS":            filepath.Join(dir, "recordings"),
		"LIMITS_ORIGINATES_PER_SECOND": "1000",
	}
	if len(s.sayings) > 0 {
		settings["DIALOG_ASR"] = simulatedEngine
	}
	return settings
}

// simulatedEngine recognizes speech, if the caller says something.
const simulatedEngine = "simulated"

// run makes the call, or starts the session, and waits until all is over.
func (s *simulation) run(ctx context.Context) error {
	if len(s.values) > 0 {
		if err := s.start(ctx); err != nil {
			return err
		}
	} else if err := s.call(ctx); err != nil {
		return err
	}
	over, cancel := clock.WithTimeout(ctx, s.Clock, s.longest+aftermath)
	defer cancel()
	s.open.wait(over) // before their end there may be no session yet
	err := s.quiet(over)
	s.open.wait(over) // those that sessions leave behind are hung up
	if err != nil && ctx.Err() == nil {
		s.line(boldColour, "simulate", "ends", "the session still runs after %s", s.longest)
		return nil
	}
	return err
}

// aftermath is how long, by the calls' time, a session may take to end when the
// caller has gone.
const aftermath = 10 * time.Second

// start starts a session as a token would.
func (s *simulation) start(ctx context.Context) error {
	request := callcontrol.StartRequest{URI: s.uri}
	for _, text := range s.values {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--value is %q; expected NAME=VALUE", text)
		}
		request.Values = append(request.Values, interpreter.Pair{Name: name, Value: value})
	}
	_, err := s.Daemon.Controller.Start(ctx, request)
	return err
}

// EventHandled prints an event, and what a dialog returned with it.
func (s *simulation) EventHandled(session string, e *interpreter.Event, at *script.Position) {
	s.tracer.EventHandled(session, e, at)
	if e.Name == "dialog.exit" || e.Name == "dialog.disconnect" {
		if text := returned(e); text != "" {
			s.line(eventColour, s.name(session), "values", "%s", text)
		}
	}
}

// SessionEnded prints how a session ended.
func (s *simulation) SessionEnded(session, uri string, e interpreter.Ending) {
	switch {
	case e.Reason != "":
		s.died.Store(true)
		s.line(stateColour, s.name(session), "dies", "%s", e.Reason)
	case e.Value != nil || len(e.Values) > 0:
		s.line(boldColour, s.name(session), "ends", "%s", endingWords(e))
	default:
		s.line(boldColour, s.name(session), "ends", "")
	}
}
