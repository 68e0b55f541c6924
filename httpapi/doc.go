// Package httpapi is ccxmld's HTTP side: sessions started by token or from a URI,
// events brought to sessions (the specification's basichttp event I/O processor),
// and what tells others what runs here and whether the daemon is alive and ready.
// docs/http.md describes it for those who call it.
//
//	GET /CCXML10.start?tokenid=…&any=param
//	      │
//	      ▼
//	token known? ─ its limits ─ parameters ─▶ Starter ─▶ session id
//
//	POST /ccxml/basichttp  sessionid=…&name=…&any.property
//	      │
//	      ▼
//	http.allow? ─ parameters ─▶ Sessions.Inject ─▶ 204
//
// The package declares what it needs of the rest of ccxmld (Starter, Sessions,
// Check) and knows no document or FreeSWITCH. One goroutine per connection is
// net/http's; Serve runs until Shutdown, which waits for the requests under
// way. The package starts no other goroutine.
package httpapi
