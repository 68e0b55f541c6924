package records

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/logs"
)

// Options say where the journal is, and how much of it is kept.
type Options struct {
	Directory string        // made where it is missing
	FileBytes int64         // after which another file is begun; 64 MiB by default
	Keep      time.Duration // how long files are kept; 30 days by default
	Waiting   int           // records that wait for a disk that takes nothing; 100,000 by default
	Clock     clock.Clock
	Logger    *slog.Logger
}

// Journal keeps records. It may be used in any goroutine; a nil *Journal keeps nothing.
type Journal struct {
	options  Options
	wake     *clock.Waiter
	grown    *clock.Waiter // for followers
	trouble  logs.Trouble
	mu       sync.Mutex
	waiting  [][]byte
	dropped  int64
	written  int64 // records, for tests and metrics
	file     *os.File
	size     int64
	followed []*follower
}

// Open opens the journal in a directory, which it makes where it is missing.
func Open(o Options) (*Journal, error) {
	o.FileBytes = cmp.Or(o.FileBytes, 64<<20)
	o.Keep = cmp.Or(o.Keep, 30*24*time.Hour)
	o.Waiting = cmp.Or(o.Waiting, 100_000)
	if err := os.MkdirAll(o.Directory, 0o750); err != nil {
		return nil, err
	}
	j := &Journal{options: o, wake: clock.NewWaiter(o.Clock), grown: clock.NewWaiter(o.Clock)}
	j.trouble.Now = o.Clock.Now
	return j, j.begin()
}

const (
	fileStem  = "records-"
	fileEnd   = ".jsonl"
	fileStamp = "20060102T150405.000000000Z"
)

// begin begins a file.
func (j *Journal) begin() error {
	file, err := os.OpenFile(filepath.Join(j.options.Directory, fileOf(j.options.Clock.Now())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if j.file != nil {
		_ = j.file.Close() // all of it was written
	}
	j.file, j.size = file, info.Size()
	return nil
}

// Put keeps a record, a Call or a Session. It never blocks.
func (j *Journal) Put(record any) {
	if j == nil {
		return
	}
	text, err := line(record)
	if err != nil {
		j.options.Logger.Error("a call detail record is lost: it cannot be written as JSON", "error", err)
		return
	}
	j.mu.Lock()
	full := len(j.waiting) >= j.options.Waiting
	if full {
		j.dropped++
	} else {
		j.waiting = append(j.waiting, text)
	}
	first := full && j.dropped == 1
	j.mu.Unlock()
	if first {
		j.options.Logger.Error("call detail records are lost: too many wait for the disk; said once, counted from now on", "most", j.options.Waiting)
	}
	j.wake.Wake()
}

// Stats tells how many records were written, wait, and were lost.
func (j *Journal) Stats() (written int64, waiting int, lost int64) {
	if j == nil {
		return 0, 0, 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.written, len(j.waiting), j.dropped
}

// retryAfter is how long after a failure the disk is tried again.
const retryAfter = time.Second

// Run writes what is put, and follows, until ctx ends; then it writes what waits.
func (j *Journal) Run(ctx context.Context) {
	var following clock.Group
	for _, f := range j.followed {
		following.Go(j.options.Clock, func() { f.run(ctx) })
	}
	stop := context.AfterFunc(ctx, j.wake.Wake)
	defer stop()
	sweep := clock.Every(j.options.Clock, time.Hour, j.sweep)
	defer sweep()
	for {
		err := j.write()
		switch {
		case ctx.Err() != nil:
			_ = following.Wait(context.WithoutCancel(ctx), j.options.Clock)
			_ = j.file.Close()
			return
		case err != nil:
			clock.Sleep(ctx, j.options.Clock, retryAfter)
		default:
			j.wake.WaitContext(ctx)
		}
	}
}

// write writes what waits. What could not be written waits on.
func (j *Journal) write() error {
	for {
		j.mu.Lock()
		batch := j.waiting
		j.waiting = nil
		j.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		done, err := j.append(batch)
		j.mu.Lock()
		j.waiting = append(batch[done:], j.waiting...)
		j.written += int64(done)
		j.mu.Unlock()
		j.grown.Wake()
		if err != nil {
			if say, about := j.trouble.Found(); say {
				j.options.Logger.Error("call detail records cannot be written; they wait in memory", append(about, "error", err, "waiting", len(batch)-done)...)
			}
			return err
		}
		if say, about := j.trouble.Over(); say {
			j.options.Logger.Info("call detail records are written again", about...)
		}
	}
}

// append writes lines to the file, and tells how many are there, whole. A part of a line that
// a full disk has taken is taken away again.
func (j *Journal) append(batch [][]byte) (done int, err error) {
	for _, text := range batch {
		if j.size > 0 && j.size+int64(len(text)) > j.options.FileBytes {
			if err := j.begin(); err != nil {
				return done, err
			}
		}
		n, err := j.file.Write(text)
		if err != nil {
			if n > 0 {
				_ = j.file.Truncate(j.size) // else the next line begins in this one's rest
			}
			return done, err
		}
		j.size += int64(n)
		done++
	}
	return done, nil
}

// files are those of the journal, the oldest first.
func (j *Journal) files() (names []string, err error) {
	entries, err := os.ReadDir(j.options.Directory)
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, fileStem) && strings.HasSuffix(name, fileEnd) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// sweep removes files that are old: those that a receiver has still to read are kept for twice
// as long.
func (j *Journal) sweep() {
	names, err := j.files()
	if err != nil || len(names) == 0 {
		return
	}
	now := j.options.Clock.Now()
	old, tooOld := fileOf(now.Add(-j.options.Keep)), fileOf(now.Add(-2*j.options.Keep))
	for i, name := range names[:len(names)-1] { // never the one that is written
		unread := j.unread(name)
		if last := names[i+1]; last > old || unread && last > tooOld { // it has lines that are as young as the next one
			return
		}
		if err := os.Remove(filepath.Join(j.options.Directory, name)); err != nil {
			j.options.Logger.Warn("an old file of call detail records cannot be removed", "file", name, "error", err)
			continue
		}
		if unread {
			j.options.Logger.Error("call detail records were removed that a receiver has not taken", "file", name)
		}
	}
}

// unread tells whether a receiver may have to read a file.
func (j *Journal) unread(name string) bool {
	return slices.ContainsFunc(j.followed, func(f *follower) bool { return f.place().File <= name })
}

// fileOf is the name of a file that is begun at a time.
func fileOf(t time.Time) string { return fileStem + t.UTC().Format(fileStamp) + fileEnd }

// Follow has a receiver get all records, from where it got to last. It is called before Run.
func (j *Journal) Follow(name string, r Receiver) error {
	f := &follower{journal: j, receiver: r, file: filepath.Join(j.options.Directory, name+".place"), log: j.options.Logger.With("receiver", name)}
	f.trouble.Now = j.options.Clock.Now
	if err := f.load(); err != nil {
		return fmt.Errorf("%s: %w", f.file, err)
	}
	j.followed = append(j.followed, f)
	return nil
}
