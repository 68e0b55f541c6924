package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

const (
	// lockName is the file in a private directory that its process keeps locked. The
	// system gives the lock up with the process, however that ends.
	lockName = ".lock"
	// making is how old a private directory must be to be looked at: one that is new may
	// not have its lock yet.
	making = time.Minute
)

// makePrivate makes a directory in the system's temporary one that is this process's
// alone, and that FreeSWITCH, which runs as another user, can read.
func makePrivate(name string) (folder string, lock *os.File, err error) {
	if folder, err = os.MkdirTemp(os.TempDir(), name+"-"); err != nil {
		return "", nil, err
	}
	if err = os.Chmod(folder, 0o755); err == nil {
		lock, err = os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err == nil && !tryLock(lock) {
		err = errors.Join(errors.New(folder+" cannot be locked"), lock.Close())
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	return folder, lock, nil
}

// removeLeft removes the private directories that processes of ours have left which
// did not come to remove them. Those of processes that run stay, those of other users,
// and what a link leads to.
func (a *Audio) removeLeft() {
	if filepath.Dir(a.folder) != filepath.Clean(os.TempDir()) {
		return // none are made
	}
	temporary, err := os.OpenRoot(os.TempDir())
	if err != nil {
		return // what is to be put there finds that out
	}
	defer temporary.Close()
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(filepath.Base(a.folder)) + "-[0-9]+$")
	entries, _ := fs.ReadDir(temporary.FS(), ".") // what could be read counts
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) || !isLeft(temporary, entry.Name(), time.Now()) {
			continue
		}
		if err := temporary.RemoveAll(entry.Name()); err != nil {
			a.log.Warn("a directory of fetched audio that a process has left cannot be removed", "directory", filepath.Join(os.TempDir(), entry.Name()), "error", err)
			continue
		}
		a.log.Info("a directory of fetched audio is removed, which a process has left that was killed", "directory", filepath.Join(os.TempDir(), entry.Name()))
	}
}

// isLeft tells whether a directory is our user's and no process has it.
func isLeft(temporary *os.Root, name string, now time.Time) bool {
	info, err := temporary.Lstat(name)
	if err != nil || !info.IsDir() || now.Sub(info.ModTime()) < making || !isOurs(info) {
		return false
	}
	lock, err := temporary.OpenFile(filepath.Join(name, lockName), os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) // it was killed before it had one
	}
	defer lock.Close()
	return tryLock(lock)
}
