package conference

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// MaxName bounds the name of a conference, in bytes.
const MaxName = 256

// ErrName is the error for a name that cannot be one.
var ErrName = errors.New("the conference's name is too long")

// idPrefix begins the ids of conferences, which are URIs (CCXML 1.0, 10.5.1).
const idPrefix = "conference:"

const hexDigits = "0123456789ABCDEF"

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ID returns the id of the conference of this name: the same for everybody, in
// the form of a URI. Names come from documents and callers and may hold
// anything; every byte but letters, digits and _ . - stands percent-encoded.
func ID(name string) (string, error) {
	if len(name) > MaxName {
		return "", fmt.Errorf("%w: %d bytes of at most %d", ErrName, len(name), MaxName)
	}
	return idPrefix + escape(name, '%', "_.-"), nil
}

func escape(name string, mark byte, kept string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if isAlphanumeric(c) || strings.IndexByte(kept, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{mark, hexDigits[c>>4], hexDigits[c&15]})
	}
	return b.String()
}

// tag returns what of an id becomes part of keys, and whether it is an id that
// this package made: documents pass ids around, and may pass anything.
func tag(id string) (string, bool) {
	t, ok := strings.CutPrefix(id, idPrefix)
	if !ok || t == "" || len(t) > 3*MaxName {
		return "", false
	}
	for i := range len(t) {
		if c := t[i]; !isAlphanumeric(c) && strings.IndexByte("_.-%", c) < 0 {
			return "", false
		}
	}
	return t, true
}

// roomPrefix begins the names of our rooms in FreeSWITCH.
const roomPrefix = "ccxmld-"

// maxRoomName bounds what stands of a name in a room's name, in bytes.
const maxRoomName = 80

// roomStem returns what a room's name begins with; the epoch completes it. Only
// letters, digits, _ and - occur, so that it needs no quoting in any command.
// Different names have different stems: - is written -2D, other bytes -XX, and
// what is too long is cut and ends in -h and a hash, -x ends it all.
func roomStem(name string) string {
	stem := escape(name, '-', "_")
	if len(stem) > maxRoomName {
		sum := sha256.Sum256([]byte(name))
		stem = stem[:maxRoomName-34] + "-h" + hex.EncodeToString(sum[:16])
	}
	return roomPrefix + stem + "-x"
}
