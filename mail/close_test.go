package mail

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ccxmld/clock"
)

// A worker that does not end, as one whose relay keeps its connection open, does not
// keep Close from its end.
func TestCloseDoesNotWaitForTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Sender{options: Options{Clock: clock.Real()}, abandon: func() {}, done: make(chan struct{}), queue: make(chan *gomail.Msg, 1)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.Close(ctx); err == nil {
			t.Error("closed without a word")
		}
		if took := time.Since(began); took > time.Second+endPatience {
			t.Errorf("took %s", took)
		}
	})
}

// A relay that has fallen silent in the middle of a mail keeps nothing running: its
// connection ends with the sender. The mail is logged as not delivered.
func TestCloseEndsTheMailInFlight(t *testing.T) {
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	greeted := make(chan net.Conn, 1)
	go func() {
		conn, err := relay.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("220 relay.test\r\n"))
		_, _ = conn.Read(make([]byte, 100)) // EHLO, which is not answered
		greeted <- conn
	}()
	var log bytes.Buffer
	s, err := New(Options{SMTP: relay.Addr().String(), From: "a@b.example", Timeout: time.Hour, Clock: clock.NewManual(time.Now()),
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), Message{To: "c@d.example", Body: "x"}); err != nil {
		t.Fatal(err)
	}
	defer (<-greeted).Close()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v", err)
	}
	if !strings.Contains(log.String(), "mail not delivered") {
		t.Errorf("log: %s", &log)
	}
}
