package sessionstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Session is what others may know of a session. It is written as one hash, a
// field for each of its own.
type Session struct {
	ID         string
	Controller string    // the one that runs it; empty means this store's
	Document   string    // URI of the document it is in
	PostEvent  string    // what a POST without an event's name is to the session, "" for nothing
	State      string    // value of the document's state variable
	Parent     string    // id of the session that created it
	Startup    string    // what began it: newcall, newsession, newccxml, as in session.startupmode
	Token      string    // which token started it, as [Fingerprint]: never the token itself
	Started    time.Time // to the millisecond
	Secret     string    // by which it may be sent events by HTTP, "" for none
	Epoch      int64     // how often it was claimed, and 1; set when read

	Connections []string // ids, as are the next two
	Dialogs     []string
	Conferences []string
}

// Fingerprint returns what tells tokens apart without giving them away: the
// first 12 hexadecimal digits of the SHA-256.
func Fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

func (r *Session) equal(o *Session) bool {
	return r.ID == o.ID && r.Controller == o.Controller && r.Document == o.Document &&
		r.PostEvent == o.PostEvent && r.State == o.State && r.Parent == o.Parent && r.Startup == o.Startup &&
		r.Token == o.Token && r.Secret == o.Secret && r.Started.Equal(o.Started) &&
		slices.Equal(r.Connections, o.Connections) &&
		slices.Equal(r.Dialogs, o.Dialogs) && slices.Equal(r.Conferences, o.Conferences)
}

// timeFormat is how times stand in hashes: readable, in UTC, to the millisecond.
const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}

// parseTime returns the zero time for what is not one: records are read by
// programs of other versions too.
func parseTime(text string) time.Time {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// fields returns the hash: all fields, also empty ones, so that a new record
// replaces every value of an older one.
func (r *Session) fields() []any {
	return []any{
		"id", r.ID,
		"controller", r.Controller,
		"document", r.Document,
		"postevent", r.PostEvent,
		"state", r.State,
		"parent", r.Parent,
		"startup", r.Startup,
		"token", r.Token,
		"secret", r.Secret,
		"started", formatTime(r.Started),
		"connections", strings.Join(r.Connections, " "),
		"dialogs", strings.Join(r.Dialogs, " "),
		"conferences", strings.Join(r.Conferences, " "),
	}
}

func sessionOf(hash map[string]string) Session {
	return Session{
		ID:          hash["id"],
		Controller:  hash["controller"],
		Document:    hash["document"],
		PostEvent:   hash["postevent"],
		State:       hash["state"],
		Parent:      hash["parent"],
		Startup:     hash["startup"],
		Token:       hash["token"],
		Secret:      hash["secret"],
		Started:     parseTime(hash["started"]),
		Epoch:       parseEpoch(hash["epoch"]),
		Connections: strings.Fields(hash["connections"]),
		Dialogs:     strings.Fields(hash["dialogs"]),
		Conferences: strings.Fields(hash["conferences"]),
	}
}

// Session returns the record of a session, of whichever controller, and whether
// there is one. Records appear up to [Options.WriteEvery] after SaveSession.
func (s *Store) Session(ctx context.Context, id string) (Session, bool, error) {
	if !validID(id) {
		return Session{}, false, nil
	}
	hash, err := s.client.HGetAll(ctx, s.sessionKey(id)).Result()
	if err != nil {
		return Session{}, false, fmt.Errorf("read session %s: %w", id, err)
	}
	if hash["id"] == "" {
		return Session{}, false, nil
	}
	return sessionOf(hash), true, nil
}

// Owner returns the controller that runs a session, and whether the session is
// known. Whether the controller still lives is for [Store.Post] to find out.
func (s *Store) Owner(ctx context.Context, id string) (controller string, ok bool, err error) {
	if !validID(id) {
		return "", false, nil
	}
	controller, err = s.client.HGet(ctx, s.sessionKey(id), "controller").Result()
	switch err {
	case nil:
		return controller, true, nil
	case redis.Nil:
		return "", false, nil
	}
	return "", false, fmt.Errorf("owner of session %s: %w", id, err)
}

// readAtOnce bounds how many records a listing holds in memory.
const readAtOnce = 256

// Sessions lists the sessions of all controllers, living or dead, as they are
// read; it holds a few hundred of them in memory at a time. An error ends it.
func (s *Store) Sessions(ctx context.Context) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		controllers, err := s.client.SMembers(ctx, s.controllersKey()).Result()
		if err != nil {
			yield(Session{}, fmt.Errorf("list controllers: %w", err))
			return
		}
		slices.Sort(controllers)
		for _, controller := range controllers {
			for session, err := range s.SessionsOf(ctx, controller) {
				if !yield(session, err) || err != nil {
					return
				}
			}
		}
	}
}

// SessionsOf lists the sessions of one controller, living or dead.
func (s *Store) SessionsOf(ctx context.Context, controller string) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		var cursor uint64
		for {
			ids, next, err := s.client.SScan(ctx, s.sessionsKey(controller), cursor, "", readAtOnce).Result()
			if err == nil {
				err = s.yieldSessions(ctx, controller, ids, yield)
			}
			switch {
			case err == errStopped:
				return
			case err != nil:
				yield(Session{}, fmt.Errorf("list sessions of %s: %w", controller, err))
				return
			case next == 0:
				return
			}
			cursor = next
		}
	}
}

// errStopped says that the reader of a listing has had enough.
var errStopped = fmt.Errorf("listing stopped")

func (s *Store) yieldSessions(ctx context.Context, controller string, ids []string, yield func(Session, error) bool) error {
	for chunk := range slices.Chunk(ids, readAtOnce) {
		pipe := s.client.Pipeline()
		hashes := make([]*redis.MapStringStringCmd, len(chunk))
		for i, id := range chunk {
			hashes[i] = pipe.HGetAll(ctx, s.sessionKey(id))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for _, hash := range hashes {
			// An index entry can outlive its record: that session is over, or another's.
			if hash.Val()["id"] != "" && hash.Val()["controller"] == controller && !yield(sessionOf(hash.Val()), nil) {
				return errStopped
			}
		}
	}
	return nil
}
