package spool

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"ccxmld/logs"
)

// Audio is the directory in which audio from HTTP servers is put for FreeSWITCH to
// play. A file is named after its content, so that a new version is a new file and
// one that plays never changes. It is safe for concurrent use.
type Audio struct {
	folder string
	bounds Bounds
	log    *slog.Logger

	making  sync.Mutex   // one at a time makes the directory, or sweeps it
	failing logs.Trouble // something cannot be removed

	mu      sync.Mutex     // of what follows, and of the removal of a file
	private string         // made in place of folder, for this process alone; "" for none
	lock    *os.File       // of private, for as long as the process lives
	held    map[string]int // names of files that are being played
	size    int64          // of our files, about; -1 while that is not known
	sweptAt time.Time
	removed int64
}

// sweepEvery is how long files may be older than they should at most, if more come.
const sweepEvery = 10 * time.Minute

// soon is how long a file that was put stays without being held: it is about to be
// played.
const soon = time.Minute

// NewAudio keeps a directory, which is made when it is needed. log may not be nil.
func NewAudio(folder string, bounds Bounds, log *slog.Logger) *Audio {
	return &Audio{folder: filepath.Clean(folder), bounds: bounds, log: log, held: make(map[string]int), size: -1}
}

// Put writes a body, if it is not there yet, and returns the file's path. extension
// is the one by which FreeSWITCH knows its format.
func (a *Audio) Put(body []byte, extension string) (string, error) {
	root, folder, err := a.open()
	if err != nil {
		return "", err
	}
	defer root.Close()
	sum := sha256.Sum256(body)
	name := hex.EncodeToString(sum[:16]) + "." + extension
	// The time of use is the file system's business, not the session's clock's.
	now := time.Now()
	if isOwn(root, name, int64(len(body))) && root.Chtimes(name, now, now) == nil {
		return filepath.Join(folder, name), nil
	}
	if err := a.makeRoom(root, folder, int64(len(body)), now); err != nil {
		return "", err
	}
	return filepath.Join(folder, name), write(root, name, body)
}

// Hold keeps a file while it is played; release, called once, gives it up. ok is false
// if it is not there any more. A path elsewhere is always there: it is not ours.
func (a *Audio) Hold(path string) (release func(), ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := filepath.Base(path)
	if folder := filepath.Dir(path); folder != a.folder && folder != a.private || !ownName.MatchString(name) {
		return func() {}, true
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	a.held[name]++
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.held[name]--; a.held[name] == 0 {
			delete(a.held, name)
		}
	}), true
}

// Removed is how many files have been removed for the bounds' sake.
func (a *Audio) Removed() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.removed
}

// Sweep removes what is older than it may be, and what processes have left that were
// killed.
func (a *Audio) Sweep() {
	a.removeLeft()
	if _, err := os.Lstat(a.current()); errors.Is(err, fs.ErrNotExist) {
		return
	}
	root, folder, err := a.open()
	if err != nil {
		return // who puts something there is told
	}
	defer root.Close()
	_ = a.sweep(root, folder, 0, time.Now()) // what is too much is told to who puts more there
}

// current is the directory that is used.
func (a *Audio) current() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.private != "" {
		return a.private
	}
	return a.folder
}

// Close removes the directory that was made for this process alone.
func (a *Audio) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.private == "" {
		return nil
	}
	folder := a.private
	a.private = ""
	return errors.Join(os.RemoveAll(folder), a.lock.Close())
}

// open opens the directory, which is made if it is missing. Where others have made it
// before, in the system's temporary directory, which they may, a private one takes its
// place: nobody can keep callers from hearing their prompts by making a directory.
func (a *Audio) open() (root *os.Root, folder string, err error) {
	a.making.Lock()
	defer a.making.Unlock()
	folder = a.current()
	root, err = makeOwn(folder)
	if err == nil || !errors.Is(err, ErrOthers) || filepath.Dir(folder) != filepath.Clean(os.TempDir()) {
		return root, folder, err
	}
	private, lock, failed := makePrivate(filepath.Base(a.folder))
	if failed != nil {
		return nil, "", errors.Join(err, failed)
	}
	a.log.Warn("dialog.spool is not used: another directory is made in its place, for this process alone", "reason", err, "directory", private)
	a.mu.Lock()
	a.private, a.lock, a.size = private, lock, -1
	a.mu.Unlock()
	root, err = openOwn(private)
	return root, private, err
}

// Write puts a file of this name into a directory of our own, which is made if it is
// missing. The error wraps ErrOthers where others could have filled the directory.
func Write(folder, name string, body []byte) error {
	root, err := makeOwn(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return write(root, name, body)
}

// makeRoom sees to it that so many bytes more are within the bounds.
func (a *Audio) makeRoom(root *os.Root, folder string, bytes int64, now time.Time) error {
	a.mu.Lock()
	due := a.size < 0 || now.Sub(a.sweptAt) > sweepEvery || a.bounds.Bytes > 0 && a.size+bytes > a.bounds.Bytes
	if !due {
		a.size += bytes
	}
	a.mu.Unlock()
	if !due {
		return nil
	}
	return a.sweep(root, folder, bytes, now)
}

// sweep makes room for so many bytes.
func (a *Audio) sweep(root *os.Root, folder string, bytes int64, now time.Time) error {
	a.making.Lock()
	defer a.making.Unlock()
	s := a.bounds.sweep(root, ownName, bytes, now, func(file fs.FileInfo) (bool, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.held[file.Name()] > 0 || now.Sub(file.ModTime()) < soon {
			return false, nil
		}
		return true, root.Remove(file.Name())
	})
	full := a.bounds.Bytes > 0 && s.left+bytes > a.bounds.Bytes
	a.mu.Lock()
	a.size, a.sweptAt, a.removed = s.left, now, a.removed+int64(s.removed)
	if !full {
		a.size += bytes
	}
	a.mu.Unlock()
	if s.removed > 0 {
		a.log.Info("fetched audio is removed from the spool", "directory", folder, "files", s.removed, "bytes", s.freed)
	}
	tellRemoval(a.log, &a.failing, "fetched audio", folder, s.err)
	if full {
		return errors.Join(fmt.Errorf("%s is full: %d bytes are in use of the %d that dialog.spool_bytes allows", folder, s.left, a.bounds.Bytes), s.err)
	}
	return nil
}

// isOwn tells whether a file is there as it was written: nobody else's, no link, whole.
func isOwn(root *os.Root, name string, size int64) bool {
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != size || info.Mode()&0o022 != 0 {
		return false
	}
	owner, _, known := ownerOf(info)
	return !known || isTrusted(owner)
}

// write makes a file appear all at once, in the place of whatever has its name.
func write(root *os.Root, name string, body []byte) error {
	temporary := ".new-" + rand.Text()
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	// FreeSWITCH runs as another user.
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

// ownName is how the spool names files: others in the directory are not its own.
var ownName = regexp.MustCompile(`^([0-9a-f]{32}\.[a-z0-9]{1,5}|\.new-[0-9A-Z]+)$`)
