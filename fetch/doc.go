// Package fetch gets documents, scripts, dialogs and audio by URI, from HTTP
// servers and local files, and parses XML with line numbers.
//
// Nothing is fetched that the configuration does not allow: a URI must lie under
// an allowed prefix, at every redirect, and the address that a name resolves to is
// looked at when the connection is made, so that no name leads to a link-local or
// metadata address. Time, size, redirects and the number of fetches at once are
// bounded, and no proxy is taken from the environment.
//
//	Request ─▶ policy ─▶ cache ─fresh─────────────────────▶ Response
//	                       └─stale or missing─▶ HTTP or file ──▲
//
// The cache is a private one in the terms of RFC 9111, in memory and bounded; an
// answer for the holder of a cookie alone is not kept in it.
// Whoever keeps something made from a response, such as a compiled document, keys
// it by URI and Version.
//
// A Client is safe for concurrent use. It starts no goroutine of its own; Close
// ends the idle connections of its transport.
package fetch
