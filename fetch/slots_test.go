package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/fetch"
)

// silent is a server that answers nobody before the test ends. It tells of each
// request.
func silent(t *testing.T) (uri string, asked <-chan struct{}) {
	t.Helper()
	requests := make(chan struct{}, 100)
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests <- struct{}{}
		<-over
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(over) })
	return s.URL, requests
}

// prompt is a server that answers at once.
func prompt(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(s.Close)
	return s.URL
}

// ask begins fetches that end with the test.
func ask(t *testing.T, c *fetch.Client, uri string, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range n {
		running.Go(func() { _, _ = c.Fetch(ctx, fetch.Request{URI: uri, Method: "POST"}) })
	}
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
}

// TestAHostTakesItsShare: a server that does not answer takes the slots of one
// host, and no fetch from another waits for it.
func TestAHostTakesItsShare(t *testing.T) {
	slow, asked := silent(t)
	fast := prompt(t)
	c := client(t, fetch.Options{Allow: []string{slow, fast}, MaxConcurrent: 4, MaxPerHost: 2})
	ask(t, c, slow, 10)
	<-asked
	<-asked
	if r, err := c.Fetch(t.Context(), fetch.Request{URI: fast}); err != nil || r.Text() != "hello" {
		t.Errorf("%v, %v", r, err)
	}
	select {
	case <-asked:
		t.Error("the slow server was asked more than its share")
	default:
	}
}

// TestApart: clients that are apart do not wait for each other, and share what is
// in the cache.
func TestApart(t *testing.T) {
	slow, asked := silent(t)
	var transfers atomic.Int32
	kept := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		transfers.Add(1)
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "hello")
	}))
	t.Cleanup(kept.Close)
	c := client(t, fetch.Options{Allow: []string{slow, kept.URL}, MaxConcurrent: 1})
	other := c.Apart()
	t.Cleanup(other.Close)
	ask(t, other, slow, 3)
	<-asked
	if r, err := c.Fetch(t.Context(), fetch.Request{URI: kept.URL}); err != nil || r.Text() != "hello" {
		t.Fatalf("%v, %v", r, err)
	}
	if r, err := other.Fetch(t.Context(), fetch.Request{URI: kept.URL}); err != nil || !r.FromCache || transfers.Load() != 1 {
		t.Errorf("%+v, %v after %d transfers; want it from the cache", r, err, transfers.Load())
	}
}

// TestWaitingIsBounded: who could not come to his turn in time is told at once.
func TestWaitingIsBounded(t *testing.T) {
	slow, asked := silent(t)
	c := client(t, fetch.Options{Allow: []string{slow}, MaxPerHost: 1, MaxWaiting: 1})
	ask(t, c, slow, 1)
	<-asked
	// Of two more, one waits and the other is refused, whichever comes first.
	failed := make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		go func() {
			_, err := c.Fetch(ctx, fetch.Request{URI: slow, Method: "POST"})
			failed <- err
		}()
	}
	var e *fetch.Error
	if err := <-failed; !errors.As(err, &e) || e.Reason != "1 requests to "+slow[len("http://"):]+" wait already" {
		t.Errorf("%v", err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that waits: %v", err)
	}
}

// TestManyAtOnceFetchOnce: requests that come at once wait for one transfer if its
// answer is for all of them, and else fetch for themselves.
func TestManyAtOnceFetchOnce(t *testing.T) {
	const many = 30
	given := &http.Transport{} // by which the clock may have to know who waits
	t.Cleanup(given.CloseIdleConnections)
	for _, test := range []struct {
		header    string
		transport http.RoundTripper
		want      int32
	}{
		{"max-age=60", nil, 1},
		{"max-age=60", given, 1},
		{"no-store", nil, many},
		{"", nil, many},
	} {
		t.Run(test.header, func(t *testing.T) {
			var transfers atomic.Int32
			var begun, done sync.WaitGroup
			begun.Add(many)
			c, base := server(t, func(w http.ResponseWriter, _ *http.Request) {
				transfers.Add(1)
				begun.Wait()
				if test.header != "" {
					w.Header().Set("Cache-Control", test.header)
				}
				fmt.Fprint(w, "hello")
			}, fetch.Options{Transport: test.transport})
			for range many {
				done.Go(func() {
					begun.Done()
					if r, err := c.Fetch(t.Context(), fetch.Request{URI: base}); err != nil || r.Text() != "hello" {
						t.Errorf("%v, %v", r, err)
					}
				})
			}
			done.Wait()
			if n := transfers.Load(); n != test.want {
				t.Errorf("%d transfers, want %d", n, test.want)
			}
		})
	}
}

// TestOneThatGivesUpStopsNobody: a fetch that others wait for may be given up;
// they fetch for themselves then.
func TestOneThatGivesUpStopsNobody(t *testing.T) {
	first, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{}, 10)
	var transfers atomic.Int32
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		if transfers.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "hello")
	}, fetch.Options{})
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := c.Fetch(first, fetch.Request{URI: base}); !errors.Is(err, context.Canceled) {
			t.Errorf("the one that was given up: %v", err)
		}
	})
	<-asked
	running.Go(func() {
		if r, err := c.Fetch(t.Context(), fetch.Request{URI: base}); err != nil || r.Text() != "hello" {
			t.Errorf("%v, %v", r, err)
		}
	})
	cancel()
	running.Wait()
}

// TestSharedOnVirtualTime: who waits for the transfer of another one lets time pass.
func TestSharedOnVirtualTime(t *testing.T) {
	v := clock.NewVirtual(time.Unix(0, 0))
	var transfers atomic.Int32
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		transfers.Add(1)
		clock.Sleep(r.Context(), v, time.Second)
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {"max-age=60"}}, Body: io.NopCloser(strings.NewReader("hello")),
		}, nil
	})
	c := client(t, fetch.Options{Allow: []string{"http://example.org/"}, Clock: v, Transport: transport})
	var running sync.WaitGroup
	for range 10 {
		clock.GoIn(&running, v, func() {
			if r, err := c.Fetch(t.Context(), fetch.Request{URI: "http://example.org/a"}); err != nil || r.Text() != "hello" {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	clock.Await(v, running.Wait)
	v.Stop()
	v.Leave()
	if n := transfers.Load(); n != 1 {
		t.Errorf("%d transfers", n)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
