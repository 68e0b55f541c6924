// Package clocktest chooses the clock that tests go by.
package clocktest

import (
	"os"

	"ccxmld/clock"
)

// Variable is the environment variable that chooses the clock; with the value
// late, every stop of a timer comes too late.
const Variable = "TEST_CLOCK"

// Real returns the clock on the wall, in a synctest bubble the bubble's, or that
// clock with stops that come too late (see [clock.Late]).
func Real() clock.Clock { return Of(clock.Real()) }

// Of returns c, or c with stops that come too late.
func Of(c clock.Clock) clock.Clock {
	if os.Getenv(Variable) == "late" {
		return clock.Late(c)
	}
	return c
}
