package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"ccxmld/interpreter"
)

// traceHandler shows in the trace what VoiceXML pages log and which events they
// get, and what the daemon warns of. All goes on to the next handler.
type traceHandler struct {
	trace *tracer
	next  slog.Handler
	attrs []slog.Attr
}

var _ slog.Handler = (*traceHandler)(nil)

// Enabled implements slog.Handler: events of pages are logged as details.
func (h *traceHandler) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (h *traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &traceHandler{h.trace, h.next.WithAttrs(attrs), append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup implements slog.Handler.
func (h *traceHandler) WithGroup(name string) slog.Handler {
	return &traceHandler{h.trace, h.next.WithGroup(name), h.attrs}
}

// Handle implements slog.Handler.
func (h *traceHandler) Handle(ctx context.Context, r slog.Record) error {
	values := make(map[string]string)
	note := func(a slog.Attr) bool {
		values[a.Key] = a.Value.String()
		return true
	}
	for _, a := range h.attrs {
		note(a)
	}
	r.Attrs(note)
	page := values["page"] != ""
	switch {
	case page && r.Message == "log":
		h.trace.line(logColour, "page", "log", "%s", strings.TrimSpace(values["label"]+" "+values["text"]))
	case page && r.Message == "event":
		h.trace.line(eventColour, "page", "event", "%s", strings.TrimSpace(values["event"]+" "+values["message"]))
	case strings.HasPrefix(values["uri"], "http") && (r.Message == "fetched" || r.Message == "fetch failed"):
		h.trace.line(phoneColour, "http", values["method"], "%s → %s", values["uri"], outcomeOf(values))
	case r.Level >= slog.LevelWarn && !slices.Contains(toldByEvents, r.Message):
		for _, key := range []string{"error", "reason", "notice", "mistake"} {
			if values[key] != "" {
				h.trace.line(stateColour, "ccxmld", "warns", "%s: %s", r.Message, values[key])
				break
			}
		}
	}
	if h.next.Enabled(ctx, r.Level) {
		return h.next.Handle(ctx, r)
	}
	return nil
}

// outcomeOf says what came of an HTTP request.
func outcomeOf(values map[string]string) string {
	switch {
	case values["reason"] != "":
		return values["reason"]
	case values["from_cache"] == "true":
		return "from the cache"
	}
	return fmt.Sprintf("%s, %s bytes", values["status"], values["bytes"])
}

// toldByEvents are warnings that an event, or the end of the session, tells of too.
var toldByEvents = []string{"session ended", "dialog ended early", "dialog not started", "dialog not prepared"}

// returned writes the values that came with a dialog's event, "" for none.
func returned(e *interpreter.Event) string {
	for _, field := range e.Fields {
		if values, ok := field.Value.(map[string]any); ok && field.Name == "values" && len(values) > 0 {
			if text, err := json.Marshal(values); err == nil {
				return string(text)
			}
		}
	}
	return ""
}

// endingWords says with what a session has ended.
func endingWords(e interpreter.Ending) string {
	var words []string
	if e.Value != nil {
		words = append(words, fmt.Sprint(e.Value))
	}
	if len(e.Values) > 0 {
		text, err := json.Marshal(e.Values)
		if err == nil {
			words = append(words, string(text))
		}
	}
	return strings.Join(words, " ")
}

// soundOnDisk tells of a file that the simulated switch is to play whether it is
// there, and how long it is: by its bytes, if it is no WAVE file that says more.
func soundOnDisk(path string) (time.Duration, bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return 0, false
	}
	const headerSize, usual = 44, 16000 // a second of 8 kHz with 16 bits
	rate := int64(usual)
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(file, header); err == nil && string(header[:4]) == "RIFF" {
		if n := int64(binary.LittleEndian.Uint32(header[28:])); n > 0 {
			rate = n
		}
	}
	return time.Duration(float64(max(info.Size()-headerSize, 0)) / float64(rate) * float64(time.Second)), true
}
