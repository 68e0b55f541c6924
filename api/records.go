package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"ccxmld/access"
	"ccxmld/operator"
	"ccxmld/records"
)

// records are the operations on call detail records.
func (a *API) records() {
	serve(a, route{http.MethodGet, "/v1/records", "findRecords", "Records of calls and sessions that have ended, the youngest first", "Records", access.Read, 0}, a.findRecords)
}

// findRecords looks in the journals of all controllers.
func (a *API) findRecords(ctx context.Context, in *struct {
	Limit   int       `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"At most so many."`
	Record  string    `query:"record" enum:"call,session" doc:"Of which kind."`
	Session string    `query:"session" maxLength:"64" doc:"That of a session, and of its calls."`
	Number  string    `query:"number" maxLength:"256" doc:"A part of either party's address."`
	From    time.Time `query:"from" doc:"Ended then or later."`
	To      time.Time `query:"to" doc:"Ended before; with the time at which the last one of a list ended it goes on."`
}) (*body[List[json.RawMessage]], error) {
	wanted := records.Wanted{Record: in.Record, Session: in.Session, Number: in.Number, From: in.From, To: in.To, Limit: in.Limit}
	answers, err := askAll[[]json.RawMessage](ctx, a, operator.FindRecords, wanted)
	if err != nil {
		return nil, err
	}
	l := List[json.RawMessage]{Items: []json.RawMessage{}}
	for _, one := range answers {
		if one.err != nil {
			l.Unreachable = append(l.Unreachable, one.controller)
		}
		l.Items = append(l.Items, one.result...)
	}
	slices.SortStableFunc(l.Items, func(x, y json.RawMessage) int { return cmp.Compare(ended(y), ended(x)) })
	l.Items = l.Items[:min(in.Limit, len(l.Items))]
	return &body[List[json.RawMessage]]{l}, nil
}

// ended is when what a record is of has ended, in milliseconds.
func ended(record json.RawMessage) int64 {
	var r struct{ Ended time.Time }
	_ = json.Unmarshal(record, &r) // a journal has records only
	return r.Ended.UnixMilli()
}
