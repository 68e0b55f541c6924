package logs_test

import (
	"bytes"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/logs"
)

// disk is a file on a disk that has room for some bytes.
type disk struct {
	mu   sync.Mutex
	text bytes.Buffer
	room int
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(p), d.room)
	d.room -= n
	d.text.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (d *disk) give(room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room += room
}

var lostLines = regexp.MustCompile(`level=WARN msg="log lines were lost.*" lines=(\d+)\n`)

// saidLost is what a log says of lines that were lost: how often, and how many.
func saidLost(text string) (times, lines int) {
	for _, found := range lostLines.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(found[1])
		times, lines = times+1, lines+n
	}
	return times, lines
}

// TestFullDisk: what a full disk does not take is lost and counted; once there is room
// again the log goes on with a line of its own, and says once how much was lost, also where
// there is room for the lines but not for saying so.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &disk{}
		l := logs.New(logs.Options{Out: out})
		line := func() {
			l.Logger().Info("line") // 59 bytes
			synctest.Wait()
		}
		out.give(70) // one line, and the beginning of the next
		for range 10 {
			line()
		}
		if l.Lost() != 9 {
			t.Errorf("%d lines are lost, 9 were not taken whole", l.Lost())
		}
		out.give(70) // a line, the end of the one that was cut off, and the beginning of what is said
		line()
		out.give(1 << 20)
		line()
		line()
		l.Close(time.Minute)
		text := out.text.String()
		if times, lines := saidLost(text); times != 1 || lines != 9 || l.Lost() != 9 {
			t.Errorf("it is said %d times that %d lines were lost, %d are counted:\n%s", times, lines, l.Lost(), text)
		}
		whole := regexp.MustCompile(`(?m)^time=[^ =]+ level=INFO msg=line$`)
		if n := len(whole.FindAllString(text, -1)); n != 4 {
			t.Errorf("%d lines are whole, 4 had room:\n%s", n, text)
		}
	})
}

// slowReader takes what is written at its own speed.
type slowReader struct {
	text  bytes.Buffer
	every time.Duration
}

func (r *slowReader) Write(p []byte) (int, error) {
	time.Sleep(r.every)
	return r.text.Write(p)
}

// TestSlowReader: a reader who is too slow for an hour is told now and then that lines are
// lost, and in the end how many; those told together are all that were.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &slowReader{every: time.Second}
		l := logs.New(logs.Options{Out: out, Queue: 1 << 10})
		for range 3600 * 50 {
			l.Logger().Info("line")
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		l.Logger().Info("the last")
		l.Close(time.Minute)
		times, lines := saidLost(out.text.String())
		if times < 30 || times > 61 {
			t.Errorf("it was said %d times in an hour that lines are lost", times)
		}
		if int64(lines) != l.Lost() || lines == 0 {
			t.Errorf("%d lines are said to be lost, %d were", lines, l.Lost())
		}
	})
}
