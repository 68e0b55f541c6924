package sessionstore

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A packed value begins with how it is packed.
const (
	packedPlain   = 'p' // as it is
	packedDeflate = 'd' // RFC 1951
)

// packers are compressors. One takes a megabyte, so those that are idle are kept for the
// next, up to packersKept; a sync.Pool would let them go with each garbage collection.
type packers struct {
	level int

	mu   sync.Mutex
	idle []*flate.Writer
}

// packersKept is how many idle compressors of a level a store keeps: one packs what it
// writes by itself, one what is written at once.
const packersKept = 2

// to gives a compressor that writes there.
func (p *packers) to(there io.Writer) *flate.Writer {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		w, _ := flate.NewWriter(there, p.level) // the level is one that there is
		return w
	}
	w := p.idle[last]
	p.idle = p.idle[:last]
	w.Reset(there)
	return w
}

// keep keeps one for the next, unless enough are.
func (p *packers) keep(w *flate.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < packersKept {
		p.idle = append(p.idle, w)
	}
}

// pack compresses a value, if that makes it shorter.
func (p *packers) pack(value []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(value)/2 + 16)
	packed.WriteByte(packedDeflate)
	w := p.to(&packed)
	_, _ = w.Write(value) // a buffer takes everything
	_ = w.Close()
	p.keep(w)
	if packed.Len() > len(value) {
		return append([]byte{packedPlain}, value...)
	}
	return packed.Bytes()
}

// maxUnpacked bounds what a packed value may become: Redis may hold anything.
const maxUnpacked = 64 << 20

// unpack gives the value back.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	switch packed[0] {
	case packedPlain:
		return packed[1:], nil
	case packedDeflate:
		value, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed[1:])), maxUnpacked+1))
		if err == nil && len(value) > maxUnpacked {
			err = fmt.Errorf("longer than %d bytes", maxUnpacked)
		}
		return value, err
	}
	return nil, errors.New("packed in a way that is not known here; does a newer version run?")
}
