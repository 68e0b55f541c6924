//go:build unix

package daemon_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// callPace is how many calls begin in a second, and for how long they do at a time.
type callPace struct {
	callsPerSecond int
	lasts          time.Duration
}

// paces are those of BenchmarkPacedCalls: with pacedRounds and four contenders it
// takes two minutes.
var paces = []callPace{{20, 5 * time.Second}, {200, 2 * time.Second}, {800, time.Second}}

// pacedRounds is how often each contender takes its turn, so that what else the
// machine does meets all of them.
const pacedRounds = 3

// pacedCost is what a contender took.
type pacedCost struct {
	calls     int
	cpu       time.Duration
	reactions []time.Duration
}

// BenchmarkPacedCalls makes the calls of BenchmarkCall in the rhythm of real ones:
// they begin at equal distances, whether others have ended or not. It reports the
// CPU time of this process for a call, and how long commands take from the event to
// them, as the switch sees it.
func BenchmarkPacedCalls(b *testing.B) {
	sw := startSwitchAt(b, pacedSpeed)
	for _, p := range paces {
		b.Run(fmt.Sprintf("%d-per-second", p.callsPerSecond), func(b *testing.B) {
			costs := make([]pacedCost, len(contenders))
			for range b.N {
				for range pacedRounds {
					for i, c := range contenders {
						costs[i].measure(b, sw, c.name, c.start, p)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			printPaced(b, costs)
		})
	}
}

// measure has a contender, which is started and stopped for it, take the calls.
func (cost *pacedCost) measure(tb testing.TB, sw *switchProcess, name string, start func(testing.TB, *switchProcess, func()) contender, p callPace) {
	tb.Helper()
	defer func() {
		if tb.Failed() {
			tb.Logf("these were calls of %s", name)
		}
	}()
	program := start(tb, sw, nil)
	defer program.stop()
	order := switchOrder{Address: program.address(), Document: program.document(), Calls: 2 * atOnce, Parallel: atOnce}
	sw.do(tb, order) // the first ones pay for what is made once
	program.settle()
	order.Parallel, order.PerSecond = 0, p.callsPerSecond
	order.Calls = max(1, int(p.lasts*time.Duration(p.callsPerSecond)/time.Second))
	runtime.GC()
	before := cpuTime()
	answer := sw.do(tb, order)
	program.settle()
	cost.cpu += cpuTime() - before
	cost.calls += order.Calls
	if len(answer.Commands) != 2*order.Calls || len(answer.Answers) != order.Calls {
		tb.Errorf("%d calls were answered %d times, and had %d commands after events", order.Calls, len(answer.Answers), len(answer.Commands))
	}
	cost.reactions = append(cost.reactions, answer.Commands...)
}

func (cost *pacedCost) perCall() time.Duration { return cost.cpu / time.Duration(cost.calls) }

// printPaced prints a table, and reports ccxmld's ratios to the first contender.
func printPaced(b *testing.B, costs []pacedCost) {
	first := contenders[0].name
	values := func(c *pacedCost) [3]float64 {
		return [3]float64{micro(c.perCall()), micro(percentile(c.reactions, 50)), micro(percentile(c.reactions, 99))}
	}
	base := values(&costs[0])
	for i := range costs {
		v := values(&costs[i])
		fmt.Printf("    %-10s %6.0f cpu-µs/call %5.2f x   p50 %6.0f µs %5.2f x   p99 %6.0f µs %5.2f x %s\n", contenders[i].name,
			v[0], v[0]/base[0], v[1], v[1]/base[1], v[2], v[2]/base[2], first)
		if contenders[i].name == "ccxmld" {
			b.ReportMetric(v[0]/base[0], "cpu-x-"+first)
			b.ReportMetric(v[1]/base[1], "p50-x-"+first)
			b.ReportMetric(v[2]/base[2], "p99-x-"+first)
		}
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// TestPacedCalls: the paced benchmark measures each command once. eslgo is left
// out, whose listener cannot be closed.
func TestPacedCalls(t *testing.T) {
	sw := startSwitchAt(t, pacedSpeed)
	for _, c := range contenders {
		if c.name == "eslgo" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			var cost pacedCost
			cost.measure(t, sw, c.name, c.start, callPace{100, 50 * time.Millisecond})
			if cost.calls != 5 || cost.cpu <= 0 || percentile(cost.reactions, 50) > percentile(cost.reactions, 99) {
				t.Errorf("measured %+v", cost)
			}
		})
	}
}

// The live calls of BenchmarkManyCalls: a process may have 20,000 files open on the
// machines that we have.
const (
	firstCalls = 100
	mostCalls  = 18_000
	lastCalls  = 100
)

// BenchmarkManyCalls keeps many calls, and reports how long the next ones take to be
// answered, from the connection to the command: one at a time, at a hundred live
// calls and at 18,000.
func BenchmarkManyCalls(b *testing.B) {
	allowFiles(b, mostCalls+1000)
	sw := startSwitchAt(b, pacedSpeed)
	for _, c := range contenders {
		if c.name != "raw" && c.name != "ccxmld" {
			continue
		}
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				few, many := answersAt(b, sw, c.start)
				for _, percent := range []int{50, 99} {
					atFew, atMany := micro(percentile(few, percent)), micro(percentile(many, percent))
					fmt.Printf("    %-10s p%d to answer: %6.0f µs at %d calls, %6.0f µs at %d, %5.2f x\n",
						c.name, percent, atFew, firstCalls, atMany, mostCalls, atMany/atFew)
					b.ReportMetric(atMany, fmt.Sprintf("p%d-µs-to-answer", percent))
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// answersAt gives how long calls took to be answered, the last ones of few live
// calls and of many.
func answersAt(tb testing.TB, sw *switchProcess, start func(testing.TB, *switchProcess, func()) contender) (few, many []time.Duration) {
	program := start(tb, sw, func() {})
	defer program.stop()
	order := switchOrder{Address: program.address(), Document: program.document()}
	hold := func(calls, atOnce int) []time.Duration {
		order.Hold, order.Parallel = calls, atOnce
		return sw.do(tb, order).Answers
	}
	few = hold(firstCalls, 1)
	hold(mostCalls-lastCalls, dialAtOnce)
	program.flush()
	many = hold(mostCalls, 1)
	sw.do(tb, switchOrder{Release: true})
	program.settle()
	if len(few) != firstCalls || len(many) != lastCalls {
		tb.Errorf("the answers of %d and %d calls were seen", len(few), len(many))
	}
	return few, many
}
