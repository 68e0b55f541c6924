package memnet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
)

// Handle lets a handler answer what is asked of an address over HTTP. It needs no
// listener. A nil handler takes it away.
func (n *Network) Handle(address string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h == nil {
		delete(n.handlers, address)
		return
	}
	n.handlers[address] = handler{h, n.host}
}

// handler answers for a host.
type handler struct {
	http.Handler
	host *host
}

// Transport asks the handlers of a network, each in the goroutine of who asks, and
// others for addresses that have none.
type Transport struct {
	Network *Network
	// Others takes the requests to all other addresses; nil refuses them.
	Others http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.Host
	if r.URL.Port() == "" {
		address = net.JoinHostPort(r.URL.Hostname(), map[string]string{"http": "80", "https": "443"}[r.URL.Scheme])
	}
	t.Network.mu.Lock()
	h := t.Network.handlers[address]
	t.Network.mu.Unlock()
	switch {
	case t.Network.host.isCut():
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ENETDOWN)
	case h.Handler == nil && t.Others != nil:
		return t.Others.RoundTrip(r)
	case h.Handler == nil || h.host.isCut():
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
	}
	return ask(h, r)
}

// ask has a handler answer a request.
func ask(h http.Handler, r *http.Request) (response *http.Response, err error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	request := r.Clone(r.Context())
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	request.RequestURI, request.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if request.Host == "" {
		request.Host = r.URL.Host
	}
	defer func() {
		if problem := recover(); problem == http.ErrAbortHandler {
			response, err = nil, io.ErrUnexpectedEOF
		} else if problem != nil {
			panic(problem)
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	if r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	response = w.Result()
	response.Request = r
	return response, nil
}
