//go:build unix

package daemon_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/switchsim"
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
	// PerSecond, if set, has a call begin at each such part of a second, however many
	// there are.
	PerSecond int
	Hold      int  // or: calls to keep, which are made until there are so many, and answered
	Release   bool // or: end those that are kept
}

// switchAnswer says that an order was obeyed. The first one answers none: the
// switch is ready.
type switchAnswer struct {
	Address string // for links
	Error   string
	// Answers and Commands are how long the controller took, see reactions.
	Answers, Commands []time.Duration
}

// switchMark is set in the environment of a switch process, to its speed.
const switchMark = "SWITCH_PROCESS"

// The switch of the benchmarks: the prompt that they play lasts ten milliseconds,
// and what the switch keeps of an ended call fifty; at the pace of real calls, ten
// times as long. At that pace nothing else holds calls back where the machine is
// busy, and of the 25 s that a switch waits for a socket's first command the higher
// speed leaves 250 ms: then calls are lost that no controller answers for.
const (
	benchPrompt = "/var/lib/sounds/welcome.wav"
	promptLasts = time.Second
	switchSpeed = 100
	pacedSpeed  = 10
)

// startSwitch starts a switch process, which ends with the benchmark.
func startSwitch(b testing.TB) *switchProcess {
	b.Helper()
	return startSwitchAt(b, switchSpeed)
}

// startSwitchAt starts a switch process whose time passes so many times faster.
func startSwitchAt(b testing.TB, speed int) *switchProcess {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	process := exec.Command(program, "-test.run=^TestSwitchProcess$")
	process.Env = append(os.Environ(), switchMark+"="+strconv.Itoa(speed))
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
func (p *switchProcess) do(b testing.TB, order switchOrder) switchAnswer {
	b.Helper()
	if err := p.orders.Encode(order); err != nil {
		b.Fatal(err)
	}
	return p.answer(b)
}

func (p *switchProcess) answer(b testing.TB) (answer switchAnswer) {
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
	speed, err := strconv.Atoi(os.Getenv(switchMark))
	if err != nil {
		t.Fatal(err)
	}
	var measured reactions
	sw := switchsim.New(switchsim.Options{
		Clock:  clock.Scaled(float64(speed)),
		Dial:   measured.dial,
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
		measured.take()
		answer = switchAnswer{}
		if err := caller.obey(order); err != nil {
			answer.Error = err.Error()
		}
		if answers, commands := measured.take(); order.PerSecond > 0 || order.Hold > 0 {
			answer.Answers, answer.Commands = answers, commands
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
		return c.hold(ctx, call, order.Hold, cmp.Or(order.Parallel, dialAtOnce))
	case order.PerSecond > 0:
		return c.makePaced(ctx, call, order)
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

// lastCallEnds bounds how long paced calls may last after the last one's beginning.
const lastCallEnds = 30 * time.Second

// makePaced makes calls that begin at equal distances, and waits for their ends.
func (c *callers) makePaced(ctx context.Context, call switchsim.Call, order switchOrder) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(order.Calls)*time.Second/time.Duration(order.PerSecond)+lastCallEnds)
	defer cancel()
	failed := make(chan error, order.Calls)
	var working sync.WaitGroup
	begin, distance := time.Now(), time.Second/time.Duration(order.PerSecond)
	for i := range order.Calls {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * distance)))
		working.Go(func() { failed <- c.makeOne(ctx, call) })
	}
	working.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
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

func (c *callers) hold(ctx context.Context, call switchsim.Call, count, atOnce int) error {
	for len(c.held) < count {
		first := len(c.held)
		for len(c.held) < min(count, first+atOnce) {
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
