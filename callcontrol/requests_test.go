package callcontrol

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"ccxmld/clock"
)

func newWorker(t *testing.T) *Controller {
	t.Helper()
	c := &Controller{options: Options{Clock: clock.Real()}}
	c.bounds.Store(new(Limits))
	c.context, c.cancel = context.WithCancelCause(t.Context())
	t.Cleanup(func() { _ = c.work.Wait(context.Background(), clock.Real()) })
	t.Cleanup(func() { c.cancel(nil) })
	return c
}

// TestRequestsKeepTheirOrder (SND-14): requests to one server go one after the
// other, and to another server meanwhile.
func TestRequestsKeepTheirOrder(t *testing.T) {
	c := newWorker(t)
	var q requests
	var mu sync.Mutex
	var order []string
	var done sync.WaitGroup
	hold := make(chan struct{})
	add := func(server, name string, f func()) {
		done.Add(1)
		if !q.add(c, server, func(context.Context) {
			defer done.Done()
			f()
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
		}) {
			t.Errorf("%s was refused", name)
		}
	}
	var want []string
	for i := range 20 {
		name := fmt.Sprint(i)
		want = append(want, name)
		add("slow", name, func() { <-hold })
	}
	other := make(chan struct{})
	add("fast", "other", func() { close(other) })
	<-other
	close(hold)
	done.Wait()
	_ = c.work.Wait(t.Context(), clock.Real())
	if got := slices.DeleteFunc(order, func(s string) bool { return s == "other" }); !slices.Equal(got, want) {
		t.Errorf("the order was %v", got)
	}
	if len(q.lines) != 0 {
		t.Errorf("%d lines are left", len(q.lines))
	}
}

// TestRequestsAreBounded: a session has so many requests under way, with a
// goroutine each, and so many that wait; beyond, it is told.
func TestRequestsAreBounded(t *testing.T) {
	c := newWorker(t)
	var q requests
	begun := make(chan struct{}, maxRequestsWaiting*2)
	hold := make(chan struct{})
	request := func(context.Context) { begun <- struct{}{}; <-hold }
	for range maxRequests {
		q.addAlone(c, request)
	}
	for range maxRequests {
		<-begun
	}
	for i := range maxRequestsWaiting {
		if !q.addAlone(c, request) {
			t.Fatalf("%d wait, and no more may", i)
		}
	}
	if q.addAlone(c, request) {
		t.Error("there is no bound")
	}
	if n := c.working.Load(); n != maxRequests {
		t.Errorf("%d goroutines", n)
	}
	close(hold)
	for range maxRequestsWaiting {
		<-begun
	}
}

// TestBackgroundIsBounded: the goroutines of a controller are counted.
func TestBackgroundIsBounded(t *testing.T) {
	c := newWorker(t)
	c.working.Store(maxBackground)
	if c.background(func(context.Context) {}) {
		t.Error("there is no bound")
	}
	c.working.Store(maxBackground - 1)
	ran := make(chan struct{})
	if !c.background(func(context.Context) { close(ran) }) {
		t.Fatal("refused below the bound")
	}
	<-ran
}

func TestServerOf(t *testing.T) {
	for _, same := range [][2]string{
		{"http://h/a?x=1", "HTTP://H:80/b"}, {"https://h.", "https://h:443/"}, {"http://[::1]/x", "http://[::1]:80/"}, {"gopher://h/", "gopher://h/x"},
	} {
		if a, b := serverOf(same[0]), serverOf(same[1]); a != b || a == "" {
			t.Errorf("%q and %q", a, b)
		}
	}
	for _, other := range []string{"http://h:8080/", "https://h/", "gopher://h/"} {
		if serverOf("http://h/") == serverOf(other) {
			t.Errorf("the server of %s is another one", other)
		}
	}
	if serverOf("https://h/") == serverOf("gopher://h/") {
		t.Error("a server without a port of its own has that of another scheme")
	}
}
