package daemon

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"ccxmld/api"
	"ccxmld/callcontrol"
	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/operator"
	"ccxmld/peer"
	"ccxmld/records"
	"ccxmld/sessionstore"
)

// openToOperators makes what operators use.
func (d *Daemon) openToOperators() (err error) {
	d.operators = api.New(api.Options{Site: operated{d}, Access: d.access, Version: Version(), Clock: d.clock, Logger: d.log})
	d.tls, err = d.secured()
	return err
}

// operations are what operators ask beside what is asked of calls and sessions.
func (d *Daemon) operations() map[string]callcontrol.Operation {
	return map[string]callcontrol.Operation{operator.FindRecords: callcontrol.WithArgument(d.findRecords)}
}

func (d *Daemon) findRecords(ctx context.Context, wanted records.Wanted) (any, error) {
	ctx, cancel := clock.WithTimeout(ctx, d.clock, searchTimeout)
	defer cancel()
	found, err := d.records.Search(ctx, wanted)
	if err != nil {
		return nil, operator.Errorf(operator.Unavailable, "the records of controller %s: %v", d.Controller.ID(), err)
	}
	return found, nil
}

// searchTimeout bounds how long records are looked for.
const searchTimeout = 4 * time.Second

// eventsAt is where sessions take events by HTTP, for who is to send them.
func (d *Daemon) eventsAt() string {
	scheme := "http://"
	if d.config.HTTP.TLS.Certificate != "" {
		scheme = "https://"
	}
	return cmp.Or(d.config.HTTP.URL, scheme+d.HTTPAddress()) + "/ccxml/basichttp"
}

// secured is how HTTP is served by TLS, nil where it is not.
func (d *Daemon) secured() (*tls.Config, error) {
	files := d.config.HTTP.TLS
	if files.Certificate == "" {
		return nil, nil
	}
	certificate := &certificate{files: files, log: d.log, clock: d.clock}
	if err := certificate.read(); err != nil {
		return nil, fmt.Errorf("http.tls: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	if files.Clients == "" {
		return config, nil
	}
	text, err := os.ReadFile(files.Clients)
	if err != nil {
		return nil, fmt.Errorf("http.tls.clients: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("http.tls.clients: there is no certificate in " + files.Clients)
	}
	return config, nil
}

// operated is the site, as this controller knows it (api.Site).
type operated struct{ daemon *Daemon }

var _ api.Site = operated{}

// ID is this controller's.
func (o operated) ID() string { return o.daemon.Controller.ID() }

// Controllers are all of them.
func (o operated) Controllers(ctx context.Context) ([]sessionstore.Controller, error) {
	return o.daemon.Store.Controllers(ctx)
}

// Owner is the controller that runs a session.
func (o operated) Owner(ctx context.Context, session string) (string, bool, error) {
	return o.daemon.Store.Owner(ctx, session)
}

// Operate has a controller do what an operator asks.
func (o operated) Operate(ctx context.Context, controller string, p peer.Operation) (json.RawMessage, error) {
	return o.daemon.Controller.Operate(ctx, controller, p)
}

// Conferences are all conferences of the site.
func (o operated) Conferences(ctx context.Context) iter.Seq2[conference.Conference, error] {
	return o.daemon.Conferences.List(ctx)
}

// Conference is one of them.
func (o operated) Conference(ctx context.Context, id string) (conference.Conference, error) {
	return o.daemon.Conferences.Get(ctx, id)
}

// Members are those of a conference.
func (o operated) Members(ctx context.Context, id string) ([]conference.Member, error) {
	return o.daemon.Conferences.Members(ctx, id)
}
