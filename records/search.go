package records

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Wanted says which records are looked for; what is empty does not matter.
type Wanted struct {
	Record  string    `json:"record,omitempty"`  // call or session
	Session string    `json:"session,omitempty"` // its own, and those of its calls
	Number  string    `json:"number,omitempty"`  // a part of either party's address
	From    time.Time `json:"from,omitzero"`     // they ended then or later
	To      time.Time `json:"to,omitzero"`       // they ended before
	Limit   int       `json:"limit"`
}

// Search gives the youngest records that are wanted, the youngest first. It reads files until it
// has enough of them, or ctx ends, which is an error.
func (j *Journal) Search(ctx context.Context, w Wanted) (found []json.RawMessage, err error) {
	if j == nil {
		return nil, nil
	}
	names, err := j.files()
	if err != nil {
		return nil, err
	}
	var younger time.Time // when the file after this one was begun
	for _, name := range slices.Backward(names) {
		if !younger.IsZero() && younger.Before(w.From) {
			break // all in this file ended before the next one was begun
		}
		younger = begunAt(name)
		some, err := searchFile(ctx, filepath.Join(j.options.Directory, name), w)
		if err != nil {
			return nil, err
		}
		slices.Reverse(some)
		found = append(found, some...)
		if len(found) >= w.Limit {
			return found[:w.Limit], nil
		}
	}
	return found, nil
}

// begunAt is when a file was begun, by its name.
func begunAt(name string) time.Time {
	at, _ := time.Parse(fileStamp, strings.TrimSuffix(strings.TrimPrefix(name, fileStem), fileEnd))
	return at
}

// searchFile gives the last records of a file that are wanted, the oldest first.
func searchFile(ctx context.Context, name string, w Wanted) (found []json.RawMessage, err error) {
	for from := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lines, end, err := readLines(name, from)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			return found, nil
		}
		for _, text := range lines {
			if w.has(text) {
				found = append(found, json.RawMessage(text))
			}
		}
		if extra := len(found) - w.Limit; extra > 0 {
			found = slices.Delete(found, 0, extra)
		}
		from = end
	}
}

// has tells whether a line is wanted.
func (w Wanted) has(text []byte) bool {
	if !bytes.Contains(text, []byte(w.Session)) || !bytes.Contains(text, []byte(w.Number)) {
		return false // most lines need not be read for that
	}
	var r struct {
		Record, ID, Session, Local, Remote string
		Ended                              time.Time
	}
	if json.Unmarshal(text, &r) != nil {
		return false
	}
	return (w.Record == "" || r.Record == w.Record) && (w.Session == "" || r.ID == w.Session || r.Session == w.Session) &&
		(w.Number == "" || strings.Contains(r.Local, w.Number) || strings.Contains(r.Remote, w.Number)) &&
		(w.From.IsZero() || !r.Ended.Before(w.From)) && (w.To.IsZero() || r.Ended.Before(w.To))
}
