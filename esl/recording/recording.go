// Package recording reads the Event Socket conversations under
// esl/testdata/traces, which were recorded from a real FreeSWITCH. Tests replay
// them and compare the simulated switch with them.
//
// A recording is a list of blocks. Each has a direction, the seconds since the
// connection opened, and the text as it was on the wire, less its trailing
// newlines.
package recording

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Direction tells who sent a block.
type Direction byte

// The directions of a block, as they stand in the files.
const (
	Sent     Direction = '>' // to FreeSWITCH
	Received Direction = '<' // from FreeSWITCH
	Remark   Direction = '#' // written by whoever recorded
	Closed   Direction = '!' // the connection ended
)

// Block is one message of a conversation.
type Block struct {
	Direction Direction
	At        time.Duration // since the connection opened
	Text      string        // without trailing newlines
	Line      int           // in the file, of the block's first line
}

// Load reads a recording.
func Load(path string) ([]Block, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	line := 1
	for part := range strings.SplitSeq(string(data), "\n----\n") {
		start := line
		line += strings.Count(part, "\n") + 2
		if strings.TrimSpace(part) == "" {
			continue
		}
		block, err := parseBlock(part)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, start, err)
		}
		block.Line = start
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func parseBlock(part string) (Block, error) {
	head, text, _ := strings.Cut(part, "\n")
	if len(head) < 3 || !strings.ContainsRune("><#!", rune(head[0])) {
		return Block{}, fmt.Errorf("%q is not the head of a block", head)
	}
	seconds, err := strconv.ParseFloat(head[2:], 64)
	if err != nil {
		return Block{}, fmt.Errorf("time of block: %w", err)
	}
	return Block{
		Direction: Direction(head[0]),
		At:        time.Duration(seconds * float64(time.Second)),
		Text:      text,
	}, nil
}

// Wire returns the block as it was on the wire: with the empty line that ends a
// header block, or the newlines that its Content-Length still asks for. Where
// the recording replaced a private path in a body by a longer one, the
// Content-Length is that of the text as it now stands.
func (b Block) Wire() []byte {
	head, body, _ := strings.Cut(b.Text, "\n\n")
	length := contentLength(head)
	switch missing := length - len(body); {
	case length == 0:
		return []byte(b.Text + "\n\n")
	case missing < 0:
		head = strings.Replace(head, contentLengthHeader+strconv.Itoa(length), contentLengthHeader+strconv.Itoa(len(body)), 1)
	case missing > 0:
		body += strings.Repeat("\n", missing)
	}
	return []byte(head + "\n\n" + body)
}

const contentLengthHeader = "Content-Length: "

func contentLength(head string) int {
	for line := range strings.SplitSeq(head, "\n") {
		if value, ok := strings.CutPrefix(line, contentLengthHeader); ok {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}
