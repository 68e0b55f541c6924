package random

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// Source gives random numbers and ids. It is safe for concurrent use, and nil is
// the system's.
type Source struct {
	mu   sync.Mutex
	from *rand.ChaCha8
}

// Seeded returns a source whose numbers follow from the seed. They are no secret:
// it is for simulations.
func Seeded(seed uint64) *Source {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &Source{from: rand.NewChaCha8(key)}
}

// Uint64 implements rand.Source.
func (s *Source) Uint64() uint64 {
	if s == nil {
		return rand.Uint64()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from.Uint64()
}

// Float64 returns a number of [0, 1).
func (s *Source) Float64() float64 { return rand.New(s).Float64() }

// UUID returns an id that is unique everywhere (RFC 9562, version 4), or in all that
// the seed gives.
func (s *Source) UUID() string {
	if s == nil {
		return uuid.NewString()
	}
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], s.Uint64())
	binary.BigEndian.PutUint64(id[8:], s.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}
