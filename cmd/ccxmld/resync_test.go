package main

import (
	"fmt"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// A call that is placed on a link before FreeSWITCH has said there who it is, is not
// looked for, nor given up where FreeSWITCH was started anew: FreeSWITCH may not have
// begun with it.
func TestCallPlacedAsTheLinkComesUp(t *testing.T) {
	t.Parallel()
	for _, anew := range []bool{false, true} {
		t.Run(map[bool]string{false: "first", true: "anew"}[anew], func(t *testing.T) {
			t.Parallel()
			placedAsTheLinkComesUp(t, anew)
		})
	}
}

func placedAsTheLinkComesUp(t *testing.T, anew bool) {
	var link *slowLines
	var kept *clock.Latch
	var options switchsim.Options
	var release func()
	hold := func() {
		release = link.holdAnswers("core_uuid")
		t.Cleanup(release)
	}
	h := newHouse(t, withToken("out.ccxml"),
		func(p *plan) {
			link, kept = slowLinesOf(p, nil, 0, func() string { return switchAddress }), clock.NewLatch(p.site.Clock)
			p.environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", link.address())
			p.sw.Job = func(name, argument string) switchsim.JobFate {
				if name != "originate" || strings.Contains(argument, "201") {
					return switchsim.JobDone
				}
				kept.Open()
				return switchsim.JobKept
			}
			options = p.sw
			if !anew {
				hold()
			}
		})
	if anew {
		h.up()
		hold()
		h.sw.Close()
		h.must(h.log.waitFor(h.ctx, "node link is down"))
		h.sw = h.site.AddSwitch(options)
		h.must(h.sw.Listen(switchAddress))
	}
	h.sw.Callee("200", switchsim.Answers{})
	h.sw.Callee("201", switchsim.Answers{})
	h.until("the link is up", func() bool { return h.daemon.Controller.Nodes()[0].Err == nil })
	h.transitions("out.ccxml", callOut)
	h.startToken("")
	h.must(kept.Wait(h.ctx))
	release()
	h.up()
	h.transitions("out.ccxml", strings.ReplaceAll(strings.ReplaceAll(callOut, "200", "201"), "'answered'", "'the next is answered'"))
	h.startToken("") // what the link was asked before it was asked for this is answered
	h.logged("the next is answered")
	if h.log.has("FreeSWITCH has been started anew") != anew {
		t.Errorf("started anew: %t expected", anew)
	}
	h.sw.ReleaseJobs()
	h.logged("answered")
	h.idle()
	if h.seen.has("connection.failed") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}
