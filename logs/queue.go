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
	most int // bytes
	now  func() time.Time
	tell func(out io.Writer, lost int64) error // writes a line on how many were lost
	// torn says that the writer has taken part of a line last. It and saidAt are the
	// goroutine's.
	torn   bool
	saidAt time.Time

	mu      sync.Mutex
	waiting []byte // whole lines
	lines   int64  // in it
	dropped int64  // lines, ever
	told    int64  // of these
	closed  bool
	news    chan struct{} // has something when the goroutine may have work
	ended   chan struct{} // closed when it has ended
}

func newQueue(out io.Writer, most int, now func() time.Time, tell func(io.Writer, int64) error) *queue {
	q := &queue{out: out, most: most, now: now, tell: tell, news: make(chan struct{}, 1), ended: make(chan struct{})}
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

// sayAgain is how often it is said that lines are lost while it lasts.
const sayAgain = time.Minute

// write writes lines. What the writer does not take is lost: nobody reads on a pipe that
// was closed, or the disk is full. How many were lost is said once that is over, and now
// and then where it is not.
func (q *queue) write(batch []byte, lines int64) {
	before := q.lost()
	taken, err := q.put(batch)
	q.mu.Lock()
	q.dropped += lines - taken
	dropped, lost, over := q.dropped, q.dropped-q.told, q.dropped == before || q.closed
	q.mu.Unlock()
	if now := q.now(); err == nil && lost > 0 && (over || now.Sub(q.saidAt) >= sayAgain) && q.tell(writerFunc(q.put), lost) == nil {
		q.told, q.saidAt = dropped, now
	}
}

// put has whole lines written, and tells how many were taken.
func (q *queue) put(lines []byte) (taken int64, err error) {
	if q.torn {
		if _, err := q.out.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		q.torn = false
	}
	n, err := q.out.Write(lines)
	lines = lines[:min(n, len(lines))]
	q.torn = len(lines) > 0 && lines[len(lines)-1] != '\n'
	return int64(bytes.Count(lines, []byte{'\n'})), err
}

// writerFunc makes put a writer of one line.
type writerFunc func([]byte) (int64, error)

// Write implements io.Writer.
func (f writerFunc) Write(line []byte) (int, error) {
	if _, err := f(line); err != nil {
		return 0, err
	}
	return len(line), nil
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
