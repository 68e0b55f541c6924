package sessionstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// text is a document, script or page that sessions need, and that is in Redis once.
type text struct {
	value  []byte // as it was given, until it is packed
	packed []byte
	stored bool // Redis has it
	idle   bool // no session named it when the leases were renewed last
}

// PutText notes a text under its hash, for the sessions whose states name that. It is
// written, compressed, with the first of these states and once for all of them, and lives
// as long as one of them does; it never blocks. value is the store's from then on.
func (s *Store) PutText(hash string, value []byte) {
	if !validID(hash) {
		s.log.Error("a text is not kept in redis: its hash cannot be a key", "hash", hash)
		return
	}
	t := &s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.texts[hash]; known != nil {
		known.idle = false
		return
	}
	t.texts[hash] = &text{value: value}
}

// Text reads a text, of whichever controller, and tells whether there is one.
func (s *Store) Text(ctx context.Context, hash string) (value []byte, ok bool, err error) {
	if !validID(hash) {
		return nil, false, nil
	}
	packed, err := s.client.Get(ctx, s.textKey(hash)).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, false, nil
	case err == nil:
		value, err = unpack(packed)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the text %s: %w", hash, err)
	}
	return value, true, nil
}

// unwritten are the texts that states to be written need and Redis does not have.
func (t *sessionTable) unwritten(batch []write) map[string]*text {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wanted map[string]*text
	for i := range batch {
		for _, hash := range batch[i].snapshot.texts {
			if known := t.texts[hash]; known != nil && !known.stored {
				if wanted == nil {
					wanted = make(map[string]*text)
				}
				wanted[hash] = known
			}
		}
	}
	return wanted
}

// writeTexts has a pipeline write texts. Who writes is one at a time, so the texts
// themselves need no lock.
func (s *Store) writeTexts(ctx context.Context, pipe redis.Pipeliner, texts map[string]*text) map[string]redis.Cmder {
	if len(texts) == 0 {
		return nil
	}
	answers := make(map[string]redis.Cmder, len(texts))
	for hash, text := range texts {
		if text.packed == nil {
			text.packed, text.value = s.texts.pack(text.value), nil
		}
		answers[hash] = pipe.Set(ctx, s.textKey(hash), text.packed, s.recordLease())
	}
	return answers
}

// wrote notes which texts Redis has now.
func (t *sessionTable) wrote(answers map[string]redis.Cmder) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for hash, answer := range answers {
		if answer.Err() != nil {
			err = answer.Err()
		} else if known := t.texts[hash]; known != nil {
			known.stored = true
		}
	}
	return err
}

// missing gives those of some texts that are still here, to be written again.
func (t *sessionTable) missing(hashes []string) map[string]*text {
	t.mu.Lock()
	defer t.mu.Unlock()
	texts := make(map[string]*text)
	for _, hash := range hashes {
		if known := t.texts[hash]; known != nil {
			texts[hash] = known
		}
	}
	return texts
}

// keepTexts forgets the texts that no session has named since the time before, and lists
// the others of those that are named. The table is locked.
func (t *sessionTable) keepTexts(named map[string]bool) (hashes []string) {
	for hash, known := range t.texts {
		switch {
		case named[hash]:
			known.idle = false
		case known.idle:
			delete(t.texts, hash)
		default:
			known.idle = true
		}
	}
	for hash := range named {
		hashes = append(hashes, hash)
	}
	return hashes
}
