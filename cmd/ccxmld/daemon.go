package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"ccxmld/callcontrol"
	"ccxmld/conf"
	"ccxmld/conference"
	"ccxmld/dialog"
	"ccxmld/dialog/vxml"
	"ccxmld/esl"
	"ccxmld/fetch"
	"ccxmld/httpapi"
	"ccxmld/interpreter"
	"ccxmld/mail"
	"ccxmld/script"
	"ccxmld/sessionstore"
)

// drainTime is how long running calls and requests may take to end when the
// daemon is told to.
const drainTime = 10 * time.Second

// daemon is all the parts of ccxmld, connected.
type daemon struct {
	config      *conf.Config
	log         *slog.Logger
	advertise   string
	eslListen   net.Listener
	httpListen  net.Listener
	store       *sessionstore.Store
	conferences *conference.Registry
	mail        *mail.Sender
	controller  *callcontrol.Controller
	server      *esl.Server
	api         *httpapi.Server
}

// newDaemon builds the daemon and opens its listeners. The caller runs it, which
// also closes it. observer may be nil.
func newDaemon(ctx context.Context, config *conf.Config, log *slog.Logger, observer interpreter.Observer) (d *daemon, err error) {
	d = &daemon{config: config, log: log}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.eslListen, err = net.Listen("tcp", config.ESL.Listen); err != nil {
		return nil, fmt.Errorf("esl.listen: %w", err)
	}
	if d.httpListen, err = net.Listen("tcp", config.HTTP.Listen); err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	d.advertise = config.ESL.Advertise
	if d.advertise == config.ESL.Listen { // the port may have been left to the system
		d.advertise = d.eslAddress()
	}
	if d.store, err = sessionstore.Open(ctx, sessionstore.Options{URL: config.Redis.URL, Prefix: config.Redis.Prefix, Logger: log}); err != nil {
		return nil, fmt.Errorf("redis.url: %w", err)
	}
	if d.mail, err = mail.New(mail.Options{SMTP: config.Mail.SMTP, From: config.Mail.From, Logger: log}); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return d, d.connect(ctx, observer)
}

// connect makes the parts that need others.
func (d *daemon) connect(ctx context.Context, observer interpreter.Observer) error {
	id := controllerID()
	if err := d.store.Register(ctx, sessionstore.Controller{
		ID: id, Host: hostName(), PID: os.Getpid(), Version: version(), Address: d.advertise, Started: d.store.Now(),
	}); err != nil {
		d.log.Warn("redis does not know of this controller yet", "error", err)
	}
	client, err := d.client(d.config.Limits.DocumentBytes)
	if err != nil {
		return err
	}
	dialogs, err := d.dialogs(client)
	if err != nil {
		return err
	}
	d.conferences, err = conference.NewRegistry(d.store, conference.Options{Controller: id, Logger: d.log})
	if err != nil {
		return err
	}
	d.controller = callcontrol.New(callcontrol.Options{
		ID: id, Advertise: d.advertise, Nodes: d.nodes(),
		Document: d.config.Documents.URI, Dial: d.dial,
		Fetch: client, Dialogs: dialogs, Store: d.store,
		Conferences: d.conferences, Profile: d.config.Conference.Profile, Extensions: extensions(d.mail),
		IOProcessors: map[string]string{"basichttp": "http://" + d.httpAddress() + "/ccxml/basichttp"},
		Observer:     observer, Clock: realClock{}, Logger: d.log,
		Limits: d.limits(),
	})
	d.server = &esl.Server{
		Handler: d.controller.Handle, Logger: d.log, RefuseCause: d.config.Limits.RefuseCause, Allow: d.config.ESL.Allow,
	}
	d.api = httpapi.New(httpapi.Options{
		Tokens: d.config.Tokens, Starter: starter{d.controller}, Logger: d.log,
		Checks: d.checks(),
	})
	return nil
}

// checks are what /readyz asks. Without a node incoming calls still work.
func (d *daemon) checks() []httpapi.Check {
	checks := []httpapi.Check{{Name: "redis", Probe: func(context.Context) error {
		if !d.store.Healthy() {
			return errors.New("does not answer")
		}
		return nil
	}}}
	for i, node := range d.controller.Nodes() {
		checks = append(checks, httpapi.Check{Name: "node " + node.Name, Optional: true, Probe: func(context.Context) error {
			return d.controller.Nodes()[i].Err
		}})
	}
	return checks
}

func controllerID() string {
	return hostName() + "-" + strings.SplitN(uuid.NewString(), "-", 2)[0]
}

func (d *daemon) nodes() (nodes []callcontrol.NodeOptions) {
	for _, node := range d.config.Nodes {
		nodes = append(nodes, callcontrol.NodeOptions{Name: node.Name, Address: node.Address, Password: node.Password.Reveal()})
	}
	return nodes
}

// dial looks a destination up in the dial routes.
func (d *daemon) dial(destination string) (callcontrol.DialString, error) {
	dial, err := d.config.Dial.String(destination)
	if errors.Is(err, conf.ErrDestination) {
		err = fmt.Errorf("%w: %w", callcontrol.ErrBadNumber, err)
	}
	return callcontrol.DialString(dial), err
}

// dialogs makes the service that runs prompts and VoiceXML. documents is the
// client that documents are fetched by; audio may be larger.
func (d *daemon) dialogs(documents *fetch.Client) (*dialog.Service, error) {
	audio, err := d.client(d.config.Limits.AudioBytes)
	if err != nil {
		return nil, err
	}
	service := dialog.New(dialog.Options{
		TTSEngine: d.config.Dialog.TTS.Engine, TTSVoice: d.config.Dialog.TTS.Voice,
		Sounds: d.config.Dialog.Sounds, Spool: d.config.Dialog.Spool,
		AllowFile: documents.Allowed, Fetcher: documents, Audio: audio, Clock: realClock{}, Logger: d.log,
	})
	vxml.Register(service, vxml.Options{Limits: script.Limits{Time: d.config.Limits.ScriptTime}, Logger: d.log})
	return service, nil
}

// client makes a client that fetches under the configuration's policy.
func (d *daemon) client(largest int64) (*fetch.Client, error) {
	client, err := fetch.New(fetch.Options{
		Allow: d.config.Documents.Allow, MaxBytes: largest, Timeout: d.config.Limits.FetchTimeout, Logger: d.log,
	})
	if err != nil {
		return nil, fmt.Errorf("documents.allow: %w", err)
	}
	return client, nil
}

func (d *daemon) limits() callcontrol.Limits {
	l := d.config.Limits
	return callcontrol.Limits{
		Sessions: l.Sessions, Lifetime: l.SessionLifetime, RefuseCause: l.RefuseCause,
		OriginatesPerSecond: l.OriginatesPerSecond, ConferencesPerSession: l.ConferencesPerSession,
		Session: interpreter.Limits{
			Queue: l.EventsQueued, Connections: l.ConnectionsPerSession, Dialogs: l.DialogsPerSession,
			Script: script.Limits{Time: l.ScriptTime},
		},
	}
}

func (d *daemon) eslAddress() string  { return d.eslListen.Addr().String() }
func (d *daemon) httpAddress() string { return d.httpListen.Addr().String() }

// run serves until ctx ends, then drains: no new calls, running sessions end,
// everything is closed.
func (d *daemon) run(ctx context.Context) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	failed := make(chan error, 2)
	parts.Go(func() { failed <- d.server.Serve(serving, d.eslListen) })
	parts.Go(func() { failed <- d.api.Serve(d.httpListen) })
	parts.Go(func() { _ = d.controller.Run(serving) })
	var err error
	select {
	case <-ctx.Done():
		d.log.Info("shutting down", "sessions", d.controller.Sessions())
	case err = <-failed:
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err = errors.Join(err, d.api.Shutdown(draining), d.controller.Close(draining), d.mail.Close(draining))
	stop()
	parts.Wait()
	return errors.Join(err, d.store.Close())
}

// close closes what newDaemon had opened before it failed.
func (d *daemon) close() {
	for _, listener := range []net.Listener{d.eslListen, d.httpListen} {
		if listener != nil {
			_ = listener.Close()
		}
	}
	if d.mail != nil {
		_ = d.mail.Close(context.Background())
	}
	if d.store != nil {
		_ = d.store.Close()
	}
}

// realClock is the time that passes.
type realClock struct{}

// AfterFunc calls f in its own goroutine after a while.
func (realClock) AfterFunc(wait time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(wait, f).Stop
}

// starter starts sessions for httpapi.
type starter struct{ controller *callcontrol.Controller }

// Start starts a session for a token.
func (s starter) Start(ctx context.Context, r httpapi.StartRequest) (string, error) {
	request := callcontrol.StartRequest{URI: r.URI, Token: r.Token, Ended: r.Ended}
	for name, values := range r.Values {
		for _, value := range values {
			request.Values = append(request.Values, interpreter.Pair{Name: name, Value: value})
		}
	}
	return s.controller.Start(ctx, request)
}

// extensions are the elements of other namespaces that ccxmld knows: Voxeo's
// sendemail. sender is nil where nothing is run.
func extensions(sender *mail.Sender) []*interpreter.Extension {
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
			return sender.Send(context.Background(), message)
		},
	}}
}
