// Package api is the operators' API under /v1, for the whole site: whichever controller is
// asked, it asks the others where they know more ([ccxmld/peer]). The handlers and the
// OpenAPI document are made of the same types ([ccxmld/operator]), so they cannot differ.
//
//	client ── HTTP ──▶ api ──▶ Site ── operations ──▶ this controller, or by mail another one
//	                    │
//	                    └──▶ access: who asks, and what he may
//
// All refusals are RFC 9457 problems. What changes something is in the audit log.
package api
