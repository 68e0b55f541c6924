// Package logs is how ccxmld's log leaves the process: whoever reads it, and whatever
// documents write into it, nothing waits for it.
//
//	slog.Logger ─▶ lines a second, by session ─▶ text or JSON, values cut ─▶ queue ─▶ goroutine ─▶ stderr
//
// The queue has a bound in bytes. What does not fit is dropped and counted, and a
// line says how much once there is room again. The goroutine is started by New and
// ends with Close, unless it hangs in a write that never ends.
package logs
