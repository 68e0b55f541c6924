package callcontrol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"ccxmld/esl"
)

// NodeOptions name a FreeSWITCH and how to reach it.
type NodeOptions struct {
	Name     string
	Address  string
	Password string
}

// Node is a FreeSWITCH that we have a link to: for originating calls, and for
// hanging up those that have no socket yet.
type Node struct {
	options NodeOptions
	link    *esl.Link
	beenUp  chan struct{} // closed when the link is up for the first time
	pace    *rate.Limiter // of originates: FreeSWITCH refuses what exceeds its sessions-per-second
	log     *slog.Logger
}

// linkVariable marks the outbound legs of a controller, so that its link hears
// of them and of no others. It is emptied when the leg has its own socket.
const linkVariable = "ccxmld_link"

// sessionVariable names the session of an outbound leg.
const sessionVariable = "ccxml_session"

// linkEvents are what a link subscribes to: the fate of outbound calls before
// they come to our socket.
var linkEvents = []string{"CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_HANGUP_COMPLETE"}

func newNode(c *Controller, o NodeOptions) *Node {
	n := &Node{options: o, log: c.log.With("node", o.Name), beenUp: make(chan struct{}), pace: c.pace()}
	first := sync.OnceFunc(func() { close(n.beenUp) })
	n.link = esl.NewLink(esl.LinkOptions{
		Name: o.Name, Address: o.Address, Password: o.Password, Logger: c.log,
		Events:  linkEvents,
		Filters: [][2]string{{"variable_" + linkVariable, c.options.ID}},
		OnUp:    func() { first(); n.lookForModules() },
		OnEvent: c.handleLink,
	})
	return n
}

// WaitNodes waits until the link to each node has been up, or until ctx ends.
func (c *Controller) WaitNodes(ctx context.Context) error {
	for _, node := range c.nodes {
		select {
		case <-node.beenUp:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// pace makes the limiter of a node's originates.
func (c *Controller) pace() *rate.Limiter {
	if c.limits.OriginatesPerSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(c.limits.OriginatesPerSecond), c.limits.OriginatesPerSecond)
}

// send gives a command to the node; what it refuses is logged.
func (n *Node) send(cmd esl.Command) {
	n.link.Send(cmd, func(r *esl.Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			n.log.Warn("command failed", "command", firstLine(cmd.BuildMessage()), "error", err)
		}
	})
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

// pickNode chooses the node of an outbound call: the next one that is up.
func (c *Controller) pickNode() (*Node, error) {
	if len(c.nodes) == 0 {
		return nil, errors.New("no FreeSWITCH node is configured; add one to nodes")
	}
	first := int(c.nextNode.Add(1))
	var reasons []string
	for i := range c.nodes {
		node := c.nodes[(first+i)%len(c.nodes)]
		if node.link.Up() {
			return node, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", node.options.Name, node.link.Err()))
	}
	return nil, fmt.Errorf("no FreeSWITCH node is reachable (%s)", strings.Join(reasons, "; "))
}
