package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"ccxmld/esl/switchsim"
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
	address := unusedAddress(t)
	link := newSlowLines(t, nil, 0, func() string { return address })
	kept := make(chan struct{})
	var options switchsim.Options
	var release func()
	hold := func() {
		release = link.holdAnswers("core_uuid")
		t.Cleanup(release)
	}
	h := newHouse(t, withToken("out.ccxml"),
		with("NODES", fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", link.address())),
		func(p *plan) {
			p.sw.Job = func(name, argument string) switchsim.JobFate {
				if name != "originate" || strings.Contains(argument, "201") {
					return switchsim.JobDone
				}
				close(kept)
				return switchsim.JobKept
			}
			options, p.address = p.sw, address
			if !anew {
				hold()
			}
		})
	if anew {
		h.up()
		hold()
		h.sw.Close()
		h.must(h.log.waitFor(h.ctx, "node link is down"))
		h.sw = switchsim.New(options)
		h.must(h.sw.Listen(address))
		t.Cleanup(h.sw.Close)
	}
	h.sw.Callee("200", switchsim.Answers{})
	h.sw.Callee("201", switchsim.Answers{})
	h.until("the link is up", func() bool { return h.daemon.Controller.Nodes()[0].Err == nil })
	h.transitions("out.ccxml", callOut)
	h.startToken("")
	<-kept
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

// unusedAddress gives an address at which nobody listens.
func unusedAddress(t testing.TB) string {
	t.Helper()
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer reserved.Close()
	return reserved.Addr().String()
}
