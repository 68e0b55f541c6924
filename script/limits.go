package script

import (
	"time"

	"github.com/dop251/goja"

	"ccxmld/processors"
)

// Limits bound what the code of a session's documents may take, from the
// session's beginning. Zero fields have the defaults.
type Limits struct {
	// Steps bounds one evaluation, in instructions of the engine and rounds of the
	// loops in its built-in functions; 20 million by default. StepsPerMinute (200
	// million) and StepsInAll (20,000 million) bound them all.
	Steps, StepsPerMinute, StepsInAll int64
	// Time bounds one evaluation, calls into Go included; 10 s by default. It is for
	// what takes long without many steps: on a busy machine it also ends what
	// is innocent.
	Time time.Duration
	// CallDepth bounds nested function calls; 500 by default.
	CallDepth int
	// StringLength bounds strings, in UTF-16 units; 1 Mi by default.
	StringLength int
	// ArrayLength bounds the elements that an array has room for, and those that
	// Each goes through; 100,000 by default.
	ArrayLength int
	// Memory bounds the bytes of the variables and all that hangs on them; 32 MiB
	// by default.
	Memory int64
	// Shared bounds what this session and others hold together; nil for no such bound.
	Shared *Shared
	// Crowded is called, on any goroutine and at most once before Crowded is called on
	// the runtime, when Shared is exceeded and this runtime seems to hold most: its
	// owner calls Runtime.Crowded. It must not block. Nil where nobody would.
	Crowded func()
	// RegexpInput bounds the texts, in UTF-16 units, in which regular expressions
	// are looked for that can be matched by backtracking only, as those with
	// lookarounds and backreferences; 64 Ki by default. Such a match is also
	// bounded in time, by a second.
	RegexpInput int
	// NoBacktracking refuses them when they are matched.
	NoBacktracking bool
	// Full gives documents all of ECMAScript that the engine has, not only what
	// ECMAScript 5 has and what came later without symbols.
	Full bool
	// Account is what the time that evaluations take on processors is counted on; nil
	// for none. Those that last take turns with others (package processors).
	Account *processors.Account
	// Stuck is called, on a goroutine of its own, if an evaluation has not ended a
	// second after it was told to: its goroutine may never come back. It says
	// what was evaluated. If that goroutine comes back, it calls Back, which may be
	// nil, and ends (runtime.Goexit) without returning from the evaluation.
	Stuck func(at Position)
	Back  func()
}

// deepestNesting bounds how built-in functions call each other and descend.
const deepestNesting = 2000

func (l Limits) withDefaults() Limits {
	usual(&l.Steps, 20_000_000)
	usual(&l.StepsPerMinute, 200_000_000)
	usual(&l.StepsInAll, 20_000_000_000)
	usual(&l.Time, 10*time.Second)
	usual(&l.CallDepth, 500)
	usual(&l.StringLength, 1<<20)
	usual(&l.ArrayLength, 100_000)
	usual(&l.Memory, 32<<20)
	usual(&l.RegexpInput, 64<<10)
	return l
}

// usual gives a limit that is not set its default.
func usual[T int | int64 | time.Duration](limit *T, value T) {
	if *limit <= 0 {
		*limit = value
	}
}

// bounds are the limits that the engine itself keeps.
func (r *Runtime) bounds() *goja.Bounds {
	l := &r.limits
	b := &goja.Bounds{
		Depth: deepestNesting, StringLength: l.StringLength, ArrayLength: l.ArrayLength, Memory: l.Memory,
		RegexpInput: l.RegexpInput, NoBacktracking: l.NoBacktracking,
	}
	if l.Shared != nil {
		b.Share = r
	}
	return b
}
