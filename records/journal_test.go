package records_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock/clocktest"
	"ccxmld/records"
)

// receiver notes what it gets, unless it is away.
type receiver struct {
	mu   sync.Mutex
	away bool
	got  []string
}

func (r *receiver) Receive(_ context.Context, lines [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errors.New("nobody is there")
	}
	for _, line := range lines {
		var record struct{ ID string }
		if err := json.Unmarshal(line, &record); err != nil {
			return err
		}
		r.got = append(r.got, record.ID)
	}
	return nil
}

func (r *receiver) set(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

func (r *receiver) ids() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, " ")
}

// open opens a journal that runs until stop, and follows it with a receiver.
func open(t *testing.T, dir string, r *receiver, change func(*records.Options)) (j *records.Journal, stop func()) {
	t.Helper()
	o := records.Options{Directory: dir, Clock: clocktest.Real(), Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	j, err := records.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if r != nil {
		if err := j.Follow("webhook", r); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	return j, func() { cancel(); running.Wait() }
}

func put(j *records.Journal, from, to int) {
	for i := from; i <= to; i++ {
		j.Put(records.Call{Record: "call", ID: fmt.Sprint(i)})
	}
}

// written are the ids of all records in a directory, in order.
func written(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var record struct{ ID string }
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
			ids = append(ids, record.ID)
		}
	}
	return strings.Join(ids, " ")
}

// What is put is in the journal and at the receiver, in order, each once, also across a new
// start and several files.
func TestJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &receiver{}
		for start := range 3 {
			j, stop := open(t, dir, r, func(o *records.Options) { o.FileBytes = 1000 })
			put(j, start*5+1, start*5+5)
			synctest.Wait()
			if done, waiting, lost := j.Stats(); done != 5 || waiting != 0 || lost != 0 {
				t.Errorf("%d written, %d wait, %d lost", done, waiting, lost)
			}
			time.Sleep(time.Second) // so that the next file has another name
			stop()
		}
		const want = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"
		if got := written(t, dir); got != want {
			t.Errorf("in the journal: %s", got)
		}
		if got := r.ids(); got != want {
			t.Errorf("at the receiver: %s", got)
		}
	})
}

// A receiver that is away for an hour gets what it has missed, also by another process.
func TestReceiverAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &receiver{}
		j, stop := open(t, dir, r, nil)
		put(j, 1, 3)
		synctest.Wait()
		r.set(true)
		put(j, 4, 205)
		time.Sleep(time.Hour)
		if got := r.ids(); got != "1 2 3" {
			t.Errorf("while it is away: %s", got)
		}
		stop()
		j, stop = open(t, dir, r, nil)
		put(j, 206, 206)
		time.Sleep(time.Minute)
		r.set(false)
		time.Sleep(2 * time.Minute)
		stop()
		if got, want := r.ids(), written(t, dir); got != want || !strings.HasSuffix(got, " 206") {
			t.Errorf("it got %s", got)
		}
	})
}

// Records wait for a disk that takes nothing, up to a bound beyond which they are counted as lost.
func TestDiskThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "records")
		j, stop := open(t, dir, nil, func(o *records.Options) { o.FileBytes, o.Waiting = 1, 4 })
		put(j, 1, 1)
		synctest.Wait()
		if err := os.Rename(dir, dir+".gone"); err != nil { // no other file can be begun
			t.Fatal(err)
		}
		put(j, 2, 6)
		time.Sleep(time.Minute)
		if done, waiting, lost := j.Stats(); done != 1 || waiting != 4 || lost != 1 {
			t.Errorf("%d written, %d wait, %d lost", done, waiting, lost)
		}
		if err := os.Rename(dir+".gone", dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if got := written(t, dir); got != "1 2 3 4 5" {
			t.Errorf("afterwards: %s", got)
		}
		stop()
	})
}

// A line that was not written whole, since the process was killed, is not delivered.
func TestHalfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &receiver{}
		j, stop := open(t, dir, r, nil)
		put(j, 1, 1)
		synctest.Wait()
		stop()
		names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		file, err := os.OpenFile(names[0], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(`{"record":"call","id":"ha`); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		time.Sleep(time.Second)
		j, stop = open(t, dir, r, nil)
		put(j, 2, 2)
		time.Sleep(time.Minute)
		stop()
		if got := r.ids(); got != "1 2" {
			t.Errorf("the receiver got %s", got)
		}
	})
}

// Old files go, later those that a receiver has still to read.
func TestOldFilesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), &receiver{away: true}
		j, stop := open(t, dir, r, func(o *records.Options) { o.FileBytes, o.Keep = 1, 24*time.Hour })
		for i := 1; i <= 3; i++ {
			put(j, i, i)
			time.Sleep(time.Second)
		}
		time.Sleep(36 * time.Hour)
		if got := written(t, dir); got != "1 2 3" {
			t.Errorf("before they were read: %s", got)
		}
		r.set(false)
		time.Sleep(3 * time.Hour)
		if got := written(t, dir); got != "3" || r.ids() != "1 2 3" {
			t.Errorf("%s are left, and %s were received", got, r.ids())
		}
		stop()
	})
}

// The webhook gets lines with a signature, and what it refuses comes again.
func TestWebhook(t *testing.T) {
	status := http.StatusServiceUnavailable
	var body, signature string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body, signature = string(text), r.Header.Get("Ccxmld-Signature")
		w.WriteHeader(status)
	}))
	defer server.Close()
	hook := &records.Webhook{URL: server.URL, Secret: "key"}
	if err := hook.Receive(t.Context(), [][]byte{[]byte(`{"id":"1"}`)}); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("refused: %v", err)
	}
	status = http.StatusNoContent
	if err := hook.Receive(t.Context(), [][]byte{[]byte(`{"id":"1"}`), []byte(`{"id":"2"}`)}); err != nil {
		t.Error(err)
	}
	// printf '{"id":"1"}\n{"id":"2"}\n' | openssl dgst -sha256 -hmac key
	if want := "sha256=" + signed; body != "{\"id\":\"1\"}\n{\"id\":\"2\"}\n" || signature != want {
		t.Errorf("%q with %s", body, signature)
	}
}

// signed is what openssl makes of the two lines.
const signed = "dfa25195941ffdf65147658c8a991843877d2172a2383a8f544a10331ecd8c47"
