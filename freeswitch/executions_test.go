package freeswitch_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
	"ccxmld/freeswitch"
)

// channel is a channel whose owner's goroutine is whoever has the lock.
type channel struct {
	sync.Mutex
	sent    []string
	refuses string // commands with this text
	gone    bool
	ids     int
	told    []string
	*freeswitch.Executions
}

func newChannel() *channel {
	c := new(channel)
	c.Executions = freeswitch.NewExecutions(c)
	return c
}

func (c *channel) ID() string { return "leg" }
func (c *channel) Gone() bool { return c.gone }

func (c *channel) Send(cmd esl.Command, failed func(error)) {
	text, _, _ := strings.Cut(cmd.BuildMessage(), "\n")
	if name, ok := strings.CutPrefix(text, "sendmsg"); ok {
		text = "execute" + name
	}
	c.sent = append(c.sent, strings.TrimSpace(text))
	if c.refuses != "" && strings.Contains(cmd.BuildMessage(), c.refuses) {
		failed(fmt.Errorf("refused"))
	}
}

func (c *channel) After(d time.Duration, f func()) *clock.Timer {
	return clock.Start(clock.Real(), d, func(f func()) {
		c.Lock()
		defer c.Unlock()
		f()
	}, f)
}

func (c *channel) NewID() string {
	c.ids++
	return fmt.Sprint(c.ids)
}

// run runs an application and notes what is told of it.
func (c *channel) run(app string) {
	id := c.ids + 1
	c.Run(app, "x", func() { c.told = append(c.told, fmt.Sprintf("%d begins", id)) }, func(done freeswitch.Completion) {
		c.told = append(c.told, fmt.Sprintf("%d: %s %v %t", id, done.Response, done.Elapsed, done.Gone))
	})
}

func TestExecutions(t *testing.T) {
	at := time.UnixMicro(1_000_000)
	for name, test := range map[string]struct {
		act  func(*channel)
		want []string // told
		sent []string // beside the executes
	}{
		"a file begins with its playback, not with its application": {func(c *channel) {
			c.run("playback")
			c.Began("1", at)
			c.PlaybackBegan()
			c.Ended("1", "FILE PLAYED", at.Add(3*time.Second))
		}, []string{"1 begins", "1: FILE PLAYED 3s false"}, nil},
		"the first that waits is the one that plays": {func(c *channel) {
			c.run("record")
			c.run("playback")
			c.run("playback")
			c.Began("1", at)
			c.PlaybackBegan()
			c.Ended("1", "_none_", at.Add(time.Second))
		}, []string{"1 begins", "2 begins", "1: _none_ 1s false"}, []string{"event plain CHANNEL_EXECUTE"}},
		"beginnings are subscribed to once, and anew on another socket": {func(c *channel) {
			c.run("record")
			c.run("record")
			c.SocketIsNew()
			c.Subscribe()
		}, nil, []string{"event plain CHANNEL_EXECUTE", "event plain CHANNEL_EXECUTE"}},
		"one whose beginning nobody told has no length": {func(c *channel) {
			c.run("playback")
			c.Ended("1", "FILE NOT FOUND", at)
			c.Ended("1", "FILE NOT FOUND", at)
			c.Ended("2", "FILE PLAYED", at)
		}, []string{"1: FILE NOT FOUND -1ns false"}, nil},
		"FreeSWITCH refuses": {func(c *channel) {
			c.refuses = "playback"
			c.run("playback")
		}, []string{"1: refused -1ns false"}, nil},
		"nothing begins": {func(c *channel) {
			c.run("playback")
			c.run("playback")
			c.wait(14999 * time.Millisecond)
			c.told = append(c.told, "15 s")
			c.wait(time.Millisecond)
		}, []string{"15 s", "1: FreeSWITCH did not begin with it within 15s -1ns false"}, []string{"api uuid_break leg all"}},
		"each has its own time to begin": {func(c *channel) {
			c.run("playback")
			c.PlaybackBegan()
			c.run("playback")
			c.wait(time.Hour)
			c.Ended("1", "FILE PLAYED", at)
			c.wait(14 * time.Second)
			c.PlaybackBegan()
			c.wait(time.Hour)
		}, []string{"1 begins", "1: FILE PLAYED -1ns false", "2 begins"}, nil},
		"a break that FreeSWITCH forgets is sent again, for the first alone": {func(c *channel) {
			c.run("playback")
			c.Break()
			c.PlaybackBegan()
			c.wait(500 * time.Millisecond)
			c.Ended("1", "FILE PLAYED", at)
			c.wait(time.Hour)
		}, []string{"1 begins", "1: FILE PLAYED -1ns false"}, []string{"api uuid_break leg all", "api uuid_break leg"}},
		"what was broken off does not end": {func(c *channel) {
			c.run("playback")
			c.PlaybackBegan()
			c.Break()
			c.run("playback")
			c.PlaybackBegan()
			c.wait(5 * time.Second)
		}, []string{"1 begins", "1: FreeSWITCH did not end it when told to -1ns false"}, []string{"api uuid_break leg all", "api uuid_break leg"}},
		"nothing is broken off where nothing runs": {func(c *channel) { c.Silence() }, nil, nil},
		"its socket is lost": {func(c *channel) {
			c.run("playback")
			c.run("record")
			c.BreakOff("lost")
			c.Ended("2", "late", at)
		}, []string{"1: lost -1ns false", "2: lost -1ns false"}, []string{"event plain CHANNEL_EXECUTE"}},
		"it hangs up": {func(c *channel) {
			c.run("playback")
			c.Break()
			c.PlaybackBegan()
			c.gone = true
			c.End()
			c.wait(time.Hour)
		}, []string{"1 begins", "1:  -1ns true"}, []string{"api uuid_break leg all"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChannel()
				c.Lock()
				test.act(c)
				if !slices.Equal(c.told, test.want) {
					t.Errorf("told %q, want %q", c.told, test.want)
				}
				sent := slices.DeleteFunc(c.sent, func(text string) bool { return strings.HasPrefix(text, "execute") })
				if !slices.Equal(sent, test.sent) {
					t.Errorf("sent %q, want %q", sent, test.sent)
				}
				c.Unlock()
			})
		})
	}
}

// wait lets time pass.
func (c *channel) wait(d time.Duration) {
	c.Unlock()
	time.Sleep(d)
	synctest.Wait()
	c.Lock()
}
