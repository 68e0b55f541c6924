package esl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/esl"

	"github.com/percipia/eslgo/command"
)

// A node is a FreeSWITCH that a Link dials over pipes, in fake time. Each
// connection is served by serve, in a goroutine of its own; with serve nil,
// dialling fails.
type node struct {
	t     testing.TB
	serve func(p *peer)
	begin time.Time

	mu     sync.Mutex
	dialed []time.Duration // when, since begin
}

func newNode(t testing.TB, serve func(p *peer)) *node {
	return &node{t: t, serve: serve, begin: time.Now()}
}

func (n *node) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed = append(n.dialed, time.Since(n.begin))
	if n.serve == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused, says the test")}
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		n.serve(&peer{t: n.t, nc: there, r: newReader(there)})
	}()
	return here, nil
}

// greet plays FreeSWITCH up to the point where the link is up.
func greet(p *peer, commands ...string) {
	p.write("Content-Type: auth/request\n\n")
	p.expect("auth ClueCon")
	p.reply("+OK accepted")
	for _, command := range commands {
		p.expect(command)
	}
	for range commands {
		p.reply("+OK")
	}
}

const subscription = "event plain BACKGROUND_JOB"

// hold keeps a connection open until the other side closes it.
func hold(p *peer) { p.read() }

// A link that has ended says why at once, also while its reader is busy and has not
// noted it: who asks Err has no need to ask Up.
func TestLinkThatHasJustEndedSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(p *peer) { greet(p, subscription); hold(p) })
		ctx, cancel := context.WithCancel(t.Context())
		var link *esl.Link
		link = esl.NewLink(esl.LinkOptions{Name: "one", Password: "ClueCon", Dial: n.dial, OnUp: func() {
			if !link.Up() || link.Err() != nil {
				t.Errorf("the link is up, and says %v", link.Err())
			}
			cancel()
			synctest.Wait()
			if link.Up() || !errors.Is(link.Err(), esl.ErrClosed) {
				t.Errorf("the link has ended, and says %v", link.Err())
			}
		}})
		if err := link.RunOnce(ctx); err != nil {
			t.Error(err)
		}
	})
}

// startLink runs a link until the test ends.
func startLink(t *testing.T, o esl.LinkOptions) *esl.Link {
	t.Helper()
	o.Password = "ClueCon"
	l := esl.NewLink(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return l
}

func TestLinkSubscribesEachTimeItComesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lose := make(chan struct{})
		n := newNode(t, func(p *peer) {
			greet(p, "event plain BACKGROUND_JOB CHANNEL_ANSWER CUSTOM conference::maintenance",
				"filter Unique-ID u", "filter Event-Name BACKGROUND_JOB")
			p.write(eventText("Event-Name: CHANNEL_ANSWER\n\n"))
			<-lose
		})
		var story []string
		l := startLink(t, esl.LinkOptions{
			Dial:    n.dial,
			Events:  []string{"CHANNEL_ANSWER", "CUSTOM conference::maintenance"},
			Filters: [][2]string{{"Unique-ID", "u"}},
			OnUp:    func() { story = append(story, "up") },
			OnDown:  func(err error) { story = append(story, "down "+err.Error()) },
			OnEvent: func(e *esl.Event) { story = append(story, e.Name()) },
		})
		synctest.Wait()
		if !l.Up() || l.Err() != nil {
			t.Fatalf("link is not up: %v", l.Err())
		}
		lose <- struct{}{}
		synctest.Wait()
		if l.Up() || l.Err() == nil {
			t.Error("link is up after it was lost")
		}
		time.Sleep(time.Second) // fake time: the backoff
		synctest.Wait()
		if !l.Up() {
			t.Errorf("link did not come again: %v", l.Err())
		}
		if got, want := strings.Join(story, ", "), "up, CHANNEL_ANSWER, down EOF, up, CHANNEL_ANSWER"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		close(lose)
	})
}

func TestLinkBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, nil)
		var log syncBuffer
		startLink(t, esl.LinkOptions{
			Dial:    n.dial,
			Backoff: esl.Backoff{Min: time.Second, Max: 8 * time.Second},
			Logger:  slog.New(slog.NewTextHandler(&log, nil)),
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		for i := 1; i < len(n.dialed); i++ {
			most := min(time.Second<<(i-1), 8*time.Second)
			wait := n.dialed[i] - n.dialed[i-1]
			if wait < most/2 || wait > most {
				t.Errorf("wait %d is %v, want %v to %v", i, wait, most/2, most)
			}
		}
		if len(n.dialed) < 8 {
			t.Errorf("dialled %d times in a minute", len(n.dialed))
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 {
			t.Errorf("the same failure was logged %d times:\n%s", lines, log.String())
		}
	})
}

func TestLinkNamesWhatIsWrong(t *testing.T) {
	tests := []struct {
		name   string
		serve  func(p *peer)
		want   error
		slow   bool // tries again only after Backoff.Refused
		logged string
	}{
		{"wrong password", func(p *peer) {
			p.write("Content-Type: auth/request\n\n")
			p.expect("auth ClueCon")
			p.reply("-ERR invalid")
			hold(p)
		}, esl.ErrWrongPassword, true, "wrong password"},
		{"access list", func(p *peer) {
			p.write("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")
			hold(p)
		}, esl.ErrRejected, true, "access list"},
		{"another protocol", func(p *peer) {
			p.write("HTTP/1.1 400 Bad Request\r\n\r\n")
			hold(p)
		}, esl.ErrNotFreeSWITCH, false, "no Event Socket"},
		{"silence", hold, esl.ErrNotFreeSWITCH, false, "handshake not finished"},
		{"subscription refused", func(p *peer) {
			p.write("Content-Type: auth/request\n\n")
			p.expect("auth ClueCon")
			p.reply("+OK accepted")
			p.expect(subscription)
			p.reply("-ERR permission denied")
			hold(p)
		}, nil, false, "permission denied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, test.serve)
				var log syncBuffer
				l := startLink(t, esl.LinkOptions{
					Dial:      n.dial,
					Logger:    slog.New(slog.NewTextHandler(&log, nil)),
					Handshake: time.Second,
					Backoff:   esl.Backoff{Min: time.Second, Max: time.Second, Refused: time.Hour},
					OnUp:      func() { t.Error("link came up") },
					OnDown:    func(error) { t.Error("a link that was not up went down") },
				})
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if err := l.Err(); test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("reason %v, want %v", err, test.want)
				}
				n.mu.Lock()
				tries := len(n.dialed)
				n.mu.Unlock()
				if (tries == 1) != test.slow {
					t.Errorf("dialled %d times", tries)
				}
				text, lines := log.String(), 4 // at once, and after a minute, three and seven
				if test.slow {
					lines = 1
				}
				if strings.Count(text, "\n") != lines || strings.Count(text, "times=") != lines-1 || !strings.Contains(text, test.logged) {
					t.Errorf("logged %s", text)
				}
				if strings.Contains(log.String(), "ClueCon") {
					t.Error("the password is in the log")
				}
			})
		})
	}
}

func TestLinkThatAnswersNoPingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(p *peer) {
			greet(p, subscription)
			for range 3 {
				p.expect("api uptime")
				p.reply("+OK")
			}
			hold(p) // the fourth is read, not answered
			p.read()
		})
		downAt := make(chan time.Duration, 1)
		begin := time.Now()
		startLink(t, esl.LinkOptions{
			Dial:    n.dial,
			Ping:    10 * time.Second,
			OnDown:  func(error) { downAt <- time.Since(begin) },
			Backoff: esl.Backoff{Min: time.Hour},
		})
		if got, want := <-downAt, 50*time.Second; got != want {
			t.Errorf("given up after %v, want %v", got, want)
		}
	})
}

func TestCommandsOfALinkThatIsDown(t *testing.T) {
	l := esl.NewLink(esl.LinkOptions{})
	if _, err := l.Do(t.Context(), esl.API("status")); err != esl.ErrLinkDown {
		t.Errorf("Do: %v", err)
	}
	told := 0
	l.Send(esl.API("status"), nil)
	l.Job(esl.API("status"), nil)
	l.Job(esl.API("status"), func(result string, err error) {
		told++
		if err != esl.ErrLinkDown {
			t.Errorf("Job: %v", err)
		}
	})
	if told != 1 {
		t.Errorf("job told %d times", told)
	}
}

func TestJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{})
		n := newNode(t, func(p *peer) {
			greet(p, subscription)
			p.expect("bgapi originate {origination_uuid=leg-1}user/1 &park()\nJob-UUID: job-1")
			p.expect("bgapi nosuch \nJob-UUID: job-2")
			p.expect("bgapi status \nJob-UUID: job-3")
			<-asked
			p.reply("+OK Job-UUID: job-1\nJob-UUID: job-1")
			p.reply("-ERR permission denied")
			p.reply("+OK Job-UUID: job-3")
			p.write(eventText("Event-Name: BACKGROUND_JOB\nJob-UUID: of-another\nContent-Length: 4\n\n+OK\n"))
			p.write(eventText("Event-Name: BACKGROUND_JOB\nJob-UUID: job-1\nContent-Length: 16\n\n-ERR USER_BUSY \n"))
		})
		var told []string
		tell := func(name string) func(string, error) {
			return func(result string, err error) { told = append(told, fmt.Sprintf("%s %q %v", name, result, err)) }
		}
		l := startLink(t, esl.LinkOptions{
			Dial:    n.dial,
			OnEvent: func(e *esl.Event) { told = append(told, "event "+e.Get("Job-UUID")) },
			Backoff: esl.Backoff{Min: time.Hour},
		})
		synctest.Wait()
		originate := esl.Originate{UUID: "leg-1", JobUUID: "job-1", Dial: "user/1", Extension: "&park()"}.Command()
		if id := l.Job(originate, tell("originate")); id != "job-1" {
			t.Errorf("job id %s", id)
		}
		l.Job(named("job-2", "nosuch"), tell("refused"))
		l.Job(named("job-3", "status"), tell("lost"))
		l.Job(esl.Hangup("NORMAL_CLEARING"), tell("hangup"))
		l.Job(esl.API("status", "a\nb"), tell("invalid"))
		l.Job(named("job-3", "status"), tell("again"))
		close(asked)
		synctest.Wait()
		want := []string{
			`hangup "" esl: job "sendmsg \r\nCall-Command: hangup\r\nHangup-Cause: NORMAL_CLEARING": is no API command`,
			`invalid "" esl: argument of status "a\nb": holds a line end or NUL`,
			`again "" esl: job UUID "job-3": is in use`,
			`refused "" esl: FreeSWITCH answered -ERR permission denied`,
			`event of-another`,
			`originate "-ERR USER_BUSY" <nil>`,
			`lost "" esl: link is down: EOF`,
		}
		// eslgo writes the headers of a sendmsg in random order.
		for i := range told {
			told[i] = strings.Replace(told[i], `Hangup-Cause: NORMAL_CLEARING\r\nCall-Command: hangup`, `Call-Command: hangup\r\nHangup-Cause: NORMAL_CLEARING`, 1)
		}
		if got := strings.Join(told, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

// named is an API command with a Job-UUID of its own.
func named(job, name string) command.Command {
	return esl.WithJobUUID(esl.API(name), job)
}

func TestPanicOfALinkCallbackIsNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(p *peer) {
			greet(p, subscription)
			hold(p)
		})
		ups := 0
		startLink(t, esl.LinkOptions{
			Dial: n.dial,
			OnUp: func() {
				if ups++; ups == 1 {
					panic("up")
				}
			},
			OnDown: func(error) { panic("down") },
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if ups != 2 {
			t.Errorf("came up %d times", ups)
		}
	})
}

// A syncBuffer is a log's end.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Whatever keeps a link from coming up, there is something to look at.
func TestRemedy(t *testing.T) {
	t.Parallel()
	for _, reason := range []error{
		esl.ErrWrongPassword, esl.ErrRejected, esl.ErrNotFreeSWITCH, io.EOF,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH},
		&net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "fs1", IsNotFound: true}},
		&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
	} {
		if esl.Remedy(fmt.Errorf("link: %w", reason)) == "" {
			t.Errorf("nothing is said about %v", reason)
		}
	}
}
