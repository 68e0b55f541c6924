package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"ccxmld/access"
	"ccxmld/operator"
)

const (
	tagNodes       = "Nodes"
	tagControllers = "Controllers"
)

// Controller is a ccxmld of the site.
type Controller struct {
	ID      string         `json:"id"`
	Host    string         `json:"host"`
	PID     int            `json:"pid"`
	Version string         `json:"version"`
	Address string         `json:"address" doc:"Where FreeSWITCH reaches it."`
	Started time.Time      `json:"started"`
	Renewed time.Time      `json:"renewed" doc:"When it was last heard of in Redis."`
	Alive   bool           `json:"alive" doc:"Its lease runs."`
	Load    *operator.Load `json:"load,omitempty" doc:"What it has to do; absent where it does not answer."`
}

// nodes are the operations on FreeSWITCH nodes and on controllers.
func (a *API) nodes() {
	serve(a, route{http.MethodGet, "/v1/nodes", "listNodes", "FreeSWITCH nodes, as each controller sees them", tagNodes, access.Read, 0}, a.listNodes)
	serve(a, route{http.MethodPatch, "/v1/nodes/{node}", "changeNode", "Take a node out of service for outbound calls, or put it back, on all controllers until they are started again", tagNodes, access.Admin, http.StatusNoContent},
		func(ctx context.Context, in *struct {
			Node string `path:"node" json:"node" maxLength:"64" doc:"The node's name in the configuration."`
			Body struct {
				Drained bool `json:"drained"`
			}
		}) (*nothing, error) {
			return nil, a.setNode(ctx, operator.NodeRequest{Name: in.Node, Drained: in.Body.Drained})
		})
	serve(a, route{http.MethodGet, "/v1/controllers", "listControllers", "Controllers of the site", tagControllers, access.Read, 0}, a.listControllers)
	serve(a, route{http.MethodPost, "/v1/controllers/{controller}/drain", "drainController", "Have a controller take no new sessions, hand over those that it has, and end", tagControllers, access.Admin, http.StatusAccepted},
		func(ctx context.Context, in *struct {
			Controller string `path:"controller" json:"controller" maxLength:"64" doc:"The controller's id."`
		}) (*nothing, error) {
			_, err := ask[nothing](ctx, a, in.Controller, operator.Drain, "", nil)
			return nil, err
		})
}

func (a *API) listNodes(ctx context.Context, _ *struct{}) (*body[List[operator.Node]], error) {
	answers, err := askAll[[]operator.Node](ctx, a, operator.ListNodes, nil)
	l := List[operator.Node]{Items: []operator.Node{}}
	for _, one := range answers {
		if one.err != nil {
			l.Unreachable = append(l.Unreachable, one.controller)
		}
		l.Items = append(l.Items, one.result...)
	}
	slices.SortStableFunc(l.Items, func(x, y operator.Node) int { return cmp.Compare(x.Name, y.Name) })
	return &body[List[operator.Node]]{l}, err
}

// setNode changes a node on all controllers that know it.
func (a *API) setNode(ctx context.Context, r operator.NodeRequest) error {
	answers, err := askAll[nothing](ctx, a, operator.SetNode, r)
	if err != nil {
		return err
	}
	var failed error
	known := false
	for _, one := range answers {
		switch {
		case one.err == nil:
			known = true
		case failed == nil || operator.KindOf(failed) == operator.NotFound:
			failed = one.err
		}
	}
	if known && operator.KindOf(failed) == operator.NotFound {
		return nil
	}
	return failed
}

func (a *API) listControllers(ctx context.Context, _ *struct{}) (*body[List[Controller]], error) {
	controllers, err := a.options.Site.Controllers(ctx)
	if err != nil {
		return nil, operator.Errorf(operator.Unavailable, "the controllers of the site: %v", err)
	}
	answers, err := askAll[operator.Load](ctx, a, operator.ShowLoad, nil)
	if err != nil {
		return nil, err
	}
	l := List[Controller]{Items: []Controller{}}
	for _, c := range controllers {
		shown := Controller{ID: c.ID, Host: c.Host, PID: c.PID, Version: c.Version, Address: c.Address, Started: c.Started.UTC(), Renewed: c.Renewed.UTC(), Alive: c.Alive}
		for _, one := range answers {
			switch {
			case one.controller != c.ID:
			case one.err != nil:
				l.Unreachable = append(l.Unreachable, c.ID)
			default:
				shown.Load = &one.result
			}
		}
		l.Items = append(l.Items, shown)
	}
	return &body[List[Controller]]{l}, nil
}
