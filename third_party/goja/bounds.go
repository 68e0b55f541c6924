package goja

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// How scripts are bounded: the machine counts the instructions that it executes,
// and every loop of a built-in function its rounds (step). Both look at the
// interrupt. Built-in functions that call each other, walk prototypes or descend
// into values count how deep they are (enter, exit). What is allocated is counted
// where it becomes a value (alloc), and when there is much of it, what the Runtime
// still holds is measured (live.go).
//
// TestLoops holds the first: no loop without step, but for those that it names with
// the reason. That no recursion goes without enter is held by reading alone.

// Bounds are what the scripts of a Runtime may take. Zero fields do not bound.
type Bounds struct {
	// Depth bounds built-in functions that call each other, chains of prototypes
	// and of Proxies, and values that a built-in function descends into.
	Depth int
	// StringLength bounds strings, in UTF-16 units, and ArrayLength the elements
	// that one array has room for.
	StringLength, ArrayLength int
	// Memory bounds the bytes of what the Runtime holds.
	Memory int64
	// RegexpInput bounds the UTF-16 units in which a regular expression is looked
	// for that can be matched by backtracking only.
	RegexpInput int
	// NoBacktracking refuses to match such expressions.
	NoBacktracking bool
	// Share is told what the Runtime holds, if it is not nil and Memory is set.
	Share Share
}

// Share keeps what several Runtimes hold together.
type Share interface {
	// Holds is told how many bytes the Runtime holds at most, or, if they were
	// measured, about, whenever some have been added. It tells whether they are to
	// be measured, and for what reason, if any, the running script is to be ended.
	Holds(bytes int64, measured bool) (measure bool, reason string)
}

// A Share is told when so many bytes have been added: within a script, and when it
// ends.
const (
	toldWithin = 64 << 10
	toldAtEnd  = 4 << 10
)

// noBounds are those of a Runtime that was given none.
var noBounds Bounds

// LimitError ends a script that has exceeded a bound. Scripts cannot catch it.
type LimitError struct {
	baseUncatchableException
	Reason string // in words
}

// Error returns the reason.
func (e *LimitError) Error() string { return e.Reason }

// Stack returns where the script was.
func (e *LimitError) Stack() []StackFrame { return e.stack }

// NewClassic returns a Runtime of which scripts see what ECMAScript 5 has, with what
// came later and needs no symbols: no Proxy, Reflect, Symbol, Promise, weak
// collections, typed arrays and BigInt, and neither generators nor asynchronous
// functions.
func NewClassic() *Runtime {
	r := &Runtime{classic: true}
	r.init()
	return r
}

func (r *Runtime) refuseClassic(what string) {
	if r.classic {
		panic(r.newSyntaxError(what + " are not available"))
	}
}

// SetEvaluate makes eval and the constructors of functions call f with their code,
// which is one parenthesised function expression for the latter. Direct calls of
// eval do not see local variables then.
func (r *Runtime) SetEvaluate(f func(code string) Value) { r.evaluate = f }

// Bound sets the bounds, which must not change any more.
func (r *Runtime) Bound(b *Bounds) {
	r.bounds = b
	r.meter.depthEnd, r.meter.bytesEnd = math.MaxInt, math.MaxInt64
	r.UnboundSteps()
	if b.Depth > 0 {
		r.meter.depthEnd = b.Depth
	}
	if b.Memory > 0 {
		r.meter.due = b.Memory / 4
		r.next()
	}
}

// next says when measure is to be called again.
func (r *Runtime) next() {
	r.meter.bytesEnd = r.meter.due
	if r.bounds.Share != nil {
		r.meter.bytesEnd = min(r.meter.due, r.meter.bytes+toldWithin)
	}
}

// meter is what the scripts have taken so far.
type meter struct {
	steps, stepsEnd int64 // in all
	look            int64 // when step is to look: at stepsEnd, or to call tick before
	every           int64
	tick            func(lasting bool) (reason string)
	stepsReason     string
	stepsBound      int64
	depth, depthEnd int
	// bytes are those allocated since live was measured, due when it is to be
	// measured again, told those of which the Share knows, and bytesEnd when
	// there is something to do about them.
	bytes, bytesEnd, due, told, live int64
	before                           int64 // allocated until live was measured
}

// Steps are the instructions and the rounds of loops since the Runtime was made.
func (r *Runtime) Steps() int64 { return r.meter.steps }

// Allocated is how many bytes were allocated since the Runtime was made.
func (r *Runtime) Allocated() int64 { return r.meter.before + r.meter.bytes }

// BoundSteps ends the running script once Steps has reached end, for the reason, a
// format for the number bound. From now on all bounds hold, until UnboundSteps:
// what the host does with the Runtime between scripts is not to fail.
func (r *Runtime) BoundSteps(end int64, reason string, bound int64) {
	r.meter.stepsEnd, r.meter.stepsReason, r.meter.stepsBound = end, reason, bound
	r.lookLater()
}

// UnboundSteps ends what BoundSteps has begun.
func (r *Runtime) UnboundSteps() {
	r.meter.stepsEnd, r.meter.look = math.MaxInt64, math.MaxInt64
	if r.bounds.Share != nil && r.meter.bytes-r.meter.told >= toldAtEnd {
		r.meter.told = r.meter.bytes
		if measure, _ := r.bounds.Share.Holds(r.meter.live+r.meter.bytes, false); measure {
			r.measureLive()
			r.bounds.Share.Holds(r.meter.live, true)
		}
	}
}

// SetTick has running scripts call f now and then, as long as their steps are bounded:
// after that many steps, or as soon as a built-in function counts its own, and, with
// lasting, before what may take long without counting. A reason that it returns ends the
// script.
func (r *Runtime) SetTick(every int64, f func(lasting bool) (reason string)) {
	r.meter.every, r.meter.tick = every, f
}

// lasts tells the host of what may take long.
func (r *Runtime) lasts() {
	if r.meter.tick != nil && r.bounded() {
		r.callTick(true)
	}
}

// mayLast tells the host if a built-in function is about to go through so much that it
// may take a millisecond or more.
func (r *Runtime) mayLast(units int64) {
	if units > shortWork {
		r.lasts()
	}
}

const shortWork = 32 << 10

func (r *Runtime) callTick(lasting bool) {
	if reason := r.meter.tick(lasting); reason != "" {
		panic(r.limitError(reason))
	}
}

func (r *Runtime) lookLater() {
	r.meter.look = r.meter.stepsEnd
	if r.meter.tick != nil {
		r.meter.look = min(r.meter.look, r.meter.steps+r.meter.every)
	}
}

func (r *Runtime) bounded() bool { return r.meter.stepsEnd != math.MaxInt64 }

// step counts rounds of a loop, or anything that takes as long as n of them.
func (r *Runtime) step(n int64) {
	r.meter.steps += n
	if r.meter.steps >= r.meter.look || atomic.LoadUint32(&r.vm.interrupted) != 0 {
		r.stop()
	}
}

// stop ends the running script if a bound is reached, it is interrupted, or the host
// says so.
func (r *Runtime) stop() {
	if atomic.LoadUint32(&r.vm.interrupted) != 0 {
		r.vm.interruptLock.Lock()
		v := &InterruptedError{iface: r.vm.interruptVal}
		v.stack = r.vm.captureStack(nil, 0)
		r.vm.interruptLock.Unlock()
		panic(v)
	}
	if r.meter.steps >= r.meter.stepsEnd {
		r.exceeded(r.meter.stepsReason, r.meter.stepsBound)
	}
	r.callTick(false)
	r.lookLater()
}

// enter counts a level of recursion, which exit ends. After a panic the depth is
// what it was where that is recovered from.
func (r *Runtime) enter() *Runtime {
	r.meter.steps++
	if r.meter.depth++; r.meter.depth > r.meter.depthEnd {
		e := &StackOverflowError{}
		e.stack = r.vm.captureStack(nil, 0)
		panic(e)
	}
	return r
}

func (r *Runtime) exit() { r.meter.depth-- }

// exitWith is exit after v has been worked out.
func exitWith[T any](r *Runtime, v T) T {
	r.meter.depth--
	return v
}

// Sizes in bytes of what is allocated often.
const (
	sizeOfValue    = 16
	sizeOfObject   = 160
	sizeOfProperty = 96
	sizeOfFunction = 320
	sizeOfStash    = 64
	sizeOfEntry    = 112 // of a Map or Set
)

// alloc counts bytes that are allocated.
func (r *Runtime) alloc(n int64) {
	if r.meter.bytes += n; r.meter.bytes >= r.meter.bytesEnd {
		r.measure()
	}
}

// allocString counts a string that has been made.
func (r *Runtime) allocString(s String) {
	n := s.Length()
	if most := r.bounds.StringLength; most > 0 && n > most && r.bounded() {
		panic(r.limitError(r.stringReason()))
	}
	if n > 32 {
		r.alloc(int64(n) * 2)
		r.meter.steps += int64(n) / unitsInAStep
	}
}

// unitsInAStep are the units of a text that a built-in function goes through in the
// time of a step, and valuesInAStep the values that are copied in it, about.
const (
	unitsInAStep  = 32
	valuesInAStep = 16
)

// What takes as long as so many steps.
const (
	stepsOfName = 8 // the name of a property is given to a script
	stepsOfUnit = 4 // a unit outside of ASCII changes its case, is normalised or collated
	stepsOfPart = 4 // a part of what is held is measured
)

// write adds a text to one that is being put together, and counts it.
func (r *Runtime) write(b *StringBuilder, s String) {
	if n := int64(s.Length()); n >= unitsInAStep {
		r.step(n / unitsInAStep)
		r.checkLength(n + int64(b.asciiBuilder.Len()+len(b.unicodeBuilder.buf)))
	}
	b.WriteString(s)
}

// mapText counts a text whose units are looked up in the tables of Unicode.
func (r *Runtime) mapText(s String) {
	if _, u := devirtualizeString(s); u != nil {
		r.mayLast(int64(len(u)) * stepsOfUnit)
		r.step(int64(len(u)) * stepsOfUnit)
	}
}

// moved counts names of properties that are copied or moved.
func (r *Runtime) moved(names int) {
	if n := int64(names); n >= valuesInAStep {
		r.copied(n)
	}
}

// read counts the texts that a built-in function is called with: it goes through each,
// however often it has been called with it.
func (r *Runtime) read(this Value, args []Value) {
	n := textLength(this)
	for _, v := range args { // bounded: the arguments of a call
		n += textLength(v)
	}
	if n >= unitsInAStep {
		r.mayLast(int64(n))
		r.step(int64(n) / unitsInAStep)
	}
}

// textLength is the length of a text, 0 for other values.
func textLength(v Value) int {
	switch s := v.(type) {
	case asciiString:
		return len(s)
	case unicodeString:
		return len(s)
	case *importedString:
		return len(s.s)
	}
	return 0
}

// copied counts values that are copied or moved.
func (r *Runtime) copied(n int64) {
	r.mayLast(n)
	r.step(n / valuesInAStep)
}

// checkArray bounds how many elements an array gets room for.
func (r *Runtime) checkArray(n int64) {
	if most := r.bounds.ArrayLength; most > 0 && n > int64(most) && r.bounded() {
		r.exceeded("an array would be longer than %d elements", most)
	}
}

// makeRoom counts room for the elements of an array before it is made.
func (r *Runtime) makeRoom(n int64) {
	r.checkArray(n)
	r.mayLast(n)
	r.alloc(n * sizeOfValue)
	r.meter.steps += n / valuesInAStep
}

func (r *Runtime) stringReason() string {
	return fmt.Sprintf("a string would be longer than %d characters", r.bounds.StringLength)
}

// checkLength bounds a string before it is made.
func (r *Runtime) checkLength(n int64) {
	if most := r.bounds.StringLength; most > 0 && n > int64(most) && r.bounded() {
		panic(r.limitError(r.stringReason()))
	}
}

// measure finds out how much the Runtime holds, and ends the script if that is
// more than it may.
func (r *Runtime) measure() {
	if r.bounds.Memory <= 0 {
		r.remember()
		return
	}
	if !r.bounded() {
		return
	}
	if r.meter.bytes < r.meter.due && !r.tell(false) {
		r.next()
		return
	}
	if r.meter.bytes < r.bounds.Memory {
		r.meter.steps += stepsOfPart * r.measureLive()
		if r.meter.live < r.bounds.Memory {
			r.tell(true)
			return
		}
	}
	r.remember()
	r.exceeded("the scripts hold more than %d MiB of memory", max(r.bounds.Memory>>20, 1))
}

// remember begins to count bytes anew.
func (r *Runtime) remember() {
	r.meter.before += r.meter.bytes
	r.meter.bytes, r.meter.told = 0, 0
}

// measureLive measures what the Runtime holds, and tells of how many parts it consists.
func (r *Runtime) measureLive() (parts int64) {
	r.meter.live, parts = r.heldBytes(r.bounds.Memory)
	r.remember()
	r.meter.due = max((r.bounds.Memory-r.meter.live)/2, r.bounds.Memory/8)
	r.next()
	return parts
}

// Held measures how many bytes the Runtime holds, up to its bound.
func (r *Runtime) Held() int64 {
	r.measureLive()
	return r.meter.live
}

// tell tells the Share what the Runtime holds. It reports whether that is to be
// measured, and ends the script if that is what it is asked to.
func (r *Runtime) tell(measured bool) (measure bool) {
	if r.bounds.Share == nil {
		return false
	}
	r.meter.told = r.meter.bytes
	measure, reason := r.bounds.Share.Holds(r.meter.live+r.meter.bytes, measured)
	if reason != "" {
		r.exceeded("%s", reason)
	}
	return measure
}

// texts gives the texts of values that a message has. Package fmt would stop what ends a
// script in their toString, which could then go on.
func (r *Runtime) texts(args []interface{}) []interface{} {
	texts := make([]interface{}, len(args))
	for i, arg := range args { // bounded: the values of a message
		o, ok := arg.(*Object)
		if !ok {
			texts[i] = arg
			continue
		}
		if r.vm.try(func() { texts[i] = o.String() }) != nil {
			texts[i] = o.ClassName() // it has no text
		}
	}
	return texts
}

// exceeded ends the running script.
func (r *Runtime) exceeded(format string, args ...interface{}) {
	panic(r.limitError(fmt.Sprintf(format, args...)))
}

func (r *Runtime) limitError(reason string) *LimitError {
	e := &LimitError{Reason: reason}
	e.stack = r.vm.captureStack(nil, 0)
	return e
}

// regexpTime bounds one match by backtracking.
const regexpTime = time.Second

// quickTime is what it may take before the host is told, and quickLook how often it is
// looked at.
const (
	quickTime = time.Millisecond
	quickLook = 2 * time.Millisecond
)

func init() { regexp2.SetTimeoutCheckPeriod(quickLook) }

// checkBacktracking is called before a match by backtracking.
func (r *Runtime) checkBacktracking(pattern string, s String) {
	if r.bounds.NoBacktracking {
		r.exceeded("the regular expression /%s/ has a lookaround or a backreference, which is not allowed here", pattern)
	}
	if n := r.bounds.RegexpInput; n > 0 && s.Length() > n {
		r.exceeded("the regular expression /%s/ has a lookaround or a backreference, and is matched with texts of at most %d characters", pattern, n)
	}
}

// matchFailed is called with the error of a match by backtracking: its time is up.
func (r *Runtime) matchFailed(pattern string) {
	r.exceeded("the regular expression /%s/ took longer than %v to match and was stopped", pattern, regexpTime)
}
