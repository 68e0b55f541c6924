package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"ccxmld/clock"
	"ccxmld/conf"
	"ccxmld/examples"
	"ccxmld/examples/conference-cgi/cgi"
	"ccxmld/memnet"
	"ccxmld/switchsim"
)

func demoCommand() *cobra.Command {
	var verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run both published applications on a simulated switch and an embedded Redis",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			file, isFile := out.(*os.File)
			colour := isFile && isatty.IsTerminal(file.Fd()) && os.Getenv("NO_COLOR") == ""
			log := slog.New(slog.DiscardHandler)
			if verbose {
				log = newLogger(conf.Log{Level: slog.LevelInfo}, cmd.ErrOrStderr())
			}
			return demo(cmd.Context(), out, colour, verbose, log)
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "print what the documents log, and the daemon's own log")
	return cmd
}

// theatre is what the demo plays on: a stage, and a web server with the documents.
type theatre struct{ *stage }

// web is where the web server is on the stage's network.
const web = "http://documents.example"

// demo runs both applications and prints what happens.
func demo(ctx context.Context, out io.Writer, colour, verbose bool, log *slog.Logger) error {
	t := newTracer(out, colour)
	t.columns, t.quiet = 80, !verbose
	built, err := newStage(t, switchsim.Options{Logger: log})
	if err != nil {
		return err
	}
	s := &theatre{built}
	s.Network.Handle("documents.example:80", webServer())
	ctx, unwatch := context.WithCancel(ctx)
	if err = s.serve(ctx, log, t, s.settings(), nil); err == nil {
		err = s.play(ctx)
	}
	err = errors.Join(err, s.end(unwatch))
	if err == nil {
		fmt.Fprint(out, afterDemo)
	}
	return err
}

// afterDemo says how to go on.
const afterDemo = `
Both applications ran. With a real FreeSWITCH, put into its dialplan:

  <action application="socket" data="127.0.0.1:8084 async full"/>

and run:

  go run ./cmd/ccxmld serve --nodes='[{password: ClueCon}]' \
    --documents-routes='[{uri: examples/conference/conference.ccxml}]'

docs/freeswitch.md walks through it, from a stock installation to the first
call.
`

// webServer serves the examples, and the conference application's program.
func webServer() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(examples.Files))
	mux.Handle("/conference-cgi/", http.StripPrefix("/conference-cgi", cgi.New(time.Hour)))
	return mux
}

// settings are those of a usual installation, in small.
func (s *theatre) settings() map[string]string {
	return map[string]string{
		"DOCUMENTS_ALLOW":  fmt.Sprintf("[%q]", web+"/"),
		"DOCUMENTS_ROUTES": fmt.Sprintf("[{destination: '8001', uri: %q}, {destination: '8002', uri: %q}]", web+cgiPath, web+conferencePath),
		"TOKENS":           fmt.Sprintf("{demo: {uri: %q}}", web+tutorialPath),
		"DIAL_ROUTES":      "[{match: 'tel:(.*)', dial: 'sofia/gateway/carrier/$1'}]",
	}
}

// Where the applications are on the demo's web server.
const (
	tutorialPath   = "/outbound-calls-with-tokens/outbound-calls-with-tokens.ccxml"
	conferencePath = "/conference/conference.ccxml"
	cgiPath        = "/conference-cgi/conference.ccxml"
)

// play runs the applications, one after the other.
func (s *theatre) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{s.conferenceCGI, s.conferenceCCXML, s.outboundCalls} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// outboundCalls is the application that a token starts: the callee of its number answers once,
// and is busy the next time.
func (s *theatre) outboundCalls(ctx context.Context) error {
	s.title("3. Outbound CCXML Calls with Tokens (Voxeo's tutorial, byte for byte)")
	const number = "4072223333"
	s.Switch.Callee(number, switchsim.Answers{After: 2 * time.Second})
	if err := s.token(ctx, number); err != nil {
		return err
	}
	callee, err := s.Switch.WaitCallee(ctx, number)
	if err != nil {
		return err
	}
	s.follow(ctx, callee)
	if _, err := callee.WaitEnded(ctx); err != nil {
		return err
	}
	s.Switch.Callee(number, switchsim.Busy{})
	if err := s.token(ctx, number); err != nil {
		return err
	}
	return s.quiet(ctx)
}

// token asks for a session as any HTTP client would.
func (s *theatre) token(ctx context.Context, number string) error {
	path := "/CCXML10.start?tokenid=demo&number=" + number
	client := http.Client{Transport: &memnet.Transport{Network: s.Network}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Daemon.HTTPAddress()+path, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	s.line(phoneColour, "http", "GET", "%s → %s", path, strings.Join(strings.Fields(string(body)), " "))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("token start: %s", response.Status)
	}
	return nil
}

// conferenceCGI is the conference application as its article has it: a program that
// answers with one of three documents, in the dialect of 2002.
func (s *theatre) conferenceCGI(ctx context.Context) error {
	s.title(`1. Multi-party conference ("Introduction to CCXML, Part V", dialect of 2002)`)
	return s.conference(ctx, "8001", "1234567890", "You have joined")
}

// conferenceCCXML is the same in CCXML 1.0: one document, no program.
func (s *theatre) conferenceCCXML(ctx context.Context) error {
	s.title("2. The same conference in CCXML 1.0: one static document")
	return s.conference(ctx, "8002", "9876543210", "You are now joining")
}

// conference lets two callers meet under a code, and go. The first hears that he
// is, the second the other greeting.
func (s *theatre) conference(ctx context.Context, number, code, greeting string) error {
	var callers []*switchsim.Party
	for _, from := range []struct{ name, number, greeting string }{
		{"Ada", "4075550100", "You are the first"}, {"Grace", "4075550101", greeting},
	} {
		caller, err := s.caller(ctx, from.name, from.number, number, code)
		if err != nil {
			return err
		}
		if err := s.listen(ctx, caller, from.greeting); err != nil {
			return err
		}
		callers = append(callers, caller)
	}
	s.roster()
	for _, caller := range callers {
		s.line(phoneColour, caller.Number(), "hangs up", "")
		caller.Hangup()
		if _, err := caller.WaitEnded(ctx); err != nil {
			return err
		}
	}
	if err := s.quiet(ctx); err != nil {
		return err
	}
	s.roster()
	return nil
}

// caller dials in, types the code when asked to, and waits until he is in.
func (s *theatre) caller(ctx context.Context, name, from, to, code string) (*switchsim.Party, error) {
	caller, err := s.Switch.Dial(switchsim.Call{From: from, Name: name, To: to, Sockets: []string{s.Daemon.ESLAddress()}})
	if err != nil {
		return nil, err
	}
	s.line(phoneColour, from, "dials", "%s", to)
	s.follow(ctx, caller)
	if err := s.listen(ctx, caller, "conference number"); err != nil {
		return nil, err
	}
	s.line(phoneColour, from, "presses", "%s#", code)
	caller.Press(code + "#")
	if err := s.listen(ctx, caller, "Press 1"); err != nil {
		return nil, err
	}
	s.line(phoneColour, from, "presses", "1")
	caller.Press("1")
	return caller, caller.WaitHeardFunc(ctx, func(sound switchsim.Sound) bool { return sound.Kind == "conference" })
}

// listen waits until a caller hears something, and listens to it for a while.
func (s *theatre) listen(ctx context.Context, caller *switchsim.Party, text string) error {
	if err := caller.WaitHeard(ctx, text); err != nil {
		return err
	}
	clock.Sleep(ctx, s.Clock, 2*time.Second)
	return ctx.Err()
}

// roster prints who is in which conference, as Redis has it.
func (s *theatre) roster() {
	lines, err := s.Daemon.Roster(context.Background())
	if err != nil {
		s.line(boldColour, "redis", "roster", "%v", err)
		return
	}
	if len(lines) == 0 {
		s.line(boldColour, "redis", "roster", "no conference")
	}
	for _, line := range lines {
		s.line(boldColour, "redis", "roster", "%s", line)
	}
}
