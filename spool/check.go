package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrOthers means that somebody else has, or could have, put files into a directory.
var ErrOthers = errors.New("others may have put files there")

// checkOwn tells whether a directory is one that only this user, or root, can have
// filled: FreeSWITCH plays to callers whatever lies there. A symbolic link in its
// place is refused. The error wraps fs.ErrNotExist or ErrOthers; info is what was looked
// at.
func checkOwn(folder string) (info fs.FileInfo, err error) {
	if info, err = lookAt(folder); err != nil {
		return nil, err
	}
	owner, group, known := ownerOf(info)
	switch mode := info.Mode(); {
	case known && !isTrusted(owner):
		return nil, fmt.Errorf("%s belongs to the user %d: %w; have it made by ccxmld's user or root, or name another directory", folder, owner, ErrOthers)
	case mode&0o002 != 0:
		return nil, fmt.Errorf("%s can be written to by everybody: %w; chmod o-w, and remove what is there", folder, ErrOthers)
	case known && mode&0o020 != 0 && !isOurGroup(group):
		return nil, fmt.Errorf("%s can be written to by the group %d: %w; chmod g-w, and remove what is there", folder, group, ErrOthers)
	}
	return info, nil
}

// checkShared tells whether a directory that FreeSWITCH's user writes to is one that
// nobody else can take files away from, or has made where everybody may make some.
func checkShared(folder string) error {
	info, err := lookAt(folder)
	if err != nil {
		return err
	}
	parent, err := os.Stat(filepath.Dir(folder))
	if err != nil {
		return err
	}
	owner, _, known := ownerOf(info)
	switch {
	case known && !isTrusted(owner) && parent.Mode()&0o002 != 0:
		return fmt.Errorf("%s belongs to the user %d, in a directory where everybody may make one: %w; name another directory", folder, owner, ErrOthers)
	case info.Mode()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("in %s everybody may replace files: %w; chmod +t", folder, ErrOthers)
	}
	return nil
}

// lookAt gives what a path is, itself and not what it leads to: a directory whose
// place nobody else can give to another one.
func lookAt(folder string) (fs.FileInfo, error) {
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link: %w; name the directory itself", folder, ErrOthers)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is no directory", folder)
	}
	above, err := filepath.EvalSymlinks(filepath.Dir(folder))
	if err != nil {
		return nil, err
	}
	for {
		parent, err := os.Stat(above)
		if err != nil {
			return nil, err
		}
		if parent.Mode()&0o002 != 0 && parent.Mode()&fs.ModeSticky == 0 {
			return nil, fmt.Errorf("in %s everybody may replace directories: %w; chmod o-w or +t", above, ErrOthers)
		}
		if above == filepath.Dir(above) {
			return info, nil
		}
		above = filepath.Dir(above)
	}
}

// openOwn opens a directory after checkOwn, and sees to it that it is still the one
// that was looked at.
func openOwn(folder string) (*os.Root, error) {
	before, err := checkOwn(folder)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	if opened, err := root.Stat("."); err != nil || !os.SameFile(before, opened) {
		return nil, errors.Join(fmt.Errorf("%s is being replaced: %w", folder, ErrOthers), err, root.Close())
	}
	return root, nil
}

// makeOwn opens a directory, which it makes if it is missing.
func makeOwn(folder string) (*os.Root, error) {
	root, err := openOwn(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(folder, 0o755); err == nil {
			return openOwn(folder)
		}
	}
	return root, err
}
