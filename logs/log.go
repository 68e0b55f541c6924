package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Options say what is logged and how. All but Out may be left out.
type Options struct {
	Out   io.Writer
	Level slog.Level
	JSON  bool // a JSON object a line, else key=value
	// PerSecond is how many lines each session, each remote address, and each
	// message that is of neither, may log in a second; ten seconds' worth at once. 0
	// means any number.
	PerSecond int
	// Queue is how many bytes may wait for Out; 0 means 8 MiB.
	Queue int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const defaultQueue = 8 << 20

// Log is a log on its way to a writer. It is safe for concurrent use.
type Log struct {
	queue  *queue
	rates  *rates
	level  *slog.LevelVar
	logger *slog.Logger
}

// New makes a Log. Close ends it.
func New(o Options) *Log {
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Log{rates: newRates(o.PerSecond, o.Now), level: new(slog.LevelVar)}
	l.level.Set(o.Level)
	l.queue = newQueue(o.Out, o.Queue, o.Now, func(out io.Writer, lost int64) error {
		note := slog.NewRecord(o.Now(), slog.LevelWarn, "log lines were lost: they could not be written, or not as fast as they came", 0)
		note.Add("lines", lost)
		return l.format(o, out).Handle(context.Background(), note)
	})
	l.rates.plain = l.format(o, l.queue)
	l.logger = slog.New(&limited{Handler: l.format(o, l.queue), rates: l.rates})
	return l
}

// Logger writes into the Log.
func (l *Log) Logger() *slog.Logger { return l.logger }

// SetLevel changes what is logged, also by loggers that there are.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// Lost is how many lines the writer did not take, and LeftOut how many were more
// than may be logged in a second.
func (l *Log) Lost() int64 { return l.queue.lost() }

// LeftOut is described with Lost.
func (l *Log) LeftOut() int64 { return l.rates.leftOut() }

// Close writes what waits, for as long as patience at most. What is logged
// afterwards is lost.
func (l *Log) Close(patience time.Duration) { l.queue.close(patience) }

func (l *Log) format(o Options, out io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: l.level, ReplaceAttr: cut}
	if o.JSON {
		return slog.NewJSONHandler(out, options)
	}
	return slog.NewTextHandler(out, options)
}

// Lengths of values, in bytes. Only our own code logs a stack.
const (
	longest      = 2 << 10
	longestStack = 16 << 10
)

// cut shortens what a document or somebody else may have made long.
func cut(_ []string, a slog.Attr) slog.Attr {
	most := longest
	if a.Key == "stack" {
		most = longestStack
	}
	switch a.Value.Kind() {
	case slog.KindString:
		if text := a.Value.String(); len(text) > most {
			a.Value = slog.StringValue(shorten(text, most))
		}
	case slog.KindAny:
		if _, ok := a.Value.Any().(*slog.Source); ok {
			break
		}
		if text := fmt.Sprint(a.Value.Any()); len(text) > most {
			a.Value = slog.StringValue(shorten(text, most))
		}
	}
	return a
}

func shorten(text string, most int) string {
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
