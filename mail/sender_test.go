package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"ccxmld/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// envelope is a mail as the relay got it.
type envelope struct {
	from string
	to   []string
	data []byte
}

// relay is an SMTP server that hands over what it gets.
type relay struct {
	address string
	got     chan envelope
	// refuse is asked at each RCPT for an error to answer with.
	refuse func(to string) error
	// hold, where not nil, keeps each message until it is readable.
	hold chan struct{}
}

func startRelay(t testing.TB, r *relay) *relay {
	t.Helper()
	r.got = make(chan envelope, 100)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &smtpSession{relay: r}, nil
	}))
	server.Domain = "relay.test"
	server.ErrorLog = quiet{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // which Serve may not have told the server of yet
		served.Wait()
	})
	return r
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type smtpSession struct {
	relay *relay
	mail  envelope
}

func (s *smtpSession) Reset()        { s.mail = envelope{} }
func (s *smtpSession) Logout() error { return nil }
func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.relay.refuse != nil {
		if err := s.relay.refuse(to); err != nil {
			return err
		}
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	if s.relay.hold != nil {
		<-s.relay.hold
	}
	var err error
	if s.mail.data, err = io.ReadAll(r); err == nil {
		s.relay.got <- s.mail
	}
	return err
}

// logged is a log that tests read while it is written.
type logged struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func start(t testing.TB, o mail.Options) (*mail.Sender, *logged) {
	t.Helper()
	log := &logged{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	o.Retry = time.Millisecond
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeWithin(t, s, 10*time.Second) })
	return s, log
}

func closeWithin(t testing.TB, s *mail.Sender, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func send(t testing.TB, s *mail.Sender, m mail.Message) {
	t.Helper()
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func TestDelivery(t *testing.T) {
	r := startRelay(t, &relay{})
	s, log := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	send(t, s, mail.Message{
		To: "yourEmail@there.com, Zweiter <second@there.com>", From: "myApp@here.com",
		Subject: "generic error – détails", Body: "generic error detected !\nsecond line\n.\nafter the dot\n",
	})
	got := <-r.got
	if got.from != "myApp@here.com" || strings.Join(got.to, " ") != "yourEmail@there.com second@there.com" {
		t.Errorf("envelope: %s to %q", got.from, got.to)
	}
	msg, err := netmail.ReadMessage(bytes.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"From": "<myApp@here.com>", "Auto-Submitted": "auto-generated", "Content-Type": "text/plain; charset=UTF-8",
	} {
		if msg.Header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, msg.Header.Get(header), want)
		}
	}
	if msg.Header.Get("Date") == "" || msg.Header.Get("Message-ID") == "" {
		t.Errorf("headers: %v", msg.Header)
	}
	body, _ := io.ReadAll(msg.Body)
	if want := "generic error detected !\r\nsecond line\r\n.\r\nafter the dot"; strings.TrimSpace(string(body)) != want {
		t.Errorf("body %q", body)
	}
	closeWithin(t, s, 10*time.Second)
	if log.String() != "" {
		t.Errorf("log: %s", log)
	}
}

func TestDefaultSender(t *testing.T) {
	r := startRelay(t, &relay{})
	s, _ := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	send(t, s, mail.Message{To: "a@b.example", Body: "x"})
	if got := <-r.got; got.from != "ccxmld@localhost" {
		t.Errorf("from %s", got.from)
	}
}

func TestRefusedMessages(t *testing.T) {
	r := startRelay(t, &relay{})
	s, _ := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	good := mail.Message{To: "a@b.example", Subject: "s", Body: "b"}
	for name, c := range map[string]struct {
		spoil func(*mail.Message)
		want  string
	}{
		"no recipient":        {func(m *mail.Message) { m.To = " " }, "to: empty"},
		"no address":          {func(m *mail.Message) { m.To = "nobody" }, `to: "nobody" is not a mail address`},
		"header in to":        {func(m *mail.Message) { m.To = "a@b.example\r\nBcc: c@d.example" }, "to: holds a line break"},
		"header in from":      {func(m *mail.Message) { m.From = "a@b.example\nBcc: c@d.example" }, "from: holds a line break"},
		"header in subject":   {func(m *mail.Message) { m.Subject = "s\r\nBcc: c@d.example" }, "subject: holds a line break"},
		"two senders":         {func(m *mail.Message) { m.From = "a@b.example, c@d.example" }, "from: 2 addresses"},
		"too many recipients": {func(m *mail.Message) { m.To = strings.Repeat("a@b.example,", 50) + "a@b.example" }, "to: 51 addresses"},
		"subject too long":    {func(m *mail.Message) { m.Subject = strings.Repeat("s", 501) }, "subject: 501 bytes"},
		"body too long":       {func(m *mail.Message) { m.Body = strings.Repeat("b", 256<<10+1) }, "body: 262145 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			err := s.Send(t.Context(), m)
			if !errors.Is(err, mail.ErrMessage) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestNoRelay: VX-21, a document's error transition goes on, and the log says
// once why no mail arrives.
func TestNoRelay(t *testing.T) {
	s, log := start(t, mail.Options{})
	for range 3 {
		send(t, s, mail.Message{To: "yourEmail@there.com", Body: "generic error detected"})
	}
	if n := strings.Count(log.String(), "mail.smtp is not set"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
}

func TestRelayRefusesForNow(t *testing.T) {
	tries := make(chan struct{}, 10)
	r := startRelay(t, &relay{refuse: func(string) error {
		tries <- struct{}{}
		if len(tries) < 3 {
			return &smtp.SMTPError{Code: 451, Message: "try later"}
		}
		return nil
	}})
	s, log := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	send(t, s, mail.Message{To: "a@b.example"})
	<-r.got
	closeWithin(t, s, 10*time.Second)
	if len(tries) != 3 || log.String() != "" {
		t.Errorf("%d attempts, log %s", len(tries), log)
	}
}

func TestRelayRefuses(t *testing.T) {
	tries := make(chan struct{}, 10)
	r := startRelay(t, &relay{refuse: func(string) error {
		tries <- struct{}{}
		return &smtp.SMTPError{Code: 550, Message: "no such user here"}
	}})
	s, log := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	send(t, s, mail.Message{To: "a@b.example"})
	closeWithin(t, s, 10*time.Second)
	if len(tries) != 1 || !strings.Contains(log.String(), "no such user here") || !strings.Contains(log.String(), "a@b.example") {
		t.Errorf("%d attempts, log %s", len(tries), log)
	}
}

func TestRelayAbsent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	s, log := start(t, mail.Options{SMTP: address, From: "ccxmld@localhost"})
	send(t, s, mail.Message{To: "a@b.example"})
	closeWithin(t, s, 10*time.Second)
	if !strings.Contains(log.String(), "attempts=3") {
		t.Errorf("log %s", log)
	}
}

// TestQueueIsBounded: with a relay that hangs, Send still returns at once, and
// refuses what the queue does not hold.
func TestQueueIsBounded(t *testing.T) {
	r := startRelay(t, &relay{hold: make(chan struct{})})
	s, log := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost", Queue: 2})
	var err error
	sent := 0
	for ; err == nil; sent++ {
		err = s.Send(t.Context(), mail.Message{To: "a@b.example"})
	}
	if sent--; !errors.Is(err, mail.ErrQueueFull) || sent < 2 || sent > 3 {
		t.Errorf("%d queued, then %v", sent, err)
	}
	for range 10 {
		if s.Send(t.Context(), mail.Message{To: "a@b.example"}) == nil { // the first has left the queue meanwhile
			sent++
		}
	}
	if n := strings.Count(log.String(), "the queue is full"); n != 1 {
		t.Errorf("said %d times that the queue is full", n)
	}
	close(r.hold)
	closeWithin(t, s, 10*time.Second)
	if len(r.got) != sent {
		t.Errorf("%d delivered of %d", len(r.got), sent)
	}
	if err := s.Send(t.Context(), mail.Message{To: "a@b.example"}); !errors.Is(err, mail.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCloseGivesUp: a relay that hangs does not hold up the end.
func TestCloseGivesUp(t *testing.T) {
	r := startRelay(t, &relay{hold: make(chan struct{})})
	t.Cleanup(func() { close(r.hold) })
	s, _ := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	for range 3 {
		send(t, s, mail.Message{To: "a@b.example"})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []mail.Options{{SMTP: "relay"}, {SMTP: "relay:smtp"}, {SMTP: "relay:25", From: "nobody"}} {
		if _, err := mail.New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestAnOutageIsSaidOnce, not for each mail that it keeps from being delivered, and so are
// mails that the relay refuses; and when it is over.
func TestAnOutageIsSaidOnce(t *testing.T) {
	r := startRelay(t, &relay{refuse: func(to string) error {
		switch {
		case strings.HasPrefix(to, "later"):
			return &smtp.SMTPError{Code: 451, Message: "try later"}
		case strings.HasPrefix(to, "nobody"):
			return &smtp.SMTPError{Code: 550, Message: "no such user here"}
		}
		return nil
	}})
	s, log := start(t, mail.Options{SMTP: r.address, From: "ccxmld@localhost"})
	for _, to := range []string{"later", "later", "nobody", "later", "nobody", "nobody", "later", "fine", "fine"} {
		send(t, s, mail.Message{To: to + "@b.example"})
	}
	closeWithin(t, s, 10*time.Second)
	for text, want := range map[string]int{"mail not delivered": 2, "try later": 1, "no such user here": 1, "mail is delivered again": 1, "times=4": 1} {
		if n := strings.Count(log.String(), text); n != want {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", text, n, want, log)
		}
	}
}
