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

// packers are compressors, which are large to make.
type packers struct {
	level int
	pool  sync.Pool
}

// pack compresses a value, if that makes it shorter.
func (p *packers) pack(value []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(value)/2 + 16)
	packed.WriteByte(packedDeflate)
	w, ok := p.pool.Get().(*flate.Writer)
	if ok {
		w.Reset(&packed)
	} else {
		w, _ = flate.NewWriter(&packed, p.level) // the level is one that there is
	}
	_, _ = w.Write(value) // a buffer takes everything
	_ = w.Close()
	p.pool.Put(w)
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
