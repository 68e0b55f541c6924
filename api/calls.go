package api

import (
	"context"
	"net/http"

	"ccxmld/access"
	"ccxmld/operator"
)

const tagCalls = "Calls"

// CallPath names a call.
type CallPath struct {
	Call string `path:"call" json:"call" maxLength:"64" doc:"The call's id, which documents know as connectionid."`
}

func (p CallPath) request() operator.CallRequest { return operator.CallRequest{Call: p.Call} }

// calls are the operations on calls.
func (a *API) calls() {
	serve(a, route{http.MethodGet, "/v1/calls", "listCalls", "Calls of all controllers, in the order of their sessions", tagCalls, access.Read, 0}, a.listCalls)
	serve(a, route{http.MethodGet, "/v1/calls/{call}", "getCall", "One call", tagCalls, access.Read, 0},
		func(ctx context.Context, in *CallPath) (*body[operator.Call], error) {
			call, err := askFor[operator.Call](ctx, a, operator.ShowCall, in.request())
			return &body[operator.Call]{call}, err
		})
	serve(a, route{http.MethodDelete, "/v1/calls/{call}", "hangUpCall", "Hang a call up; its document hears of the end", tagCalls, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			CallPath
			Cause string `query:"cause" json:"cause" default:"NORMAL_CLEARING" doc:"A hangup cause of FreeSWITCH."`
		}) (*nothing, error) {
			_, err := askFor[nothing](ctx, a, operator.HangUp, operator.HangUpRequest{CallRequest: in.request(), Cause: in.Cause})
			return nil, err
		})
	serve(a, route{http.MethodPost, "/v1/calls/{call}/transfer", "transferCall", "Send a call elsewhere: one that is not answered by 302, an answered one by REFER. Its document hears what comes of it", tagCalls, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			CallPath
			Body struct {
				To string `json:"to" minLength:"1" maxLength:"256" example:"sip:agent@pbx.example.org" doc:"A sip: or tel: URI."`
			}
		}) (*nothing, error) {
			_, err := askFor[nothing](ctx, a, operator.Transfer, operator.TransferRequest{CallRequest: in.request(), To: in.Body.To})
			return nil, err
		})
	serve(a, route{http.MethodPut, "/v1/calls/{call}/recording", "recordCall", "Record a call, or end that", tagCalls, access.Operate, 0},
		func(ctx context.Context, in *struct {
			CallPath
			Body struct {
				On  bool   `json:"on"`
				Tag string `json:"tag,omitempty" maxLength:"64" doc:"A part of the recording's name."`
			}
		}) (*body[operator.Recording], error) {
			recording, err := askFor[operator.Recording](ctx, a, operator.RecordCall, operator.RecordRequest{CallRequest: in.request(), On: in.Body.On, Tag: in.Body.Tag})
			return &body[operator.Recording]{recording}, err
		})
	serve(a, route{http.MethodPost, "/v1/calls/{call}/digits", "sendDigits", "Send digits to the far end of a call", tagCalls, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			CallPath
			Body struct {
				Digits string `json:"digits" minLength:"1" maxLength:"128" pattern:"^[0-9A-D*#wW]+$" doc:"Digits; w is a pause of half a second, W of one."`
			}
		}) (*nothing, error) {
			_, err := askFor[nothing](ctx, a, operator.SendDigits, operator.DigitsRequest{CallRequest: in.request(), Digits: in.Body.Digits})
			return nil, err
		})
}

func (a *API) listCalls(ctx context.Context, in *struct {
	Paging
	Number   string `query:"number" doc:"A part of either party's address."`
	State    string `query:"state" enum:"ALERTING,PROGRESSING,CONNECTED,DISCONNECTED,FAILED,ERROR,UNKNOWN" doc:"The connection's state."`
	Node     string `query:"node" doc:"The FreeSWITCH that they are on, by its own name."`
	Document string `query:"document" doc:"A part of the URI of the session's document."`
}) (*body[List[operator.Call]], error) {
	ask := operator.Sessions{Number: in.Number, State: in.State, Node: in.Node, Document: in.Document}
	l, err := list(ctx, a, operator.ListCalls, in.Paging, ask, func(c operator.Call) operator.Cursor {
		return operator.Cursor{Began: c.SessionBegan, ID: c.Session}
	})
	return &body[List[operator.Call]]{l}, err
}
