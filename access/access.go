package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"ccxmld/conf"
	"ccxmld/remote"
)

// Role is what an operator may do; each may all that the one before may.
type Role int

// The roles.
const (
	Nobody Role = iota
	Read
	Operate
	Admin
)

// String is the role's name in the configuration.
func (r Role) String() string {
	switch r {
	case Read:
		return conf.RoleRead
	case Operate:
		return conf.RoleOperate
	case Admin:
		return conf.RoleAdmin
	}
	return "nobody"
}

// roleOf is the role of that name, Nobody for others.
func roleOf(name string) Role {
	for r := Read; r <= Admin; r++ {
		if r.String() == name {
			return r
		}
	}
	return Nobody
}

// Operator is who asks.
type Operator struct {
	Name string
	Role Role
}

// ErrUnknown means that nothing was shown by which an operator is known, or something that
// is not known. What else is wrong is not said to strangers.
var ErrUnknown = errors.New("this asks for a key: Authorization: Bearer KEY (docs/api.md)")

// Options say who has access.
type Options struct {
	API conf.API
	// Allow lists the networks, beside this machine, that need no key where no operators are
	// named.
	Allow  []netip.Prefix
	Logger *slog.Logger
	// Transport fetches what the issuer of OpenID Connect publishes; nil is the machine's
	// network.
	Transport http.RoundTripper
}

// Access tells who asks. It is safe for concurrent use.
type Access struct {
	options Options
	hashKey []byte
	table   atomic.Pointer[table]
	issuer  *issuer // nil where there is none
}

// table is who has which key or certificate.
type table struct {
	required     bool
	keys         map[[sha256.Size]byte]Operator
	certificates map[string]Operator
}

// New makes the access of a configuration.
func New(o Options) *Access {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Access{options: o, hashKey: make([]byte, sha256.Size)}
	_, _ = rand.Read(a.hashKey) // never fails: see crypto/rand
	if o.API.OIDC.Issuer != "" {
		a.issuer = newIssuer(o)
	}
	a.Set(o.API)
	return a
}

// Set replaces the operators. The issuer stays as it was at the start.
func (a *Access) Set(api conf.API) {
	t := &table{required: api.Required() || a.issuer != nil, keys: make(map[[sha256.Size]byte]Operator), certificates: make(map[string]Operator)}
	for _, o := range api.Operators {
		operator := Operator{o.Name, roleOf(o.Role)}
		if key := o.Key.Reveal(); key != "" {
			t.keys[a.hash(key)] = operator
		}
		if o.Certificate != "" {
			t.certificates[o.Certificate] = operator
		}
	}
	a.table.Store(t)
}

// Required tells whether operators have to say who they are.
func (a *Access) Required() bool { return a.table.Load().required }

// hash makes of a key what is looked up, in a time that says nothing about the keys there
// are.
func (a *Access) hash(key string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, a.hashKey)
	mac.Write([]byte(key))
	return [sha256.Size]byte(mac.Sum(nil))
}

// Of tells who asks. The error is ErrUnknown, or says why the issuer of tokens cannot be
// asked.
func (a *Access) Of(ctx context.Context, r *http.Request) (Operator, error) {
	t := a.table.Load()
	if key, shown := bearer(r); shown {
		if operator, known := t.keys[a.hash(key)]; known {
			return operator, nil
		}
		if a.issuer != nil {
			return a.issuer.operator(ctx, key)
		}
		return Operator{}, ErrUnknown
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		if operator, known := t.certificates[r.TLS.VerifiedChains[0][0].Subject.CommonName]; known {
			return operator, nil
		}
	}
	if loopback, listed := remote.Within(r.RemoteAddr, a.options.Allow); !t.required && (loopback || listed) {
		return Operator{"local", Admin}, nil
	}
	return Operator{}, ErrUnknown
}

// bearer is the key that a request shows (RFC 6750).
func bearer(r *http.Request) (key string, shown bool) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(key), strings.EqualFold(scheme, "bearer") && key != ""
}
