package sessionstore

import "crypto/rand"

// newInstance tells this process from all others, also those of its id before it.
func newInstance() string { return rand.Text() }
