// Package fsm holds state machines as tables: which input takes a [Machine] from which
// state to which other, what is to be done about it, and where that is specified. A
// [Table] is made once and shared; a Machine is one state in it, owned by whoever owns
// the thing whose state it is.
//
//	var doors = fsm.NewTable("door", []doorState{closed}, []fsm.Row[doorState, doorInput]{
//		fsm.Line(closed, opens, open, "light the room", "house rules, 2"),
//	})
//
//	door := doors.At(closed)
//	if door.Take(opens, log) == "light the room" { ... }
package fsm
