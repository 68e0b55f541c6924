// Package httpapi is ccxmld's HTTP side: sessions started by token, and what
// tells others whether the daemon is alive and ready. docs/http.md describes
// it for those who call it.
//
//	GET /CCXML10.start?tokenid=…&any=param
//	      │
//	      ▼
//	token known? ─ its limits ─ parameters ─▶ Starter ─▶ session id
//
// The package declares what it needs of the rest of ccxmld (Starter, Check) and
// knows no session, document or FreeSWITCH. One goroutine per connection is
// net/http's; Serve runs until Shutdown, which waits for the requests under
// way. The package starts no other goroutine.
package httpapi
