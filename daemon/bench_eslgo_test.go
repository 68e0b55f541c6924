//go:build unix

package daemon_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/percipia/eslgo"
	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

// eslgoController is the baseline on eslgo's outbound server: the call
// hard-coded as its examples do it.
type eslgoController struct {
	at     string
	live   func() // told of each answered call
	cancel context.CancelFunc
}

func startEslgo(b testing.TB, live func()) *eslgoController {
	// eslgo opens its listener itself and cannot close it: it gets a port that
	// is free now, and serves until the process ends.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	c := &eslgoController{at: free.Addr().String(), live: live}
	free.Close()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	options := eslgo.DefaultOutboundOptions
	options.Logger, options.Context = eslgo.NilLogger{}, ctx
	go func() { _ = options.ListenAndServe(c.at, c.serve) }()
	for {
		probe, err := net.Dial("tcp", c.at)
		if err == nil {
			probe.Close()
			return c
		}
		select {
		case <-time.After(time.Millisecond):
		case <-b.Context().Done():
			b.Fatal(err)
		}
	}
}

func (c *eslgoController) address() string  { return c.at }
func (c *eslgoController) document() string { return "" }
func (c *eslgoController) settle()          {}
func (c *eslgoController) flush()           {}
func (c *eslgoController) stop()            { c.cancel() }

// serve runs the call until it has ended; eslgo then closes the socket.
func (c *eslgoController) serve(ctx context.Context, conn *eslgo.Conn, _ *eslgo.RawResponse) {
	answered, played, ended := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	conn.RegisterEventListener(eslgo.EventListenAll, func(e *eslgo.Event) {
		switch e.GetName() {
		case "CHANNEL_ANSWER":
			answered <- struct{}{}
		case "CHANNEL_EXECUTE_COMPLETE":
			if e.GetHeader("Application") == "playback" {
				played <- struct{}{}
			}
		case "CHANNEL_HANGUP_COMPLETE":
			ended <- struct{}{}
		}
	})
	do := func(cmd command.Command) { _, _ = conn.SendCommand(ctx, cmd) }
	do(command.Linger{Enabled: true, Seconds: 5})
	do(command.MyEvents{Format: "plain"})
	do(&call.Execute{AppName: "answer"})
	if !await(ctx, answered) {
		return
	}
	if c.live != nil { // it waits in the park
		c.live()
		await(ctx, ended)
		return
	}
	do(&call.Execute{AppName: "playback", AppArgs: benchPrompt})
	if !await(ctx, played) {
		return
	}
	do(call.Hangup{Cause: "NORMAL_CLEARING"})
	await(ctx, ended)
}

func await(ctx context.Context, what <-chan struct{}) bool {
	select {
	case <-what:
		return true
	case <-ctx.Done():
		return false
	}
}
