package logs

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// queue is lines that wait for a writer.
type queue struct {
	out  io.Writer
	most int                             // bytes
	tell func(out io.Writer, lost int64) // writes a line on how many were lost

	mu      sync.Mutex
	waiting []byte // whole lines
	lines   int64  // in it
	dropped int64  // lines, ever
	told    int64  // of these
	closed  bool
	news    chan struct{} // has something when the goroutine may have work
	ended   chan struct{} // closed when it has ended
}

func newQueue(out io.Writer, most int, tell func(io.Writer, int64)) *queue {
	q := &queue{out: out, most: most, tell: tell, news: make(chan struct{}, 1), ended: make(chan struct{})}
	go q.run()
	return q
}

// Write takes a line, or drops it. It never fails and never waits for the writer.
func (q *queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting)+len(line) > q.most {
		q.dropped++
		return len(line), nil
	}
	q.waiting = append(q.waiting, line...)
	q.lines++
	q.wake()
	return len(line), nil
}

func (q *queue) wake() {
	select {
	case q.news <- struct{}{}:
	default:
	}
}

func (q *queue) lost() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

func (q *queue) run() {
	defer close(q.ended)
	var batch []byte
	for {
		var lines int64
		var last bool
		batch, lines, last = q.take(batch)
		if len(batch) > 0 {
			q.write(batch, lines)
		}
		if last && len(batch) == 0 {
			return
		}
		if len(batch) == 0 {
			<-q.news
		}
	}
}

// keptBatch is what a buffer may hold that is used again.
const keptBatch = 64 << 10

// take exchanges the lines that wait for an emptied buffer. last says that there
// will be no more.
func (q *queue) take(empty []byte) (batch []byte, lines int64, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(empty) > keptBatch {
		empty = nil
	}
	batch, lines = q.waiting, q.lines
	q.waiting, q.lines = empty[:0], 0
	return batch, lines, q.closed
}

// write writes lines, and how many were lost before, once some were taken. What the
// writer does not take is lost: nobody reads on a pipe that was closed.
func (q *queue) write(batch []byte, lines int64) {
	n, err := q.out.Write(batch)
	if err != nil {
		lines -= int64(bytes.Count(batch[:min(n, len(batch))], []byte{'\n'}))
		q.mu.Lock()
		q.dropped += lines
		q.mu.Unlock()
		return
	}
	q.mu.Lock()
	lost := q.dropped - q.told
	q.told = q.dropped
	q.mu.Unlock()
	if lost > 0 {
		q.tell(q.out, lost)
	}
}

func (q *queue) close(patience time.Duration) {
	q.mu.Lock()
	q.closed = true
	q.wake()
	q.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-q.ended:
	case <-timer.C:
	}
}
