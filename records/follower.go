package records

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/logs"
)

// Receiver takes records.
type Receiver interface {
	// Receive takes some lines, each a record as JSON. An error has them come again.
	Receive(ctx context.Context, lines [][]byte) error
}

// follower brings the lines of a journal to a receiver.
type follower struct {
	journal  *Journal
	receiver Receiver
	file     string // that keeps the place
	log      *slog.Logger
	trouble  logs.Trouble

	mu sync.Mutex
	at place
}

// place is how far a follower has come: all before it was received.
type place struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
}

func (f *follower) place() place {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *follower) load() error {
	text, err := os.ReadFile(f.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f.at)
	}
	return err
}

// save keeps the place, whole or not at all.
func (f *follower) save(at place) error {
	f.mu.Lock()
	f.at = at
	f.mu.Unlock()
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.file+".new", text, 0o640); err != nil {
		return err
	}
	return os.Rename(f.file+".new", f.file)
}

// linesAtOnce bounds what a receiver gets at a time.
const linesAtOnce = 100

// The waits between attempts of a receiver that does not take what it is given.
const (
	firstWait = time.Second
	mostWait  = time.Minute
)

// run brings what is there, and what comes, until ctx ends.
func (f *follower) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, f.journal.grown.Wake)
	defer stop()
	wait := firstWait
	for ctx.Err() == nil {
		more, err := f.bring(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			if say, about := f.trouble.Found(); say {
				f.log.Error("call detail records are not delivered; they stay in the journal until they are", append(about, "error", err)...)
			}
			clock.Sleep(ctx, f.journal.options.Clock, wait)
			wait = min(2*wait, mostWait)
		case !more:
			f.journal.grown.WaitContext(ctx)
		default:
			if say, about := f.trouble.Over(); say {
				f.log.Info("call detail records are delivered again", about...)
			}
			wait = firstWait
		}
	}
}

// bring brings the next lines. It reports whether there were any.
func (f *follower) bring(ctx context.Context) (more bool, err error) {
	lines, next, err := f.read()
	if err != nil || len(lines) == 0 {
		return false, err
	}
	if err := f.receiver.Receive(ctx, lines); err != nil {
		return false, err
	}
	return true, f.save(next)
}

// read reads lines behind the place, and where it is behind them.
func (f *follower) read() (lines [][]byte, next place, err error) {
	names, err := f.journal.files()
	if err != nil {
		return nil, next, err
	}
	at := f.place()
	for _, name := range names {
		if name < at.File {
			continue
		}
		if name > at.File {
			at = place{File: name}
		}
		lines, end, err := readLines(filepath.Join(f.journal.options.Directory, name), at.Offset)
		if err != nil || len(lines) > 0 {
			return lines, place{name, end}, err
		}
	}
	return nil, next, nil
}

// readLines reads whole lines of a file.
func readLines(name string, from int64) (lines [][]byte, end int64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, from, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return nil, from, err
	}
	reader := bufio.NewReader(file)
	for end = from; len(lines) < linesAtOnce; {
		text, err := reader.ReadBytes('\n')
		if err != nil { // the rest of a line is still to come
			break
		}
		end += int64(len(text))
		lines = append(lines, bytes.TrimRight(text, "\n"))
	}
	return lines, end, nil
}
