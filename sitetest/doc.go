// Package sitetest is how the tests of calls are written: a whole daemon with a
// simulated FreeSWITCH, the network between them and Redis in memory, on the virtual
// time of package site. A test writes a CCXML document, lets calls come in or a token
// start a session, plays the parties, and reads what the session did:
//
//	s := sitetest.New(t)
//	s.Switch.AddSound("/sounds/welcome.wav", 2*time.Second)
//	caller := s.Dial(s.Transitions("welcome.ccxml", `
//		<transition event="connection.alerting"><accept/></transition>
//		<transition event="connection.connected"><dialogstart src="'/sounds/welcome.wav'" type="'audio/wav'"/></transition>
//		<transition event="dialog.exit"><log expr="'played'"/><exit/></transition>`))
//	s.Must(caller.WaitHeard(s.Context(), "welcome.wav"))
//	s.WaitLog("played")
//	s.WaitIdle()
//
// The goroutine of the test is at work by the site's clock (see [clock.Virtual]): time
// passes while it waits through the site, its context, its clock or a party, and stands
// still otherwise. What a test starts beside itself is started by [clock.Go], and hands
// over by a [Queue]; a channel or a sync.WaitGroup would stop the time. So no test
// sleeps, and none depends on how fast the machine is. [NewOverTCP] and [NewReal] are
// on real time, for what a test cannot have in memory: other processes, and FreeSWITCH.
//
// What tests of calls have beside it, and why:
//
//   - Package conformance is part of the program (ccxmld conformance), and runs on a
//     FreeSWITCH as well; it begins where sitetest does, on package site.
//   - `ccxmld simulate` and its demo are programs on package site, tested by what they
//     print.
//   - The tests of doctor have the switch alone, and daemons only as strangers at the
//     addresses that it looks at.
//   - Package dialog/dialogtest has one leg without a switch, since dialogs know no more
//     of a call than that.
//   - The benchmarks of daemon have their switch in another process, so that it is not
//     measured.
//
// At its end a site hangs up, ends its daemons, and fails the test if one of them still
// has a session or a call; [Main] fails the package if a goroutine is left.
package sitetest
