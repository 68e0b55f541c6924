package fetch

import (
	"context"
	"errors"

	"golang.org/x/sync/singleflight"
)

// Versions keeps what was made of documents, such as compiled ones: of each URI the
// last version, and those used last. It is safe for concurrent use.
type Versions[T any] struct {
	kept   *LRU[made[T]]
	making singleflight.Group
}

type made[T any] struct {
	version string
	value   T
}

// perSourceByte is how many bytes a compiled document takes for each of its text:
// 15 were measured over the conformance suite.
const perSourceByte = 16

// NewVersions returns one that takes at most so many bytes.
func NewVersions[T any](bytes int64) *Versions[T] {
	return &Versions[T]{kept: NewLRU[made[T]](bytes)}
}

// Get gives what was made of this version of a document.
func (v *Versions[T]) Get(uri, version string) (value T, ok bool) {
	known, ok := v.kept.Get(uri)
	if !ok || known.version != version {
		return value, false
	}
	return known.value, true
}

// Len is how many documents are kept.
func (v *Versions[T]) Len() int { return v.kept.Len() }

// Make gives what was made of this version of a document, if still says that it holds;
// a nil still always does. Else it makes it, of a text of so many bytes, and keeps it.
// Those who want the same at once wait for one to make it. make runs in a goroutine of
// its own; one that gives up, as its context has ended, stops nobody else.
func (v *Versions[T]) Make(ctx context.Context, uri, version string, bytes int, still func(T) bool, make func() (T, error)) (value T, err error) {
	kept := func() (T, bool) {
		value, ok := v.Get(uri, version)
		return value, ok && (still == nil || still(value))
	}
	makeAndKeep := func() (T, error) {
		value, err := make()
		if err == nil {
			v.Put(uri, version, bytes, value)
		}
		return value, err
	}
	if value, ok := kept(); ok {
		return value, nil
	}
	first := false
	done := v.making.DoChan(uri+"\n"+version, func() (any, error) {
		first = true
		if value, ok := kept(); ok { // by one that was made since
			return value, nil
		}
		value, err := makeAndKeep()
		return value, err
	})
	select {
	case result := <-done:
		value, _ = result.Val.(T)
		err = result.Err
	case <-ctx.Done():
		return value, context.Cause(ctx)
	}
	if !first && ctx.Err() == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return makeAndKeep()
	}
	return value, err
}

// Put keeps what was made of a document whose text has so many bytes.
func (v *Versions[T]) Put(uri, version string, bytes int, value T) {
	v.kept.Put(uri, made[T]{version, value}, int64(bytes)*perSourceByte)
}
