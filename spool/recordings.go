package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"ccxmld/logs"
)

// Recordings is the directory that FreeSWITCH, which runs as another user, writes
// recordings to. It may be on another machine: then it is not there for us, and
// nothing of it is ours to bound. It is safe for concurrent use.
type Recordings struct {
	folder string
	bounds Bounds
	log    *slog.Logger

	sweeping sync.Mutex
	failing  logs.Trouble // something cannot be removed

	mu      sync.Mutex
	removed int64
	full    bool
}

// settled is how long ago a recording must have been written to for it to be over,
// uploaded and out of use.
const settled = time.Hour

// largestRecording bounds what is read to be sent on: an hour of telephony.
const largestRecording = 64 << 20

// NewRecordings keeps a directory. log may not be nil.
func NewRecordings(folder string, bounds Bounds, log *slog.Logger) *Recordings {
	return &Recordings{folder: filepath.Clean(folder), bounds: bounds, log: log}
}

// Make makes the directory so that FreeSWITCH can write to it as well: as those for
// temporary files are, whose files nobody else removes. One that is there stays as it
// is.
func (r *Recordings) Make() error {
	if err := os.MkdirAll(filepath.Dir(r.folder), 0o755); err != nil {
		return err
	}
	switch err := os.Mkdir(r.folder, 0o755); {
	case err == nil:
		return os.Chmod(r.folder, 0o777|os.ModeSticky)
	case errors.Is(err, fs.ErrExist):
		return r.Check()
	default:
		return err
	}
}

// Check tells what is wrong with the directory: others may take recordings away or
// put something in their place, or there is no room. One that is not there, or on
// another machine, is not looked at.
func (r *Recordings) Check() error {
	if err := checkShared(r.folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.Full()
}

// Full tells that there is no room, as it was at the last Sweep.
func (r *Recordings) Full() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return fmt.Errorf("%s is full: dialog.recordings_bytes allows %d bytes, and what is there is not an hour old", r.folder, r.bounds.Bytes)
	}
	return nil
}

// Read reads a recording, which is a file of the directory itself and no link.
func (r *Recordings) Read(path string) ([]byte, error) {
	file, err := r.open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largestRecording+1))
	if err == nil && len(content) > largestRecording {
		err = fmt.Errorf("%s is larger than %d MiB", path, largestRecording>>20)
	}
	return content, err
}

// Size gives the bytes of a recording that has ended; 0 when it is not seen from here.
func (r *Recordings) Size(path string) int64 {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// open opens a recording.
func (r *Recordings) open(path string) (*os.File, error) {
	if filepath.Dir(path) != r.folder {
		return nil, fmt.Errorf("%s is no recording", path)
	}
	if err := checkShared(r.folder); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s: %w; dialog.recordings must be a directory that FreeSWITCH and ccxmld share", path, err)
		}
		return nil, err
	}
	root, err := os.OpenRoot(r.folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Base(path)
	before, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; dialog.recordings must be a directory that FreeSWITCH and ccxmld share", err)
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file of FreeSWITCH's, but a link or the like", path)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	if opened, err := file.Stat(); err != nil || !os.SameFile(before, opened) {
		return nil, errors.Join(fmt.Errorf("%s is being replaced", path), err, file.Close())
	}
	return file, nil
}

// Removed is how many recordings have been removed for the bounds' sake.
func (r *Recordings) Removed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.removed
}

// Sweep removes recordings that are older than they may be, and the oldest of those
// that are too many. Those written to within the last hour stay.
func (r *Recordings) Sweep() {
	if r.bounds == (Bounds{}) || checkShared(r.folder) != nil {
		return
	}
	root, err := os.OpenRoot(r.folder)
	if err != nil {
		return
	}
	defer root.Close()
	r.sweeping.Lock()
	defer r.sweeping.Unlock()
	now := time.Now()
	s := r.bounds.sweep(root, recordingName, 0, now, func(file fs.FileInfo) (bool, error) {
		if now.Sub(file.ModTime()) < settled {
			return false, nil
		}
		return true, root.Remove(file.Name())
	})
	full := r.bounds.Bytes > 0 && s.left > r.bounds.Bytes
	r.mu.Lock()
	news := full != r.full
	r.removed, r.full = r.removed+int64(s.removed), full
	r.mu.Unlock()
	if s.removed > 0 {
		r.log.Info("recordings are removed", "directory", r.folder, "files", s.removed, "bytes", s.freed, "bytes allowed", r.bounds.Bytes, "age allowed", r.bounds.Age)
	}
	tellRemoval(r.log, &r.failing, "recordings", r.folder, s.err)
	switch {
	case news && full:
		r.log.Error("there are more recordings than dialog.recordings_bytes allows, and none to be removed: no more are made", "directory", r.folder, "bytes", s.left, "bytes allowed", r.bounds.Bytes)
	case news:
		r.log.Info("there is room for recordings again", "directory", r.folder)
	}
}

// recordingName is how ccxmld names recordings of dialogs, of calls (ID-TAG-ID.wav)
// and of rooms: others in the directory are not its own.
var recordingName = regexp.MustCompile(`^(recording-.+|[0-9a-f]{8}-[0-9a-f-]{27}(-[A-Za-z0-9=_-]+)?-[0-9a-f]{8}|ccxmld-.+)\.wav$`)
