package callcontrol_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// analysed calls a number and tells what it is found to be.
func analysed(number, attributes string) string {
	return `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml" xmlns:voxeo="http://community.voxeo.com/xmlns/ccxml">
<eventprocessor>
<transition event="ccxml.loaded"><createcall dest="'tel:` + number + `'" voxeo-cpa-maxsilence="'600ms'" voxeo-cpa-maxtime="'1500ms'" voxeo-cpa-runtime="'8s'" ` + attributes + `/></transition>
<transition event="connection.connected"><log expr="'up ' + event$.connectionid"/></transition>
<transition event="voxeo.cpa.result"><log expr="'` + number + ` is ' + event$.type"/></transition>
<transition event="connection.failed"><log expr="event$.detail"/><exit/></transition>
<transition event="connection.disconnected"><exit/></transition>
</eventprocessor></ccxml>`
}

// results are what the analysis of a call to a number told, in order.
func results(s *sitetest.Site, number string) string {
	var results []string
	for _, line := range s.Trace.Lines() {
		if result, ok := strings.CutPrefix(line, "log "+number+" is "); ok {
			results = append(results, result)
		}
	}
	return strings.Join(results, " ")
}

// The tones of machines and networks are told from voices, and from each other
// (VX-40).
func TestAnalysis(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	greeting := switchsim.Speech{After: 300 * ms, Lasts: 2500 * ms}
	beep := switchsim.Speech{After: 2900 * ms, Lasts: 400 * ms, Tone: 440}
	sit := []switchsim.Speech{{After: 300 * ms, Lasts: 330 * ms, Tone: 985.2}, {After: 630 * ms, Lasts: 330 * ms, Tone: 1428.5}, {After: 960 * ms, Lasts: 330 * ms, Tone: 1776.7}}
	cases := []struct {
		name, attributes string
		says             []switchsim.Speech
		want             string
	}{
		{"a fax that calls", "", []switchsim.Speech{{After: 300 * ms, Lasts: 500 * ms, Tone: 1100}}, "faxtone"},
		{"a fax that answers", "", []switchsim.Speech{{After: 300 * ms, Lasts: 2600 * ms, Tone: 2100}}, "faxtone"},
		{"a modem for who does not ask for faxes", `voxeo-cpa-maskevent="'human,modem'"`, []switchsim.Speech{{After: 300 * ms, Lasts: 2600 * ms, Tone: 2100}}, "modem"},
		{"number not in service", "", sit, "sit"},
		{"a tone of it missed", "", sit[:2], "sit"},
		{"its first tone alone", "", sit[:1], "beep"},
		{"a beep", `hints="{beeps: [620]}"`, []switchsim.Speech{{After: 300 * ms, Lasts: 500 * ms, Tone: 620}}, "beep"},
		{"an answering machine", "", []switchsim.Speech{greeting, beep}, "machine beep"},
		{"an answering machine whose beep nobody wants", `voxeo-cpa-maskstop="'machine'"`, []switchsim.Speech{greeting, beep}, "machine"},
		{"only its beep is wanted", `voxeo-cpa-maskevent="'beep'"`, []switchsim.Speech{greeting, beep}, "beep"},
		{"going on after a human", `voxeo-cpa-maskstop="'beep'"`, []switchsim.Speech{{After: 300 * ms, Lasts: 500 * ms}, beep}, "human beep"},
		{"tones that do not matter are sound", `voxeo-cpa-maskevent="'human machine'"`, []switchsim.Speech{{After: 300 * ms, Lasts: 500 * ms, Tone: 1100}}, "human"},
	}
	s := sitetest.New(t) // the analysis goes by both clocks
	number := func(i int) string { return fmt.Sprint(200 + i) }
	for i, c := range cases {
		last := c.says[len(c.says)-1]
		s.Switch.Callee(number(i), switchsim.Answers{Says: c.says, HangupAfter: last.After + last.Lasts + 1500*ms})
		_, err := s.Daemon.Controller.Start(s.Context(), callcontrol.StartRequest{URI: s.Document(number(i)+".ccxml", analysed(number(i), c.attributes))})
		s.Must(err)
	}
	s.WaitIdle()
	for i, c := range cases {
		if got := results(s, number(i)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Beeps that no telephone carries are refused.
func TestBeepsRefused(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Switch.Callee("200", switchsim.Answers{})
	s.Document("out.ccxml", analysed("200", `hints="{beeps: '20; uuid_kill'}"`))
	s.StartToken("")
	s.WaitLog("the hint beeps is")
	s.WaitIdle()
}
