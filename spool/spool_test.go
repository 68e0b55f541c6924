package spool_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ccxmld/spool"
)

// discard and log are logs for nobody and for the test.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func log(to *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

// another is the user of this id beside us, who is root in most of CI.
const another = 65534

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// old makes a file appear to be used last so long ago.
func old(t *testing.T, file string, age time.Duration) {
	t.Helper()
	then := time.Now().Add(-age)
	must(t, os.Chtimes(file, then, then))
}

// in makes a directory, with a mode that the umask does not change.
func in(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "spool")
	must(t, os.Mkdir(folder, 0o755))
	must(t, os.Chmod(folder, mode))
	return folder
}

// TestOthersDirectory: what others could have put into the spool is not played, and
// nothing is written there.
func TestOthersDirectory(t *testing.T) {
	linked := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(in(t, 0o755), linked))
	loose := filepath.Join(in(t, 0o777), "below")
	must(t, os.Mkdir(loose, 0o755))
	cases := map[string]string{
		"written by all":        in(t, 0o777),
		"with the sticky bit":   in(t, 0o777|fs.ModeSticky),
		"a link":                linked,
		"replaceable by others": loose,
	}
	if os.Geteuid() == 0 {
		theirs := in(t, 0o755)
		must(t, os.Chown(theirs, another, another))
		cases["theirs"] = theirs
		group := in(t, 0o775)
		must(t, os.Chown(group, 0, another))
		cases["written by a group"] = group
	}
	for name, folder := range cases {
		t.Run(name, func(t *testing.T) {
			path, err := spool.NewAudio(folder, spool.Bounds{}, discard()).Put([]byte("sound"), "wav")
			if !errors.Is(err, spool.ErrOthers) || path != "" {
				t.Errorf("Put: %q, %v", path, err)
			}
			if err := spool.Write(folder, "a.wav", []byte("sound")); !errors.Is(err, spool.ErrOthers) {
				t.Errorf("Write: %v", err)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
				t.Errorf("%v, %v", files, err)
			}
		})
	}
	path, err := spool.NewAudio(in(t, 0o755), spool.Bounds{}, discard()).Put([]byte("sound"), "wav")
	if err != nil || filepath.Ext(path) != ".wav" {
		t.Errorf("our own: %q, %v", path, err)
	}
}

// TestOthersFileInSpool: what stands under the name of a sound, a link or another's
// content, is replaced and not played; what a link leads to stays as it was.
func TestOthersFileInSpool(t *testing.T) {
	folder := in(t, 0o755)
	audio := spool.NewAudio(folder, spool.Bounds{}, discard())
	path, err := audio.Put([]byte("sound"), "wav")
	must(t, err)
	victim := filepath.Join(t.TempDir(), "victim")
	for name, place := range map[string]func(){
		"a link":           func() { must(t, os.Symlink(victim, path)) },
		"another length":   func() { must(t, os.WriteFile(path, []byte("swears!"), 0o644)) },
		"writable by all":  func() { must(t, os.WriteFile(path, []byte("SOUND"), 0o666)); must(t, os.Chmod(path, 0o666)) },
		"nothing any more": func() {},
	} {
		must(t, os.WriteFile(victim, []byte("sound"), 0o644))
		must(t, os.Remove(path))
		place()
		again, err := audio.Put([]byte("sound"), "wav")
		if err != nil || again != path {
			t.Fatalf("%s: %q, %v", name, again, err)
		}
		info, err := os.Lstat(path)
		body, _ := os.ReadFile(path)
		if err != nil || !info.Mode().IsRegular() || string(body) != "sound" || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v %q, %v", name, info.Mode(), body, err)
		}
		if body, _ := os.ReadFile(victim); string(body) != "sound" {
			t.Errorf("%s: the link was followed: %q", name, body)
		}
	}
}

// TestPrivateDirectory: a directory that others made before in the system's temporary
// directory keeps no caller from hearing his prompts: one of this process's own takes
// its place, and is gone with it.
func TestPrivateDirectory(t *testing.T) {
	temporary := in(t, 0o777|fs.ModeSticky)
	t.Setenv("TMPDIR", temporary)
	folder := filepath.Join(temporary, "ccxmld-spool")
	must(t, os.Mkdir(folder, 0o755))
	must(t, os.Chmod(folder, 0o777))
	var said bytes.Buffer
	audio := spool.NewAudio(folder, spool.Bounds{}, log(&said))
	for range 2 {
		path, err := audio.Put([]byte("sound"), "wav")
		if err != nil || !strings.HasPrefix(path, folder+"-") {
			t.Fatalf("%q, %v", path, err)
		}
		if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("FreeSWITCH cannot read there: %v, %v", info.Mode(), err)
		}
	}
	if n := strings.Count(said.String(), "another directory is made in its place"); n != 1 {
		t.Errorf("said %d times: %s", n, &said)
	}
	must(t, audio.Close())
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestLeftDirectories: what a process has left that was killed is removed by the next one;
// the directories of those that run, of other users, and what links lead to stay.
func TestLeftDirectories(t *testing.T) {
	temporary := in(t, 0o777|fs.ModeSticky)
	t.Setenv("TMPDIR", temporary)
	folder := filepath.Join(temporary, "ccxmld-spool")
	must(t, os.Mkdir(folder, 0o777))
	must(t, os.Chmod(folder, 0o777))
	runs := spool.NewAudio(folder, spool.Bounds{}, discard())
	path, err := runs.Put([]byte("sound"), "wav")
	must(t, err)
	used := filepath.Dir(path)
	elsewhere := in(t, 0o755)
	make := func(name string, age time.Duration) string {
		left := filepath.Join(temporary, name)
		must(t, os.Mkdir(left, 0o755))
		must(t, os.WriteFile(filepath.Join(left, "sound.wav"), []byte("sound"), 0o644))
		must(t, os.WriteFile(filepath.Join(left, ".lock"), nil, 0o600))
		must(t, os.Symlink(elsewhere, filepath.Join(left, "link")))
		old(t, left, age)
		return left
	}
	must(t, os.WriteFile(filepath.Join(elsewhere, "precious"), nil, 0o644))
	old(t, used, time.Hour)
	left := make("ccxmld-spool-1234567", 2*time.Minute)
	unlocked := make("ccxmld-spool-7654321", 2*time.Minute)
	must(t, os.Remove(filepath.Join(unlocked, ".lock")))
	old(t, unlocked, 2*time.Minute)
	cases := map[string]bool{
		left: false, unlocked: false, used: true, folder: true, filepath.Join(elsewhere, "precious"): true,
		make("ccxmld-spool-11", 10*time.Second): true, make("ccxmld-spool-mine", time.Hour): true, make("my-ccxmld-spool-12", time.Hour): true,
	}
	linked := filepath.Join(temporary, "ccxmld-spool-13")
	must(t, os.Symlink(elsewhere, linked))
	cases[linked] = true
	if os.Geteuid() == 0 {
		theirs := make("ccxmld-spool-14", time.Hour)
		must(t, os.Chown(theirs, another, another))
		cases[theirs] = true
	}
	var said bytes.Buffer
	spool.NewAudio(folder, spool.Bounds{}, log(&said)).Sweep()
	for path, want := range cases {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s is there: %v", path, !want)
		}
	}
	if n := strings.Count(said.String(), "which a process has left"); n != 2 {
		t.Errorf("said %d times: %s", n, &said)
	}
	must(t, runs.Close())
	if _, err := os.Lstat(used); err == nil {
		t.Error("it is left at the end")
	}
}

// TestSpoolBounds: the oldest sounds go where there are too many bytes, those too old
// at all go too, and never what plays, is new, or is not the spool's.
func TestSpoolBounds(t *testing.T) {
	folder := in(t, 0o755)
	var said bytes.Buffer
	audio := spool.NewAudio(folder, spool.Bounds{Bytes: 300, Age: time.Hour}, log(&said))
	put := func(name string) string {
		t.Helper()
		path, err := audio.Put(bytes.Repeat([]byte(name), 100), "wav")
		must(t, err)
		return path
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	foreign := filepath.Join(folder, "welcome.wav")
	must(t, os.WriteFile(foreign, make([]byte, 10_000), 0o644))
	old(t, foreign, 48*time.Hour)
	a, b, c := put("a"), put("b"), put("c")
	old(t, a, 30*time.Minute)
	old(t, b, 20*time.Minute)
	old(t, c, 10*time.Minute)
	release, ok := audio.Hold(a)
	if !ok {
		t.Fatal("a is gone already")
	}
	d := put("d")
	if !there(a) || there(b) || !there(c) || !there(d) || !there(foreign) {
		t.Errorf("a plays: a %v, b %v, c %v, d %v, another's %v", there(a), there(b), there(c), there(d), there(foreign))
	}
	if _, ok := audio.Hold(b); ok {
		t.Error("b can be held, and is gone")
	}
	if _, ok := audio.Hold(filepath.Join(t.TempDir(), "elsewhere.wav")); !ok {
		t.Error("a file elsewhere is held back")
	}
	put("c") // used again, and so the newest
	if _, err := audio.Put(bytes.Repeat([]byte("e"), 100), "wav"); err == nil || !strings.Contains(err.Error(), "dialog.spool_bytes") {
		t.Errorf("all is in use, and there was room: %v", err)
	}
	release()
	put("e")
	if there(a) || !there(c) {
		t.Errorf("a has played: a %v, c %v", there(a), there(c))
	}
	old(t, c, 2*time.Hour)
	audio.Sweep()
	if there(c) || !there(d) || !there(foreign) {
		t.Errorf("c is too old: c %v, d %v, another's %v", there(c), there(d), there(foreign))
	}
	if n := audio.Removed(); n != 3 || !strings.Contains(said.String(), "removed from the spool") {
		t.Errorf("%d counted: %s", n, &said)
	}
}

// TestRecordingBounds: recordings go by age and size, the oldest first; none that may
// still be written, nor anything that ccxmld did not name.
func TestRecordingBounds(t *testing.T) {
	folder := in(t, 0o777|fs.ModeSticky)
	var said bytes.Buffer
	recordings := spool.NewRecordings(folder, spool.Bounds{Bytes: 250, Age: 24 * time.Hour}, log(&said))
	file := func(name string, age time.Duration) string {
		path := filepath.Join(folder, name)
		must(t, os.WriteFile(path, make([]byte, 100), 0o644))
		old(t, path, age)
		return path
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	const call = "6f1c0d5e-8a00-4000-8000-00000000000"
	ancient, foreign := file("recording-1.wav", 25*time.Hour), file("board-meeting.wav", 999*time.Hour)
	a, b := file(call+"1-vip-12345678.wav", 4*time.Hour), file(call+"2-12345678.wav", 3*time.Hour)
	c, running := file("ccxmld-room-x1.wav", 2*time.Hour), file("recording-2.wav", 59*time.Minute)
	recordings.Sweep()
	for path, want := range map[string]bool{ancient: false, a: false, b: false, c: true, running: true, foreign: true} {
		if there(path) != want {
			t.Errorf("%s is there: %v", path, !want)
		}
	}
	if n := recordings.Removed(); n != 3 || !strings.Contains(said.String(), "recordings are removed") {
		t.Errorf("%d counted: %s", n, &said)
	}
	must(t, recordings.Check())
	more := file("recording-3.wav", 0)
	file("recording-4.wav", 0)
	recordings.Sweep()
	recordings.Sweep()
	if err := recordings.Check(); err == nil || !strings.Contains(err.Error(), "dialog.recordings_bytes") || strings.Count(said.String(), "level=ERROR") != 1 {
		t.Errorf("%v; %s", err, &said)
	}
	must(t, os.Remove(more))
	recordings.Sweep()
	must(t, recordings.Check())
}

// TestOthersRecording: a link in the place of a recording uploads nobody's files, and
// a directory in which anybody may replace recordings takes none.
func TestOthersRecording(t *testing.T) {
	folder := in(t, 0o777|fs.ModeSticky)
	recordings := spool.NewRecordings(folder, spool.Bounds{}, discard())
	secret, path := filepath.Join(t.TempDir(), "secret"), filepath.Join(folder, "recording-1.wav")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	must(t, os.WriteFile(path, []byte("sound"), 0o644))
	if body, err := recordings.Read(path); err != nil || string(body) != "sound" || recordings.Size(path) != 5 {
		t.Errorf("%q, %v", body, err)
	}
	must(t, os.Remove(path))
	must(t, os.Symlink(secret, path))
	if body, err := recordings.Read(path); err == nil || recordings.Size(path) != 0 {
		t.Errorf("read by a link: %q", body)
	}
	if body, err := recordings.Read(secret); err == nil {
		t.Errorf("read elsewhere: %q", body)
	}
	must(t, os.Chmod(folder, 0o777))
	if err := recordings.Check(); !errors.Is(err, spool.ErrOthers) {
		t.Errorf("replaceable: %v", err)
	}
	if err := recordings.Make(); !errors.Is(err, spool.ErrOthers) {
		t.Errorf("made: %v", err)
	}
	must(t, os.RemoveAll(folder))
	must(t, recordings.Check()) // on another machine, it may be
	must(t, recordings.Make())
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o777 || info.Mode()&fs.ModeSticky == 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if os.Geteuid() == 0 {
		open := filepath.Join(in(t, 0o777|fs.ModeSticky), "recordings")
		must(t, os.Mkdir(open, 0o755))
		must(t, os.Chown(open, another, another))
		if err := spool.NewRecordings(open, spool.Bounds{}, discard()).Check(); !errors.Is(err, spool.ErrOthers) {
			t.Errorf("made before by another: %v", err)
		}
	}
}
