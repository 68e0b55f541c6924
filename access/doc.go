// Package access says who asks by HTTP, and what that one may do: operators by their keys,
// by certificates of TLS, or by the tokens of an OpenID Connect issuer.
package access
