package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ccxmld/clock"
	"ccxmld/logs"
)

// attempts is how often a mail is tried that the relay refuses for now, or
// while it does not answer.
const attempts = 3

// endPatience is how long the attempt under way may take to end when it is given up.
const endPatience = time.Second

// ErrQueueFull says that mails come faster than the relay takes them.
var ErrQueueFull = errors.New("mail refused: the queue is full")

// ErrClosed says that the Sender was closed.
var ErrClosed = errors.New("mail refused: the sender is closed")

// Options say how mails are sent.
type Options struct {
	// SMTP is the relay's HOST:PORT. Empty means none: Send then does nothing
	// but say so in the log, once.
	SMTP string
	// From is the sender of messages that name none.
	From string
	// Logger is told of mails that were not delivered; nil means nobody.
	Logger *slog.Logger
	// Timeout bounds one attempt to deliver one mail; 0 means 30 seconds.
	Timeout time.Duration
	// Queue is how many mails may wait; 0 means 100.
	Queue int
	// Retry is the pause before the second attempt, doubled before the third;
	// 0 means 2 seconds.
	Retry time.Duration
	// Clock is for the pauses between attempts; nil means the one on the wall.
	Clock clock.Clock
	// Before is called before each attempt, and waits until it may be made. Nil is not asked.
	Before func(context.Context)
}

// Sender queues mails and delivers them. It is safe for concurrent use.
type Sender struct {
	options Options
	client  *gomail.Client // nil without a relay
	noRelay sync.Once

	mutex  sync.Mutex // guards closed and the closing of queue
	closed bool
	queue  chan *gomail.Msg

	away, refused, full logs.Trouble // said once, be it that many mails have it

	abandon context.CancelFunc // ends the attempt under way
	done    chan struct{}      // closed by the worker at its end
}

// New starts a Sender. The error says what is wrong with the relay's address
// or the sender's; the relay is not called before the first mail.
func New(o Options) (*Sender, error) {
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Queue = cmp.Or(o.Queue, 100)
	o.Retry = cmp.Or(o.Retry, 2*time.Second)
	o.Clock = clock.Or(o.Clock)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sender{options: o, abandon: func() {}, done: make(chan struct{})}
	s.away.Now, s.refused.Now, s.full.Now = o.Clock.Now, o.Clock.Now, o.Clock.Now
	if o.SMTP == "" {
		close(s.done)
		return s, nil
	}
	if o.From != "" {
		if _, err := addresses("from", o.From); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	client, err := newClient(ctx, o)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("mail relay %q: %w", o.SMTP, err)
	}
	s.client, s.abandon = client, cancel
	s.queue = make(chan *gomail.Msg, o.Queue)
	go s.work(ctx)
	return s, nil
}

// newClient makes the client for the relay, whose connection ends with ctx: the
// client looks at its own context only while it connects.
func newClient(ctx context.Context, o Options) (*gomail.Client, error) {
	host, portText, err := net.SplitHostPort(o.SMTP)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number", portText)
	}
	return gomail.NewClient(host,
		gomail.WithPort(port),
		gomail.WithTimeout(o.Timeout),
		gomail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(dialing, network, address)
			if err != nil {
				return nil, err
			}
			return &ending{Conn: conn, forget: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
		}),
		gomail.WithTLSPolicy(gomail.TLSOpportunistic),
		gomail.WithTLSConfig(&tls.Config{
			ServerName:         host,
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, // see the package comment
		}),
	)
}

// ending is a connection that a context ends.
type ending struct {
	net.Conn
	forget func() bool
}

// Close closes the connection.
func (e *ending) Close() error {
	e.forget()
	return e.Conn.Close()
}

// Send queues a message and returns at once. The error says why it will not be
// sent: it wraps ErrMessage for what is wrong with the message, or is
// ErrQueueFull or ErrClosed. A mail that the relay does not take later is
// logged. Without a relay it returns nil for every message.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mail not sent: %w", err)
	}
	if s.client == nil {
		s.noRelay.Do(func() {
			s.options.Logger.Warn("a document sends mail, but mail.smtp is not set: this mail and all later ones are dropped")
		})
		return nil
	}
	msg, err := m.compose(s.options.From)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return ErrClosed
	}
	select {
	case s.queue <- msg:
		return nil
	default:
		if say, about := s.full.Found(); say {
			s.options.Logger.Error("mails are refused: the queue is full", append(about, "relay", s.options.SMTP, "queue", s.options.Queue)...)
		}
		return ErrQueueFull
	}
}

// Close takes no more mails, delivers what is queued until ctx ends, and then
// gives up the rest. It returns once the worker has ended, at most a second after ctx
// has: nil, or the context's error with the number of mails given up in words.
// Further calls wait for the same end.
func (s *Sender) Close(ctx context.Context) error {
	s.mutex.Lock()
	if !s.closed && s.queue != nil {
		close(s.queue)
	}
	s.closed = true
	s.mutex.Unlock()

	select {
	case <-s.done:
		s.abandon()
		return nil
	case <-ctx.Done():
	}
	waiting := len(s.queue)
	s.abandon()
	err := fmt.Errorf("mail: the one being sent and %d more given up: %w", waiting, ctx.Err())
	late, timer := clock.After(s.options.Clock, endPatience)
	defer timer.Stop()
	select {
	case <-s.done:
		return err
	case <-late:
		return errors.Join(err, errors.New("mail: the relay's connection does not end"))
	}
}

// work delivers mails one by one until the queue is closed and empty.
func (s *Sender) work(ctx context.Context) {
	defer close(s.done)
	for msg := range s.queue {
		s.deliver(ctx, msg)
	}
}

// deliver tries a mail until it is delivered or there is no use.
func (s *Sender) deliver(ctx context.Context, msg *gomail.Msg) {
	pause := s.options.Retry
	for attempt := 1; ; attempt++ {
		if s.options.Before != nil {
			s.options.Before(ctx)
		}
		err := s.attempt(ctx, msg)
		if err == nil {
			s.options.Logger.Debug("mail delivered", "message_id", msg.GetMessageID(), "relay", s.options.SMTP)
			if say, about := s.away.Over(); say {
				s.options.Logger.Info("mail is delivered again", append(about, "relay", s.options.SMTP)...)
			}
			return
		}
		trouble := &s.away
		if !worthRetrying(err) {
			trouble = &s.refused
		}
		if attempt == attempts || trouble == &s.refused || !clock.Sleep(ctx, s.options.Clock, pause) {
			if say, about := trouble.Found(); say {
				s.options.Logger.Error("mail not delivered", append(about, "to", msg.GetToString(), "relay", s.options.SMTP,
					"attempts", attempt, "error", err)...)
			}
			return
		}
		pause *= 2
	}
}

func (s *Sender) attempt(ctx context.Context, msg *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return s.client.DialAndSendWithContext(ctx, msg)
}

// worthRetrying tells what may pass by itself (a relay that does not answer,
// replies 4xx) from what will not (replies 5xx).
func worthRetrying(err error) bool {
	var refused *gomail.SendError
	return !errors.As(err, &refused) || refused.IsTemp()
}
