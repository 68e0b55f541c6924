package fetch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"ccxmld/clock"
)

// Versions keeps what was made of documents, such as compiled ones: of each URI the
// last version, and those used last. It is safe for concurrent use.
type Versions[T any] struct {
	kept   *LRU[made[T]]
	making *flights
}

type made[T any] struct {
	version string
	value   T
}

// CompiledBytes is what a compiled document takes whose text has so many bytes: 15
// for each were measured over the conformance suite.
func CompiledBytes(text int) int64 { return int64(text) * 16 }

// NewVersions returns one that takes at most so many bytes. Those who want the same wait
// for each other by the clock.
func NewVersions[T any](c clock.Clock, bytes int64) *Versions[T] {
	return &Versions[T]{kept: NewLRU[made[T]](bytes), making: newFlights(c)}
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
// a nil still always does. Else it makes it, and keeps it as taking so many bytes. Those
// who want the same at once wait for the first of them to make it, and have its error
// too, unless that one's context has ended. The context that make is given ends with that
// of who makes it, and after 10 s.
func (v *Versions[T]) Make(ctx context.Context, uri, version string, still func(T) bool, make func(context.Context) (value T, bytes int64, err error)) (value T, err error) {
	for {
		if value, ok := v.holds(uri, version, still); ok {
			return value, nil
		}
		first, other := v.making.board(ctx, uri+"\n"+version)
		if first {
			return v.makeFirst(ctx, uri, version, still, make)
		}
		if ctx.Err() != nil {
			return value, context.Cause(ctx)
		}
		if other.err != errGaveUp {
			value, _ := other.made.(T)
			return value, other.err
		}
	}
}

func (v *Versions[T]) holds(uri, version string, still func(T) bool) (value T, ok bool) {
	value, ok = v.Get(uri, version)
	return value, ok && (still == nil || still(value))
}

// errGaveUp tells those who wait that one of them has to make it.
var errGaveUp = errors.New("the first one gave up")

// makeFirst makes what others wait for.
func (v *Versions[T]) makeFirst(ctx context.Context, uri, version string, still func(T) bool, make func(context.Context) (T, int64, error)) (value T, err error) {
	told := errGaveUp
	defer func() { v.making.land(uri+"\n"+version, value, told) }()
	var ok bool
	if value, ok = v.holds(uri, version, still); ok { // by one that was made since
		told = nil
		return value, nil
	}
	value, bytes, err := guarded(ctx, uri, make)
	if err == nil {
		v.Put(uri, version, bytes, value)
	}
	if err == nil || ctx.Err() == nil {
		told = err
	}
	return value, err
}

// makingTime bounds how long one is made, on the clock on the wall: it bounds work of
// this machine.
const makingTime = 10 * time.Second

// guarded makes one within its time. The goroutine that makes it may be one in which
// nothing else recovers.
func guarded[T any](ctx context.Context, uri string, make func(context.Context) (T, int64, error)) (value T, bytes int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, makingTime, fmt.Errorf("it took longer than %v", makingTime))
	defer cancel()
	defer func() {
		if x := recover(); x != nil {
			err = &MistakeError{URI: uri, Panic: x, Stack: debug.Stack()}
		}
	}()
	return make(ctx)
}

// MistakeError is the error of a document that made make panic, which is a mistake in it.
type MistakeError struct {
	URI   string
	Panic any
	Stack []byte
}

// Error says so.
func (e *MistakeError) Error() string {
	return fmt.Sprintf("a mistake in ccxmld keeps it from compiling %s: %v", e.URI, e.Panic)
}

// Put keeps what was made of a document and takes so many bytes.
func (v *Versions[T]) Put(uri, version string, bytes int64, value T) {
	v.kept.Put(uri, made[T]{version, value}, bytes)
}
