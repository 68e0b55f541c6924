package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ccxmld/access"
	"ccxmld/conference"
	"ccxmld/operator"
)

const tagConferences = "Conferences"

// ConferencePath names a conference.
type ConferencePath struct {
	Conference string `path:"conference" json:"conference" maxLength:"512" doc:"The conference's id, percent-encoded; or the name that documents gave it, after conference:."`
}

func (p ConferencePath) request() operator.ConferenceRequest {
	return operator.ConferenceRequest{Conference: p.Conference}
}

// MemberPath names a member.
type MemberPath struct {
	ConferencePath
	Call string `path:"call" json:"call" maxLength:"64" doc:"The call's id."`
}

func (p MemberPath) request() operator.MemberRequest {
	return operator.MemberRequest{ConferenceRequest: p.ConferencePath.request(), Call: p.Call}
}

// conferences are the operations on conferences.
func (a *API) conferences() {
	serve(a, route{http.MethodGet, "/v1/conferences", "listConferences", "Conferences of the site", tagConferences, access.Read, 0}, a.listConferences)
	serve(a, route{http.MethodGet, "/v1/conferences/{conference}", "getConference", "One conference, and who is in it", tagConferences, access.Read, 0},
		func(ctx context.Context, in *ConferencePath) (*body[operator.ConferenceDetail], error) {
			detail, err := askOwnerOf[operator.ConferenceDetail](ctx, a, in.Conference, operator.ShowConference, in.request())
			return &body[operator.ConferenceDetail]{detail}, err
		})
	serve(a, route{http.MethodPatch, "/v1/conferences/{conference}", "changeConference", "Lock or unlock a conference; begin or end its recording", tagConferences, access.Operate, 0},
		func(ctx context.Context, in *struct {
			ConferencePath
			Body struct {
				Locked    *bool `json:"locked,omitempty" doc:"Whether nobody else is let in."`
				Recording *bool `json:"recording,omitempty" doc:"Whether it is recorded."`
			}
		}) (*body[operator.Recording], error) {
			settings := operator.ConferenceSettings{ConferenceRequest: in.request(), Locked: in.Body.Locked, Recording: in.Body.Recording}
			recording, err := askOwnerOf[operator.Recording](ctx, a, in.Conference, operator.SetConference, settings)
			return &body[operator.Recording]{recording}, err
		})
	serve(a, route{http.MethodDelete, "/v1/conferences/{conference}", "emptyConference", "Take everybody out of a conference. It ends with the sessions that have it", tagConferences, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *ConferencePath) (*nothing, error) {
			_, err := askOwnerOf[nothing](ctx, a, in.Conference, operator.EndConference, in.request())
			return nil, err
		})
	serve(a, route{http.MethodPost, "/v1/conferences/{conference}/play", "playToConference", "Play a sound to all members", tagConferences, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			ConferencePath
			Body struct {
				Src string `json:"src" minLength:"1" maxLength:"1024" doc:"A file or HTTP URI within documents.allow, or a tone_stream of FreeSWITCH."`
			}
		}) (*nothing, error) {
			_, err := askOwnerOf[nothing](ctx, a, in.Conference, operator.Play, operator.PlayRequest{ConferenceRequest: in.request(), Src: in.Body.Src})
			return nil, err
		})
	serve(a, route{http.MethodPatch, "/v1/conferences/{conference}/members/{call}", "changeMember", "Mute a member, or let him not hear", tagConferences, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			MemberPath
			Body struct {
				Muted *bool `json:"muted,omitempty" doc:"Whether the others do not hear the member."`
				Deaf  *bool `json:"deaf,omitempty" doc:"Whether the member does not hear the others."`
			}
		}) (*nothing, error) {
			settings := operator.MemberSettings{MemberRequest: in.request(), Muted: in.Body.Muted, Deaf: in.Body.Deaf}
			_, err := askOwnerOf[nothing](ctx, a, in.Conference, operator.SetMember, settings)
			return nil, err
		})
	serve(a, route{http.MethodDelete, "/v1/conferences/{conference}/members/{call}", "kickMember", "Take a member out; its document gets conference.unjoined", tagConferences, access.Operate, http.StatusNoContent},
		func(ctx context.Context, in *MemberPath) (*nothing, error) {
			_, err := askOwnerOf[nothing](ctx, a, in.Conference, operator.KickMember, in.request())
			return nil, err
		})
}

// askOwnerOf asks the controller that answers for a conference.
func askOwnerOf[T any](ctx context.Context, a *API, id, name string, argument any) (result T, err error) {
	held, err := a.options.Site.Conference(ctx, id)
	switch {
	case errors.Is(err, conference.ErrNotFound):
		return result, operator.Errorf(operator.NotFound, "there is no conference %s", id)
	case err != nil:
		return result, operator.Errorf(operator.Unavailable, "conference %s: %v", id, err)
	}
	return ask[T](ctx, a, held.Owner, name, "", argument)
}

// maxConferences bounds a list of conferences.
const maxConferences = 1000

func (a *API) listConferences(ctx context.Context, in *struct {
	Name string `query:"name" doc:"A part of the name."`
}) (*body[List[operator.Conference]], error) {
	l := List[operator.Conference]{Items: []operator.Conference{}}
	for c, err := range a.options.Site.Conferences(ctx) {
		if err != nil {
			return nil, operator.Errorf(operator.Unavailable, "the conferences of the site: %v", err)
		}
		if !strings.Contains(c.Name, in.Name) {
			continue
		}
		if len(l.Items) == maxConferences {
			break
		}
		members, err := a.options.Site.Members(ctx, c.ID)
		if err != nil && !errors.Is(err, conference.ErrNotFound) {
			return nil, operator.Errorf(operator.Unavailable, "conference %s: %v", c.ID, err)
		}
		l.Items = append(l.Items, operator.ConferenceOf(c.ID, c.Name, c.Node, c.Owner, c.Created, len(members)))
	}
	return &body[List[operator.Conference]]{l}, nil
}
