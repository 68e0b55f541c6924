// Package conference is the registry of shared conferences in Redis, which gives each
// name one conference on one node.
//
//	session ── CreateOrGet, Attach, Detach ──▶ Registry ──scripts──▶ Redis
//	leg     ── Join, Leave ──────────────────▶    │  ▲
//	room    ── Reconcile ────────────────────▶    │  └─ Renew: leases, and what
//	                                                     changed without Redis
//
// Redis is the directory, FreeSWITCH is the truth about who is in a room. Each
// operation is one Lua script, one round trip; all keys of a conference have one
// hash tag. A [Registry] also remembers what its own controller holds. That is
// what [Registry.Renew] tells Redis again when Redis has lost it, and how
// sessions and members can leave, and legs of running conferences join, while
// Redis is away. Only a new shared name is refused then.
//
// The registry has no goroutine of its own: its owner calls Renew, or has
// [Registry.Run] do it. Keys and fields are documented in docs/redis.md.
package conference
