package callcontrol_test

import (
	"fmt"
	"strings"
	"testing"

	"ccxmld/clock"
	"ccxmld/sitetest"
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
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"),
		func(o *sitetest.Options) {
			link, kept = slowLinesOf(o, nil, 0, func() string { return sitetest.SwitchAddress }), clock.NewLatch(o.Clock)
			o.Environment["NODES"] = fmt.Sprintf("[{name: sim, address: %q, password: ClueCon}]", link.address())
			o.Switch.Job = func(name, argument string) switchsim.JobFate {
				if name != "originate" || strings.Contains(argument, "201") {
					return switchsim.JobDone
				}
				kept.Open()
				return switchsim.JobKept
			}
			options = o.Switch
			if !anew {
				hold()
			}
		})
	if anew {
		s.WaitLinks()
		hold()
		s.Switch.Close()
		s.Must(s.DaemonLog.WaitText(s.Context(), "node link is down"))
		s.Switch = s.AddSwitch(options)
		s.Must(s.Switch.Listen(sitetest.SwitchAddress))
	}
	s.Switch.Callee("200", switchsim.Answers{})
	s.Switch.Callee("201", switchsim.Answers{})
	s.WaitUntil("the link is up", func() bool { return s.Daemon.Controller.Nodes()[0].Err == nil })
	s.Transitions("out.ccxml", callOut)
	s.StartToken("")
	s.Must(kept.Wait(s.Context()))
	release()
	s.WaitLinks()
	s.Transitions("out.ccxml", strings.ReplaceAll(strings.ReplaceAll(callOut, "200", "201"), "'answered'", "'the next is answered'"))
	s.StartToken("") // what the link was asked before it was asked for this is answered
	s.WaitLog("the next is answered")
	if s.DaemonLog.Has("FreeSWITCH has been started anew") != anew {
		t.Errorf("started anew: %t expected", anew)
	}
	s.Switch.ReleaseJobs()
	s.WaitLog("answered")
	s.WaitIdle()
	if s.Trace.Has("connection.failed") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}
