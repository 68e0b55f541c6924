package api

import (
	"context"
	"net/http"

	"ccxmld/access"
	"ccxmld/operator"
)

const tagSessions = "Sessions"

// nothing is an answer without a body.
type nothing struct{}

// body is an answer with one.
type body[T any] struct{ Body T }

// SessionPath names a session.
type SessionPath struct {
	Session string `path:"session" json:"session" maxLength:"64" doc:"The session's id."`
}

// sessions are the operations on sessions.
func (a *API) sessions() {
	serve(a, route{http.MethodGet, "/v1/sessions", "listSessions", "Sessions of all controllers, in the order in which they began", tagSessions, access.Read, 0}, a.listSessions)
	serve(a, route{http.MethodGet, "/v1/sessions/{session}", "getSession", "One session, with its calls, dialogs, variables and last events", tagSessions, access.Read, 0},
		func(ctx context.Context, in *SessionPath) (*body[operator.SessionDetail], error) {
			detail, err := askOwner[operator.SessionDetail](ctx, a, in.Session, operator.ShowSession, nil)
			return &body[operator.SessionDetail]{detail}, err
		})
	serve(a, route{http.MethodDelete, "/v1/sessions/{session}", "endSession", "End a session", tagSessions, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			SessionPath
			Unconditional bool `query:"unconditional" json:"unconditional" doc:"Past its document, which otherwise gets ccxml.kill."`
		}) (*nothing, error) {
			_, err := askOwner[nothing](ctx, a, in.Session, operator.EndSession, operator.End{Unconditional: in.Unconditional})
			return nil, err
		})
	serve(a, route{http.MethodPost, "/v1/sessions/{session}/events", "sendEvent", "Send an event to a session", tagSessions, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			SessionPath
			Body struct {
				Name       string          `json:"name" minLength:"1" maxLength:"200" pattern:"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$" doc:"The event's name."`
				Parameters []operator.Pair `json:"parameters,omitempty" maxItems:"200" doc:"Its further properties; dots in names nest."`
			}
		}) (*nothing, error) {
			_, err := askOwner[nothing](ctx, a, in.Session, operator.SendEvent, operator.Event(in.Body))
			return nil, err
		})
}

func (a *API) listSessions(ctx context.Context, in *struct {
	Paging
	Document string `query:"document" doc:"A part of the document's URI."`
	State    string `query:"state" doc:"The value of the state variable."`
	Startup  string `query:"startup" enum:"newcall,newccxml,external,newsession" doc:"What began them."`
	Token    string `query:"token" doc:"Which token started them: the first twelve digits of its SHA-256."`
}) (*body[List[operator.Session]], error) {
	ask := operator.Sessions{Document: in.Document, State: in.State, Startup: in.Startup, Token: in.Token}
	l, err := list(ctx, a, operator.ListSessions, in.Paging, ask, func(s operator.Session) operator.Cursor {
		return operator.Cursor{Began: s.Started, ID: s.ID}
	})
	return &body[List[operator.Session]]{l}, err
}
