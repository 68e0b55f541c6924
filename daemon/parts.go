package daemon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"

	"ccxmld/callcontrol"
	"ccxmld/conf"
	"ccxmld/dialog"
	"ccxmld/dialog/vxml"
	"ccxmld/fetch"
	"ccxmld/freeswitch"
	"ccxmld/httpapi"
	"ccxmld/interpreter"
	"ccxmld/mail"
	"ccxmld/memnet"
	"ccxmld/script"
	"ccxmld/sessionstore"
	"ccxmld/spool"
)

// checks are what /readyz asks, none of which waits for anything. Without a node incoming
// calls still work, and without room on the disk all that needs none.
func (d *Daemon) checks() []httpapi.Check {
	checks := []httpapi.Check{{Name: "redis", Probe: func(context.Context) error {
		if !d.Store.Healthy() {
			return errors.New("does not answer")
		}
		return nil
	}}}
	checks = append(checks, httpapi.Check{Name: "process", Probe: func(context.Context) error { return d.strain.Err() }},
		httpapi.Check{Name: "spool", Optional: true, Probe: func(context.Context) error { return d.dialogs.CheckSpool() }},
		httpapi.Check{Name: "recordings", Optional: true, Probe: func(context.Context) error { return d.dialogs.RecordingsFull() }})
	for _, node := range d.Controller.Nodes() {
		checks = append(checks, httpapi.Check{
			Name: "node " + node.Name, Optional: true, Probe: func(context.Context) error { return node.Err },
		})
	}
	return checks
}

// controllerID is the same each time that this ccxmld is started.
func (d *Daemon) controllerID() string {
	if d.config.Controller.ID != "" {
		return d.config.Controller.ID
	}
	_, port, _ := net.SplitHostPort(d.ESLAddress()) // it is one
	return hostName() + ":" + port
}

func nodesOf(config *conf.Config) (nodes []freeswitch.NodeOptions) {
	for _, node := range config.Nodes {
		nodes = append(nodes, freeswitch.NodeOptions{Name: node.Name, Address: node.Address, Password: node.Password.Reveal(), Weight: node.Weight, SIP: node.SIP})
	}
	return nodes
}

// document chooses the document of an incoming call.
func (d *Daemon) document(destination, context string) (uri string, ok bool) {
	return d.current.Load().Documents.URI(destination, context)
}

// dial looks a destination up in the dial routes.
func (d *Daemon) dial(destination string) (callcontrol.DialString, error) {
	dial, err := d.current.Load().Dial.String(destination)
	if errors.Is(err, conf.ErrDestination) {
		err = badNumber{err}
	}
	return callcontrol.DialString(dial), err
}

// badNumber is an error of the routes that says what callcontrol.ErrBadNumber would.
type badNumber struct{ error }

// Is lets errors.Is know it.
func (badNumber) Is(target error) bool { return target == callcontrol.ErrBadNumber }

// Unwrap gives the routes' own error.
func (e badNumber) Unwrap() error { return e.error }

// newDialogs makes the service that runs prompts and VoiceXML. fetches is the client
// that gets what is not the document of a call.
func (d *Daemon) newDialogs(fetches *fetch.Client) *dialog.Service {
	service := dialog.New(dialog.Options{
		TTSEngine: d.config.Dialog.TTS.Engine, TTSVoice: d.config.Dialog.TTS.Voice,
		ASREngine: d.config.Dialog.ASR,
		Sounds:    d.config.Dialog.Sounds, Spool: d.config.Dialog.Spool, Recordings: d.config.Dialog.Recordings,
		SpoolBounds:     spool.Bounds{Bytes: d.config.Dialog.SpoolBytes, Age: d.config.Dialog.SpoolAge},
		RecordingBounds: spool.Bounds{Bytes: d.config.Dialog.RecordingsBytes, Age: d.config.Dialog.RecordingsAge},
		AllowFile:       fetches.Allowed, Fetcher: fetches, Intake: d.documents.For("document"), Audio: d.audio.For("audio"), Uploads: fetches.Apart().For("upload"), Clock: d.clock, Logger: d.log,
	})
	vxml.Register(service, vxml.Options{Limits: d.scriptLimits, Random: d.random, Processors: d.processors, Abandoned: d.strain.Abandoned, Logger: d.log})
	return service
}

// transport is how HTTP requests go out; nil is the machine's network.
func (d *Daemon) transport() http.RoundTripper {
	if d.network == nil {
		return nil
	}
	return &memnet.Transport{Network: d.network, Others: d.others}
}

// client makes a client that fetches under the configuration's policy.
func (d *Daemon) client(largest int64) (*fetch.Client, error) {
	options := fetchOptions(d.config, largest)
	options.Clock, options.Transport, options.Logger = d.clock, d.transport(), d.log
	options.Before, options.Fetched = d.mayAct, d.fetched
	client, err := fetch.New(options)
	if err != nil {
		return nil, fmt.Errorf("documents.allow: %w", err)
	}
	return client, nil
}

// mayAct waits until the process may act on others, which was stopped for a while.
func (d *Daemon) mayAct(ctx context.Context) error {
	if d.Controller == nil { // it has not begun
		return nil
	}
	return d.Controller.Gate().Wait(ctx)
}

// fetchOptions are what a configuration lets be fetched.
func fetchOptions(config *conf.Config, largest int64) fetch.Options {
	return fetch.Options{Allow: config.Documents.Allow, Links: config.Documents.Links, MaxBytes: largest, Timeout: config.Limits.FetchTimeout}
}

func (d *Daemon) limits() callcontrol.Limits {
	config := d.current.Load()
	l := config.Limits
	return callcontrol.Limits{
		Strain:   &d.strain,
		Sessions: l.Sessions, ForCalls: l.PercentForCalls, Lifetime: l.SessionLifetime, RefuseCause: l.RefuseCause,
		OriginatesPerSecond: l.OriginatesPerSecond, OriginatesWaiting: l.OriginatesWaiting, Redirects: config.Dial.Redirects,
		ConferencesPerSession: l.ConferencesPerSession,
		MembersPerConference:  l.MembersPerConference,
		Children:              l.ChildrenPerSession, TreeSessions: l.ChildrenPerTree, ChildrenPerSecond: l.ChildrenPerSecond,
		Session: interpreter.Limits{
			Queue: l.EventsQueued, Events: l.EventsPerSecond, Connections: l.ConnectionsPerSession, Dialogs: l.DialogsPerSession,
			Script: d.scriptLimits(),
		},
	}
}

// scriptLimits are what the configuration allows the scripts of a session.
func (d *Daemon) scriptLimits() script.Limits {
	l := d.current.Load().Limits
	return d.strain.Bound(script.Limits{
		Steps: int64(l.ScriptSteps), Time: l.ScriptTime, Memory: l.ScriptMemory, Shared: d.scripts,
		NoBacktracking: !l.Backtracking, Full: l.FullECMAScript,
	})
}

// starter starts sessions for httpapi.
type starter struct{ controller *callcontrol.Controller }

// Start starts a session for a token or from a URI.
func (s starter) Start(ctx context.Context, r httpapi.StartRequest) (string, error) {
	request := callcontrol.StartRequest{Requester: r.Address, URI: r.URI, Token: r.Token, Ended: r.Ended, Method: r.Method, Timeout: r.Timeout}
	for name, values := range r.Values {
		for _, value := range values {
			request.Values = append(request.Values, interpreter.Pair{Name: name, Value: value})
		}
	}
	id, err := s.controller.Start(ctx, request)
	if errors.Is(err, fetch.ErrNotAllowed) {
		err = fmt.Errorf("%w: %w", httpapi.ErrForbidden, err)
	}
	return id, err
}

// sessions are the controller's sessions for httpapi.
type sessions struct {
	controller *callcontrol.Controller
	strain     *callcontrol.Strain
	dialogs    *dialog.Service
	more       func() []httpapi.Counter // nil for none
}

// Inject brings an event to a session.
func (s sessions) Inject(ctx context.Context, e httpapi.Event) error {
	injection := callcontrol.Injection{Session: e.Session, Name: e.Name, Source: e.Source}
	for _, p := range e.Parameters {
		injection.Parameters = append(injection.Parameters, interpreter.Pair(p))
	}
	switch err := s.controller.Inject(ctx, injection); {
	case errors.Is(err, callcontrol.ErrNoSession):
		return httpapi.ErrNoSession
	case errors.Is(err, callcontrol.ErrNoEvent):
		return httpapi.ErrNoName
	case errors.Is(err, callcontrol.ErrNotInjectable):
		return fmt.Errorf("%w: %w", httpapi.ErrForbidden, err)
	default:
		return err
	}
}

// Knows tells whether a secret is a session's.
func (s sessions) Knows(ctx context.Context, session, secret string) (bool, error) {
	return s.controller.Knows(ctx, session, secret)
}

// Sessions lists the controller's sessions.
func (s sessions) Sessions(ctx context.Context) iter.Seq2[sessionstore.Session, error] {
	return s.controller.List(ctx)
}

// Counters are the controller's numbers.
func (s sessions) Counters() []httpapi.Counter {
	var up int64
	nodes := s.controller.Nodes()
	for _, node := range nodes {
		if node.Err == nil {
			up++
		}
	}
	audio, recordings := s.dialogs.Swept()
	counters := []httpapi.Counter{
		{Name: "sessions", Value: int64(s.controller.Sessions())},
		{Name: "sessions_started", Value: s.controller.Started()},
		{Name: "connections", Value: int64(s.controller.Connections())},
		{Name: "nodes", Value: int64(len(nodes))},
		{Name: "nodes_up", Value: up},
		{Name: "scripts_given_up", Value: s.strain.Given()},
		{Name: "audio_files_removed", Value: audio},
		{Name: "recordings_removed", Value: recordings},
	}
	if s.more != nil {
		counters = append(counters, s.more()...)
	}
	return counters
}

// Extensions are the elements of other namespaces that ccxmld knows: Voxeo's
// sendemail. sender is nil where nothing is run.
func Extensions(sender *mail.Sender) []*interpreter.Extension {
	return []*interpreter.Extension{{
		Name:       interpreter.ExtensionName{Namespace: interpreter.VoxeoNamespace, Local: "sendemail"},
		Attributes: []string{"to", "from", "subject", "type", "body"},
		DebugLog:   true,
		Run: func(x interpreter.Invocation) error {
			message := mail.Message{To: x.Values["to"], From: x.Values["from"], Subject: x.Values["subject"], Body: x.Values["body"]}
			if x.Values["type"] == "debug" {
				message.Body += "\n\n" + x.DebugLog
			}
			if message.Subject == "" {
				message.Subject = "ccxmld session " + x.SessionID
			}
			if err := sender.Send(context.Background(), message); !errors.Is(err, mail.ErrQueueFull) { // which the sender says, once for all
				return err
			}
			return nil
		},
	}}
}

// hostName names this machine for the store; not knowing it is no reason to stop.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return fmt.Sprintf("pid-%d", os.Getpid())
	}
	return name
}
