// Package esl speaks FreeSWITCH's Event Socket protocol, in both directions: a
// [Server] accepts the connections that FreeSWITCH's socket action opens, one
// for each leg; a [Link] dials a FreeSWITCH node, and dials again when the
// connection is lost. Both rest on [Conn], which keeps events in order and
// gives each command its own reply. The package knows nothing of CCXML.
//
//	FreeSWITCH ──bytes──▶ reader ──▶ events  ──▶ handler   (in order, one at a time)
//	                         │
//	                         └─────▶ replies ──▶ the oldest command in flight
//	FreeSWITCH ◀──bytes── outbox ◀── Do, Send, SendAll
//
// # Goroutines
//
// A connection has one goroutine, its reader: whoever calls [Conn.Run] lends
// it. All handlers and all callbacks of commands run in it, so they see things
// in the order in which FreeSWITCH sent them, and must not block; they may send
// commands with [Conn.Send], but not wait for a reply with [Conn.Do]. A Server
// starts one goroutine a leg and ends them all before Serve returns; a Link
// reads in the goroutine that called its Run. Commands may be sent from any
// goroutine, and nobody waits for the network: what it does not take at once, a
// second goroutine writes, which lives as long as there is some and ends with Run.
//
// # Ends
//
// A connection ends by [Conn.Close], by an error, by a handler's panic, or when
// FreeSWITCH says so. Then every command still in flight gets an error, the
// handler set with [Conn.SetEndHandler] runs, and [Conn.Done] is closed, in
// this order. The network connection is closed by Conn alone.
//
// # What is sent
//
// Commands are values of [command.Command], as eslgo's command packages build
// them. The constructors of this package ([Execute], [API], [Originate] and
// others) check and escape what they are given and carry the error of a value
// that cannot be sent; Do and Send report it, and nothing is sent.
//
// [command.Command]: https://pkg.go.dev/github.com/percipia/eslgo/command#Command
package esl
