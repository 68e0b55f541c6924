package switchsim_test

import (
	"os"
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// A room tells of who talks, has the floor, is mute and deaf, as it was recorded.
func TestTalkingAsRecorded(t *testing.T) {
	p := onVirtualTime(t)
	text, err := os.ReadFile("testdata/conference-talking.txt")
	if err != nil {
		t.Fatal(err)
	}
	sw := p.newSwitch(switchsim.Options{})
	sw.Callee("1", switchsim.Answers{})
	sw.Callee("2", switchsim.Answers{})
	l := p.link(sw)
	l.say("event plain CUSTOM conference::maintenance")
	l.await("+OK event listener enabled plain")
	enter := func(number string) (*switchsim.Party, string) {
		l.say("bgapi originate sofia/gateway/pstn/" + number + " conference:talkroom@ccxmld inline")
		party, err := sw.WaitCallee(p.ctx, number)
		if err != nil {
			t.Fatal(err)
		}
		return party, value(l.await("Action: add-member", "Unique-ID: "+party.UUID()), "Member-ID")
	}
	talks := func(party *switchsim.Party) {
		party.Talk(true)
		party.Talk(false)
	}
	first, _ := enter("1")
	second, member := enter("2")
	talks(first)
	talks(second)
	l.order("api conference talkroom mute " + member)
	talks(second)
	for _, command := range []string{"unmute", "deaf", "undeaf"} {
		l.order("api conference talkroom " + command + " " + member)
	}
	talks(first)
	second.Hangup()
	l.await("Action: del-member")
	first.Hangup()
	l.await("Action: conference-destroy")

	var got []string
	for _, block := range l.all() {
		if value(block, "Action") != "" {
			got = append(got, block)
		}
	}
	numbers := make(map[string]string) // the members' ids, by the recorded ones
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if len(got) == 0 {
			t.Fatalf("missing: %s", line)
		}
		block := got[0]
		got = got[1:]
		for field := range strings.FieldsSeq(line) {
			name, want, _ := strings.Cut(field, "=")
			is := value(block, name)
			if strings.HasSuffix(name, "-ID") && want != "none" {
				if numbers[want] == "" {
					numbers[want] = is
				}
				want = numbers[want]
			}
			if is != want {
				t.Errorf("%s: %s is %q", line, name, is)
			}
		}
	}
	for _, block := range got {
		t.Errorf("too many: %s", value(block, "Action"))
	}
}
