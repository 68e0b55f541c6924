//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/esl/switchsim"
)

// switchProcess is a simulated switch in a process of its own, so that its CPU
// and memory are not taken for the controller's.
type switchProcess struct {
	orders  *json.Encoder
	answers *json.Decoder
	address string // for links
}

// switchOrder tells the switch process what to do. It answers each order when it
// is done.
type switchOrder struct {
	Address  string // of the controller
	Document string // CCXML document, for a controller that runs one
	Calls    int    // to make, and to wait for the end of
	Parallel int    // how many of them at a time
	Hold     int    // or: calls to make, to wait for the answer of, and to keep
	Release  bool   // or: end those that are kept
}

// switchAnswer says that an order was obeyed. The first one answers none: the
// switch is ready.
type switchAnswer struct {
	Address string // for links
	Error   string
}

// switchMark is set in the environment of a switch process.
const switchMark = "SWITCH_PROCESS"

// The switch of the benchmarks: the prompt that they play lasts ten milliseconds,
// and what the switch keeps of an ended call fifty.
const (
	benchPrompt = "/var/lib/sounds/welcome.wav"
	promptLasts = time.Second
	switchSpeed = 100
)

// startSwitch starts a switch process, which ends with the benchmark.
func startSwitch(b *testing.B) *switchProcess {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	process := exec.Command(program, "-test.run=^TestSwitchProcess$")
	process.Env = append(os.Environ(), switchMark+"=1")
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := process.Wait(); err != nil {
			b.Errorf("switch: %v", err)
		}
	})
	p := &switchProcess{orders: json.NewEncoder(in), answers: json.NewDecoder(out)}
	p.address = p.answer(b).Address
	return p
}

// do has the switch obey an order, and waits until it has.
func (p *switchProcess) do(b *testing.B, order switchOrder) {
	b.Helper()
	if err := p.orders.Encode(order); err != nil {
		b.Fatal(err)
	}
	p.answer(b)
}

func (p *switchProcess) answer(b *testing.B) (answer switchAnswer) {
	b.Helper()
	if err := p.answers.Decode(&answer); err != nil {
		b.Fatal(err)
	}
	if answer.Error != "" {
		b.Fatal(answer.Error)
	}
	return answer
}

// TestSwitchProcess is the switch process: in one that was not started by
// startSwitch it has nothing to do.
func TestSwitchProcess(t *testing.T) {
	if os.Getenv(switchMark) == "" {
		return
	}
	sw := switchsim.New(switchsim.Options{
		Clock:  clock.Scaled(switchSpeed),
		Sounds: func(path string) (time.Duration, bool) { return promptLasts, path == benchPrompt },
	})
	defer sw.Close()
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	caller := &callers{sw: sw}
	orders, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	answer := switchAnswer{Address: sw.Addr()}
	for {
		if err := answers.Encode(answer); err != nil {
			t.Fatal(err)
		}
		var order switchOrder
		if orders.Decode(&order) != nil {
			return
		}
		answer = switchAnswer{}
		if err := caller.obey(order); err != nil {
			answer.Error = err.Error()
		}
	}
}

// callers are those who call the controller.
type callers struct {
	sw   *switchsim.Switch
	held []*switchsim.Party
}

func (c *callers) obey(order switchOrder) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	call := switchsim.Call{Sockets: []string{order.Address}}
	if order.Document != "" {
		call.Variables = map[string]string{documentVariable: order.Document}
	}
	switch {
	case order.Release:
		return c.release(ctx)
	case order.Hold > 0:
		return c.hold(ctx, call, order.Hold)
	}
	return c.make(ctx, call, order)
}

// documentVariable names a call's document in the dialplan.
const documentVariable = "ccxml_uri"

// make makes calls, as many at a time as were ordered, and waits for their ends.
func (c *callers) make(ctx context.Context, call switchsim.Call, order switchOrder) error {
	tickets := make(chan struct{}, order.Calls)
	for range order.Calls {
		tickets <- struct{}{}
	}
	close(tickets)
	failed := make(chan error, order.Parallel)
	var working sync.WaitGroup
	for range order.Parallel {
		working.Go(func() {
			for range tickets {
				if err := c.makeOne(ctx, call); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	working.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// makeOne makes one call, which must be answered, played the prompt and hung up.
func (c *callers) makeOne(ctx context.Context, call switchsim.Call) error {
	party, err := c.sw.Dial(call)
	if err != nil {
		return err
	}
	ending, err := party.WaitEnded(ctx)
	if err != nil {
		return fmt.Errorf("waiting for the end of a call: %w", err)
	}
	heard := party.Heard()
	if len(heard) != 1 || !heard[0].Complete || ending.By != "local" {
		return fmt.Errorf("a call went wrong: it ended with %+v and heard %+v", ending, heard)
	}
	return nil
}

// dialAtOnce bounds the calls that wait to be answered.
const dialAtOnce = 100

func (c *callers) hold(ctx context.Context, call switchsim.Call, count int) error {
	for len(c.held) < count {
		first := len(c.held)
		for len(c.held) < min(count, first+dialAtOnce) {
			party, err := c.sw.Dial(call)
			if err != nil {
				return err
			}
			c.held = append(c.held, party)
		}
		for _, party := range c.held[first:] {
			if err := party.WaitAnswered(ctx); err != nil {
				return fmt.Errorf("call %d: %w", len(c.held), err)
			}
		}
	}
	return nil
}

func (c *callers) release(ctx context.Context) error {
	for _, party := range c.held {
		party.Hangup()
	}
	for _, party := range c.held {
		if _, err := party.WaitEnded(ctx); err != nil {
			return err
		}
	}
	c.held = nil
	return nil
}
