package freeswitch_test

import (
	"testing"

	"ccxmld/freeswitch"
)

// What FreeSWITCH 1.10.12 dumps of a channel says where it is now, and not where it was.
func TestChannelOf(t *testing.T) {
	const (
		a = "aaaaaaaa-0000-4000-8000-000000000001"
		b = "aaaaaaaa-0000-4000-8000-000000000002"

		common     = "Event-Name: CHANNEL_DATA\nFreeSWITCH-Switchname: fs1\nChannel-Call-State: ACTIVE\nUnique-ID: " + a + "\nAnswer-State: answered\nvariable_ccxmld_home: mark%201\n"
		wasBridged = "variable_last_bridge_to: " + b + "\nvariable_bridge_uuid: " + b + "\n"
		wasMember  = "variable_conference_name: room1\nvariable_conference_member_id: 7\nvariable_conference_uuid: 5bcbaf59\n"
	)
	channel := func(change func(*freeswitch.Channel)) freeswitch.Channel {
		c := freeswitch.Channel{ID: a, Machine: "fs1", State: freeswitch.Answered, Home: "mark 1"}
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		dump string
		want freeswitch.Channel
	}{
		"parked":            {common + "variable_current_application: park\n", channel(func(c *freeswitch.Channel) { c.Parked = true })},
		"bridged":           {common + wasBridged + "variable_bridge_to: " + b + "\nvariable_current_application: park\n", channel(func(c *freeswitch.Channel) { c.Partner = b })},
		"out of its bridge": {common + wasBridged + "variable_current_application: park\n", channel(func(c *freeswitch.Channel) { c.Parked = true })},
		"member": {common + wasBridged + wasMember + "variable_current_application_data: room1%40default\nvariable_current_application: conference\n",
			channel(func(c *freeswitch.Channel) { c.Room, c.Member = "room1", "7" })},
		"member before": {common + wasMember + "variable_current_application: park\n", channel(func(c *freeswitch.Channel) { c.Parked = true })},
		"listening": {common + wasMember + "variable_current_application_data: " + b + "\nvariable_current_application: eavesdrop\n",
			channel(func(c *freeswitch.Channel) { c.Hears = b })},
		"playing": {common + wasMember + "variable_current_application: playback\n", channel(func(*freeswitch.Channel) {})},
	} {
		if got := freeswitch.ChannelOf(test.dump); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
