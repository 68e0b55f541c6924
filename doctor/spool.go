package doctor

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"ccxmld/spool"
)

// spool puts a file into dialog.spool, for each FreeSWITCH to play, and returns
// how to take it away again.
func (x *examination) spool() (remove func()) {
	folder := x.config.Dialog.Spool
	file := filepath.Join(folder, x.spoolFile)
	if err := spool.Write(folder, x.spoolFile, silence()); err != nil {
		x.spoolFile = ""
		x.problem("spool", "spool", fmt.Sprintf("dialog.spool cannot be written: %v", err), "make the directory, owned by ccxmld's user and readable to FreeSWITCH's, or change dialog.spool")
		return func() {}
	}
	x.ok("spool", "spool", "dialog.spool %s can be written", folder)
	return func() { _ = os.Remove(file) } // what is left of it harms nobody
}

// silence is a WAV file of a tenth of a second: 8 kHz, 16 bits, mono.
func silence() []byte {
	const samples, rate = 800, 8000
	var file []byte
	word := func(n int) { file = binary.LittleEndian.AppendUint32(file, uint32(n)) }
	half := func(n int) { file = binary.LittleEndian.AppendUint16(file, uint16(n)) }
	file = append(file, "RIFF"...)
	word(36 + 2*samples)
	file = append(file, "WAVEfmt "...)
	word(16)
	half(1) // PCM
	half(1) // channel
	word(rate)
	word(2 * rate)
	half(2)
	half(16)
	file = append(file, "data"...)
	word(2 * samples)
	return append(file, make([]byte, 2*samples)...)
}
