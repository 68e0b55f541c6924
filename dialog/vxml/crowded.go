package vxml

import (
	"sync"

	"ccxmld/dialog"
)

// crowding are the executions of a dialog that are asked whether they hold most of the
// memory that the scripts of all sessions may hold (script.Limits.Crowded).
type crowding struct {
	asked chan struct{} // has one while there are any

	mu   sync.Mutex
	list []*execution
}

// crowd asks an execution. It may be called on any goroutine, and does not block.
func (b *browser) crowd(x *execution) {
	b.crowding.mu.Lock()
	b.crowding.list = append(b.crowding.list, x)
	b.crowding.mu.Unlock()
	select {
	case b.crowding.asked <- struct{}{}:
	default:
	}
	b.wake.Wake()
}

// letGo ends the dialog if one of its executions that are asked holds too much. It is for
// the dialog's goroutine, while that waits. The page is not told, which might hold on to
// what it has: the session goes on without the dialog.
func (b *browser) letGo() {
	b.crowding.mu.Lock()
	list := b.crowding.list
	b.crowding.list = nil
	b.crowding.mu.Unlock()
	for _, x := range list {
		err := x.runtime.Crowded()
		if err == nil {
			continue
		}
		b.log.Error("dialog holds most of the memory that all sessions may hold, it is ended", "error", err)
		b.do(func() { b.exit(dialog.Result{Reason: err.Error()}) })
		b.cancel()
		return
	}
}
