package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"ccxmld/access"
	"ccxmld/clock"
	"ccxmld/conference"
	"ccxmld/operator"
	"ccxmld/peer"
	"ccxmld/sessionstore"
)

// Site is what the API is about: this controller, and what it knows of the others.
type Site interface {
	// ID is this controller's.
	ID() string
	// Controllers are all of them, those that have died a moment ago included.
	Controllers(ctx context.Context) ([]sessionstore.Controller, error)
	// Owner is the controller that runs a session; false where none does.
	Owner(ctx context.Context, session string) (controller string, ok bool, err error)
	// Operate has a controller do what an operator asks.
	Operate(ctx context.Context, controller string, o peer.Operation) (json.RawMessage, error)
	// Conferences are all conferences, and Members who is in one.
	Conferences(ctx context.Context) iter.Seq2[conference.Conference, error]
	Conference(ctx context.Context, id string) (conference.Conference, error)
	Members(ctx context.Context, id string) ([]conference.Member, error)
}

// Options say what an API serves.
type Options struct {
	Site    Site
	Access  *access.Access
	Version string // of ccxmld
	Clock   clock.Clock
	Logger  *slog.Logger
}

// API answers operators. It is safe for concurrent use.
type API struct {
	options Options
	mux     *http.ServeMux
	huma    huma.API
}

// bounds of a request.
const (
	maxBody     = 64 << 10
	bodyTimeout = 10 * time.Second
)

// New makes the API.
func New(o Options) *API {
	a := &API{options: o, mux: http.NewServeMux()}
	config := huma.DefaultConfig("ccxmld", o.Version)
	config.Info.Description = "What runs on a site of ccxmld, and how it is changed. docs/api.md has examples."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/v1/openapi", "", ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key of api.operators, or a token of api.oidc.issuer."},
	}
	a.huma = humago.New(a.mux, config)
	a.huma.UseMiddleware(a.admit)
	a.sessions()
	a.calls()
	a.conferences()
	a.nodes()
	a.records()
	return a
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	a.mux.ServeHTTP(w, r)
}

// OpenAPI is the document that describes the API, as JSON.
func (a *API) OpenAPI() ([]byte, error) { return json.MarshalIndent(a.huma.OpenAPI(), "", "  ") }

// operatorKey is where a request's context has who asks.
type operatorKey struct{}

// by is who asks.
func by(ctx context.Context) access.Operator {
	o, _ := ctx.Value(operatorKey{}).(access.Operator)
	return o
}

// role is what an operation's metadata have of who may.
const role = "role"

// admit lets those in who may do what they ask for.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	needed, _ := ctx.Operation().Metadata[role].(access.Role)
	request, _ := humago.Unwrap(ctx)
	o, err := a.options.Access.Of(ctx.Context(), request)
	switch {
	case errors.Is(err, access.ErrUnknown):
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="ccxmld"`)
		a.refuse(ctx, o, http.StatusUnauthorized, err.Error())
	case err != nil:
		a.refuse(ctx, o, http.StatusServiceUnavailable, err.Error())
	case o.Role < needed:
		a.refuse(ctx, o, http.StatusForbidden, fmt.Sprintf("%s has the role %s, and this asks for %s", o.Name, o.Role, needed))
	default:
		next(huma.WithValue(ctx, operatorKey{}, o))
	}
}

func (a *API) refuse(ctx huma.Context, o access.Operator, status int, reason string) {
	a.options.Logger.Warn("an operator's request is refused", "operator", o.Name, "remote", ctx.RemoteAddr(), "method", ctx.Method(), "path", ctx.Operation().Path, "reason", reason)
	// What cannot be written goes to a client that is gone.
	_ = huma.WriteErr(a.huma, ctx, status, reason)
}

// route is an operation of the API.
type route struct {
	method, path string
	id           string // in the OpenAPI document
	summary      string
	tag          string
	role         access.Role
	status       int // of success; 0: 200, or 204 without a body
}

// serve registers an operation. What changes something is noted in the audit log, with what
// came of it.
func serve[I, O any](a *API, r route, do func(context.Context, *I) (*O, error)) {
	o := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Tags: []string{r.tag}, DefaultStatus: r.status,
		Security: []map[string][]string{{"key": {}}}, Metadata: map[string]any{role: r.role},
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyTimeout,
		Description: "For the role " + r.role.String() + ".",
		Errors:      []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if r.role > access.Read {
			a.audit(ctx, r, in, err)
		}
		return out, problem(err)
	})
}

// audit notes who has changed what.
func (a *API) audit(ctx context.Context, r route, in any, err error) {
	o := by(ctx)
	input, _ := json.Marshal(in) // it was read from JSON
	log := a.options.Logger.With("operator", o.Name, "role", o.Role.String(), "operation", r.id, "input", string(input))
	if err != nil {
		log.Warn("audit: an operator's change failed", "error", err)
		return
	}
	log.Info("audit: an operator changed something")
}

// problem is an error as RFC 9457 has it.
func problem(err error) error {
	if err == nil {
		return nil
	}
	status := http.StatusServiceUnavailable
	switch operator.KindOf(err) {
	case operator.NotFound:
		status = http.StatusNotFound
	case operator.Conflict:
		status = http.StatusConflict
	case operator.Invalid:
		status = http.StatusUnprocessableEntity
	}
	return huma.NewError(status, err.Error())
}
