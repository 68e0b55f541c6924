package fetch

import (
	"container/list"
	"strings"
	"sync"
)

// LRU keeps values by their key until they take more than a number of bytes
// together; those used last are the last to go. It is safe for concurrent use.
type LRU[V any] struct {
	mu    sync.Mutex
	space int64 // bytes left
	order *list.List
	byKey map[string]*list.Element
}

type kept[V any] struct {
	key   string
	value V
	bytes int64
}

// NewLRU returns one that is bounded in bytes.
func NewLRU[V any](bytes int64) *LRU[V] {
	return &LRU[V]{space: bytes, order: list.New(), byKey: make(map[string]*list.Element)}
}

// entryOverhead is roughly what an entry takes beside its key and value.
const entryOverhead = 512

// Get gives what is kept under a key.
func (l *LRU[V]) Get(key string) (value V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.byKey[key]
	if !ok {
		return value, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*kept[V]).value, true
}

// Put keeps a value that takes so many bytes, in place of what was there. What is
// larger than all that may be kept is not.
func (l *LRU[V]) Put(key string, value V, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(key)
	k := &kept[V]{key, value, bytes + int64(len(key)) + entryOverhead}
	l.byKey[key] = l.order.PushFront(k)
	for l.space -= k.bytes; l.space < 0; {
		l.remove(l.order.Back().Value.(*kept[V]).key)
	}
}

// Drop forgets what is kept under a key.
func (l *LRU[V]) Drop(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(key)
}

// DropPrefix forgets all whose key begins with a text.
func (l *LRU[V]) DropPrefix(prefix string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.byKey {
		if strings.HasPrefix(key, prefix) {
			l.remove(key)
		}
	}
}

// Len is how many values are kept.
func (l *LRU[V]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order.Len()
}

func (l *LRU[V]) remove(key string) {
	if element, ok := l.byKey[key]; ok {
		l.space += element.Value.(*kept[V]).bytes
		l.order.Remove(element)
		delete(l.byKey, key)
	}
}
