package sessionstore_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"ccxmld/sessionstore"
	"ccxmld/sessionstore/redistest"
)

// refusals are what Redis 6 and 7 answer with, command by command, when they do not
// take what is written; some refuse everything.
var refusals = []struct {
	text string
	all  bool
}{
	{"READONLY You can't write against a read only replica.", false},
	{"READONLY You can't write against a read only replica. script: a0b1, on @user_script:2.", false},
	{"ERR Error running script (call to f_a0b1): @user_script:2: @user_script: 2: -READONLY You can't write against a read only replica.", false},
	{"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled.", false},
	{"NOREPLICAS Not enough good replicas to write.", false},
	{"OOM command not allowed when used memory > 'maxmemory'.", false},
	{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true},
	{"LOADING Redis is loading the dataset in memory", true},
	{"CLUSTERDOWN The cluster is down", true},
	{"CLUSTERDOWN Hash slot not served", true},
	{"TRYAGAIN Multiple keys request during rehashing of slot", false},
	{"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true},
	{"NOAUTH Authentication required.", true},
	{"NOPERM this user has no permissions to run the 'set' command", false},
	{"ERR max number of clients reached", true},
}

// TestWhatRefusesToWriteIsAway: a Redis that answers and takes nothing is away, which
// is said once and does not change from probe to probe, and is back when it takes
// what is written.
func TestWhatRefusesToWriteIsAway(t *testing.T) {
	for _, refusal := range refusals {
		t.Run(strings.Fields(refusal.text)[0], func(t *testing.T) {
			server := redistest.Mini(t)
			var log bytes.Buffer
			c := newClock()
			o := options(server.URL, c)
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			a := open(t, o)
			if err := a.Register(t.Context(), sessionstore.Controller{ID: "a", Started: c.Now()}); err != nil {
				t.Fatal(err)
			}
			log.Reset()
			redistest.Refuse(t, server, refusal.text, refusal.all)
			for second := range 8 {
				c.Advance(time.Second)
				if a.Healthy() {
					t.Errorf("healthy after %d s", second+1)
				}
				_, _, err := a.Session(t.Context(), "s")
				if (err != nil) != refusal.all {
					t.Errorf("asked for a session: %v", err)
				}
			}
			redistest.Refuse(t, server, "", false)
			for range 3 {
				c.Advance(time.Second)
			}
			if !a.Healthy() {
				t.Error("not healthy although it takes what is written again")
			}
			if away, back := strings.Count(log.String(), "redis is away"), strings.Count(log.String(), "redis answers"); away != 1 || back != 1 {
				t.Errorf("said to be away %d times and back %d times:\n%s", away, back, &log)
			}
		})
	}
}

// TestAnOperationFindsOutThatRedisIsAway: not the probe but what is asked first finds
// that Redis refuses it, also behind other answers in a pipeline.
func TestAnOperationFindsOutThatRedisIsAway(t *testing.T) {
	for _, refusal := range refusals {
		t.Run(strings.Fields(refusal.text)[0], func(t *testing.T) {
			server := redistest.Mini(t)
			a, _ := controller(t, server.URL, "a")
			redistest.Refuse(t, server, refusal.text, refusal.all)
			if !a.Healthy() {
				t.Fatal("not healthy")
			}
			pipe := a.Client().Pipeline()
			if !refusal.all {
				pipe.Get(t.Context(), "nothing") // answers that there is none
			}
			pipe.Set(t.Context(), "key", "value", time.Second)
			if _, err := pipe.Exec(t.Context()); err == nil {
				t.Error("nothing is refused")
			}
			if a.Healthy() {
				t.Error("healthy although a write was refused")
			}
		})
	}
}

// What Redis answers to a command that cannot be carried out says nothing against it.
func TestAnAnswerIsNoRefusal(t *testing.T) {
	server := redistest.Mini(t)
	a, _ := controller(t, server.URL, "a")
	for _, text := range []string{
		"WRONGTYPE Operation against a key holding the wrong kind of value",
		"ERR value is not an integer or out of range",
		"BUSYGROUP Consumer Group name already exists",
		"BUSYKEY Target key name already exists.",
		"ERR Error running script (call to f_a0b1): @user_script:2: WRONGTYPE Operation against a key holding the wrong kind of value",
	} {
		redistest.Refuse(t, server, text, false)
		if err := a.Client().Set(t.Context(), "key", "value", time.Second).Err(); err == nil || !a.Healthy() {
			t.Errorf("%s: %v, healthy %v", text, err, a.Healthy())
		}
	}
}

// TestARedisThatCannotSaveOrIsBusy: MISCONF and BUSY of a real server, which comes to both by
// itself: its disk does not take the snapshot, a script of somebody else does not end.
func TestARedisThatCannotSaveOrIsBusy(t *testing.T) {
	server := redistest.Real(t)
	a, c := controller(t, server.URL, "a")
	redis := server.Client()
	do := func(command ...any) string {
		t.Helper()
		answer, err := redis.Do(t.Context(), command...).Result()
		if err != nil {
			t.Fatalf("%v: %v", command, err)
		}
		text, _ := answer.(string)
		return text
	}
	turns := func(healthy bool) {
		t.Helper()
		for range 5 {
			c.Advance(time.Second)
		}
		if a.Healthy() != healthy {
			t.Errorf("healthy: %v", a.Healthy())
		}
	}
	folder, err := redis.ConfigGet(t.Context(), "dir").Result()
	if err != nil || folder["dir"] == "" {
		t.Fatal(folder, err)
	}
	do("CONFIG", "SET", "save", "3600 1000000")
	if err := os.RemoveAll(folder["dir"]); err != nil {
		t.Fatal(err)
	}
	do("BGSAVE")
	redistest.Eventually(t, "the snapshot failed", func() bool {
		return strings.Contains(do("INFO", "persistence"), "rdb_last_bgsave_status:err")
	})
	turns(false)
	do("CONFIG", "SET", "save", "")
	turns(true)
	c.Advance(time.Minute) // it is steady

	do("CONFIG", "SET", "lua-time-limit", "1")
	ended := make(chan error)
	go func() { ended <- redis.Eval(t.Context(), "while true do end", nil).Err() }()
	redistest.Eventually(t, "the script holds Redis", func() bool {
		return strings.HasPrefix(fmt.Sprint(redis.Ping(t.Context()).Err()), "BUSY")
	})
	turns(false)
	do("SCRIPT", "KILL")
	if err := <-ended; err == nil {
		t.Error("the script has ended by itself")
	}
	turns(true)
}
