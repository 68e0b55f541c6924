package switchsim

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
)

// write writes a WAVE file of so many samples of silence, as FreeSWITCH makes
// them: one channel of 16 bits at 8 kHz.
func (sw *Switch) write(path string, samples int64) {
	const header, rate, sampleSize = 44, 8000, 2
	data := uint32(samples * sampleSize)
	var b bytes.Buffer
	for _, part := range []any{
		[]byte("RIFF"), uint32(header-8) + data, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1),
		uint32(rate), uint32(rate * sampleSize), uint16(sampleSize), uint16(8 * sampleSize), []byte("data"), data, make([]byte, data),
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // to memory, of fixed sizes
	}
	err := os.MkdirAll(filepath.Dir(path), 0o750)
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		sw.log.Warn("recording not written", "path", path, "error", err)
	}
}
