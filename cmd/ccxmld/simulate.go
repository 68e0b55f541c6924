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
	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/daemon"
	"ccxmld/esl/switchsim"
	"ccxmld/fetch"
	"ccxmld/interpreter"
	"ccxmld/interpreter/lint"
	"ccxmld/script"
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
	speed    float64
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
events and how it ended are printed as it happens; docs/simulate.md explains it.

The exit status is 1 if the document does not load, or a session dies.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
	flags.StringArrayVar(&o.values, "value", nil, "NAME=VALUE in session.values: the session is started as by a token, and nobody calls")
	flags.StringArrayVar(&o.allow, "allow", nil, "a beginning of URIs that may be fetched, beside files and the document's host")
	flags.Float64Var(&o.speed, "speed", 10, "how many times as fast as in real life it goes")
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
	if o.speed <= 0 || o.speed > 1000 {
		return fmt.Errorf("--speed is %g; expected a number up to 1000", o.speed)
	}
	s := &simulation{stage: &stage{tracer: newTracer(out, colour)}, simulateOptions: o, presses: presses, sayings: sayings}
	s.pace = o.speed
	if s.uri, err = routeOf(ctx, document, out); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ccxmld-simulate-")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.ours(o.longest)+simulatePatience)
	defer cancel()
	stop, err := s.build(ctx, slog.New(&traceHandler{trace: s.tracer, next: log}), s,
		switchsim.Options{Clock: clock.Scaled(o.speed), Sounds: soundOnDisk, WriteRecordings: true}, s.settings(dir),
		daemon.WithClock(clock.Scaled(o.speed)))
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	watching, unwatch := context.WithCancel(ctx)
	s.sw.AddASR(simulatedEngine)
	if err = s.employ(watching); err == nil {
		err = s.run(watching)
	}
	unwatch()
	err = errors.Join(err, stop(), os.RemoveAll(dir))
	if err == nil && s.died.Load() {
		return errReported
	}
	return err
}

// simulatePatience bounds what has to happen in our time, whatever the speed.
const simulatePatience = 20 * time.Second

// ours is how long something of the calls' time takes in ours.
func (s *simulation) ours(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.speed)
}

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
		return voiceXMLScheme + uri, true, nil
	}
	return uri, false, nil
}

// settings let the document fetch files and what its own host has.
func (s *simulation) settings(dir string) map[string]string {
	allow := []string{`"file:///"`}
	for _, uri := range s.allow {
		allow = append(allow, strconv.Quote(uri))
	}
	if host := hostOf(s.uri); host != "" {
		allow = append(allow, strconv.Quote(host))
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
	over, cancel := context.WithTimeout(ctx, s.ours(s.longest+aftermath))
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
	_, err := s.daemon.Controller.Start(ctx, request)
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
