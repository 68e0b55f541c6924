package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"ccxmld/clock"
	"ccxmld/logs"
)

// Mail is a message from one controller to another: an event for a session that
// runs there, say. Its meaning is agreed between sender and receiver by Kind.
type Mail struct {
	ID   string // tells repetitions apart; the entry's stream id if the sender gives none
	From string // id of the sending controller; this store's if empty
	Kind string
	// Session is the one that it is for, "" for the controller itself. What a dead
	// controller has not read goes to who claims the session.
	Session string
	Body    []byte // JSON, at most [MaxMailBody] bytes
}

// MaxMailBody bounds the body of a mail, in bytes.
const MaxMailBody = 1 << 20

// Why mail is not accepted.
var (
	ErrNoController = errors.New("the controller is gone")
	ErrMailboxFull  = errors.New("the controller's mailbox is full")
	ErrMailTooLong  = errors.New("the mail is too long")
)

// post appends to a controller's stream if it holds its lease. A full mailbox
// refuses, and the sender knows; MAXLEN would silently drop the oldest mail.
//
// KEYS lease, stream; ARGV most entries, milliseconds to live, then the fields, and 1 if
// the lease does not matter.
var post = redis.NewScript(`
if ARGV[8] ~= '1' and redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[1]) then return 'full' end
redis.call('XADD', KEYS[2], '*', 'id', ARGV[3], 'from', ARGV[4], 'kind', ARGV[5], 'session', ARGV[6], 'body', ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 'ok'
`)

// Post puts mail into a controller's mailbox, in one round trip. The controller
// gets all that one sender posts, in order, each at least once as long as it
// lives. ErrNoController, ErrMailboxFull and ErrMailTooLong say that it was not
// accepted; after any other error it may or may not have been.
func (s *Store) Post(ctx context.Context, controller string, m Mail) error {
	return s.post(ctx, controller, m, false)
}

// post posts mail, or passes some on, also to a controller that may have died meanwhile.
func (s *Store) post(ctx context.Context, controller string, m Mail, passed bool) error {
	if len(m.Body) > MaxMailBody {
		return fmt.Errorf("%w: %d bytes of at most %d", ErrMailTooLong, len(m.Body), MaxMailBody)
	}
	if !validID(controller) {
		return ErrNoController
	}
	if m.From == "" {
		m.From = s.controllerID()
	}
	keys := []string{s.leaseKey(controller), s.mailKey(controller)}
	outcome, err := post.Run(ctx, s.client, keys,
		s.maxMail, s.recordLease().Milliseconds(), m.ID, m.From, m.Kind, m.Session, m.Body, passed).Text()
	switch {
	case err != nil:
		return fmt.Errorf("post to controller %s: %w", controller, err)
	case outcome == "gone":
		return fmt.Errorf("post to controller %s: %w", controller, ErrNoController)
	case outcome == "full":
		return fmt.Errorf("post to controller %s: %w", controller, ErrMailboxFull)
	}
	if s.inMemory {
		s.embedded.posted(s.mailKey(controller))
	}
	return nil
}

const (
	readMailAtOnce = 64
	// mailWait is how long one XREAD waits. It bounds how late a connection
	// that died without a word is noticed.
	mailWait = 5 * time.Second
	// mailRetry is the pause after an error, so that an absent Redis is not
	// asked without end.
	mailRetry = time.Second
)

// Receive hands the controller's mail to handle, one by one in order, until ctx
// ends or the store is closed. Mail is removed once it has been handled; what was
// handled but not yet removed when the process or Redis died comes again, so
// handle must cope with repetitions. Errors of Redis are waited out. There must
// be one receiver per controller. It returns the reason of its end, which is ErrIDTaken if
// another process has become the controller. In memory it
// waits by the store's clock.
func (s *Store) Receive(ctx context.Context, controller string, handle func(Mail)) error {
	if !validID(controller) {
		return ErrNoController
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.replaced, func() { cancel(ErrIDTaken) })()
	if s.inMemory {
		defer context.AfterFunc(s.closing, func() { cancel(ErrClosed) })()
		return s.receiveInMemory(ctx, controller, handle)
	}
	// A connection of its own, because XREAD occupies it, and because closing
	// it is what ends an XREAD under way.
	options := s.clientOf
	options.PoolSize, options.MinIdleConns = 1, 0
	client := newClient(&options)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		select {
		case <-s.closing.Done():
			cancel(ErrClosed)
		case <-ctx.Done():
		}
		if err := client.Close(); err != nil {
			s.log.Debug("close the connection for mail", "error", err)
		}
	}()
	r := receiver{store: s, client: client, key: s.mailKey(controller), block: mailWait, handle: handle}
	unread := logs.Trouble{Now: s.clock.Now}
	for ctx.Err() == nil {
		_, err := r.next(ctx)
		switch {
		case err == nil:
			if say, about := unread.Over(); say {
				s.log.Info("mail from other controllers is received again", about...)
			}
			continue
		case s.Healthy() && ctx.Err() == nil: // else it is said that redis is away
			if say, about := unread.Found(); say {
				s.log.Error("mail from other controllers is not received; trying again", append(about, "error", err)...)
			}
		}
		s.pause(ctx)
	}
	cause := context.Cause(ctx)
	<-closed
	return cause
}

// receiveInMemory is Receive where who posts wakes who receives.
func (s *Store) receiveInMemory(ctx context.Context, controller string, handle func(Mail)) error {
	come := clock.NewWaiter(s.clock)
	forget := s.embedded.await(s.mailKey(controller), come)
	defer forget()
	r := receiver{store: s, client: s.client, key: s.mailKey(controller), block: -1, handle: handle}
	for ctx.Err() == nil {
		switch took, err := r.next(ctx); {
		case err != nil:
			clock.Sleep(ctx, s.clock, mailRetry)
		case took == 0:
			come.WaitContext(ctx)
		}
	}
	return context.Cause(ctx)
}

func (s *Store) pause(ctx context.Context) {
	over, timer := clock.After(s.clock, mailRetry)
	defer timer.Stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// receiver reads one mailbox. The stream holds what is not yet handled, so it is
// always read from its beginning, and XLEN is the backlog.
type receiver struct {
	store   *Store
	client  redis.UniversalClient
	key     string
	block   time.Duration // of a read; less than 0 for none
	handle  func(Mail)
	handled []string // ids still to be removed
}

// next takes what there is, and tells how many.
func (r *receiver) next(ctx context.Context) (took int, err error) {
	if err := r.remove(ctx); err != nil {
		return 0, err
	}
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{r.key, "0"}, Count: readMailAtOnce, Block: r.block,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil // nothing came
	}
	if err != nil {
		return 0, err
	}
	for _, stream := range streams {
		for _, entry := range stream.Messages {
			if ctx.Err() != nil {
				break
			}
			r.handle(mailOf(entry))
			r.handled = append(r.handled, entry.ID)
		}
	}
	// Not with ctx: what was handled is to be removed even at the end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout)
	defer cancel()
	return len(r.handled), r.remove(last)
}

// remove uses the store's client, whose connections outlive the receiver's.
func (r *receiver) remove(ctx context.Context) error {
	if len(r.handled) == 0 {
		return nil
	}
	if err := r.store.client.XDel(ctx, r.key, r.handled...).Err(); err != nil {
		return fmt.Errorf("remove handled mail: %w", err)
	}
	r.handled = r.handled[:0]
	return nil
}

func mailOf(entry redis.XMessage) Mail {
	text := func(name string) string {
		value, _ := entry.Values[name].(string)
		return value
	}
	m := Mail{ID: text("id"), From: text("from"), Kind: text("kind"), Session: text("session"), Body: []byte(text("body"))}
	if m.ID == "" {
		m.ID = entry.ID
	}
	return m
}
