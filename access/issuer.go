package access

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
)

// issuerTimeout bounds how long the issuer may take to answer.
const issuerTimeout = 10 * time.Second

// askAgainAfter is how long after the issuer could not be had it is asked again.
const askAgainAfter = 5 * time.Second

// issuer takes the tokens of an OpenID Connect issuer, which need not be there when ccxmld
// starts.
type issuer struct {
	options  Options
	client   *http.Client
	asking   singleflight.Group
	verifier atomic.Pointer[oidc.IDTokenVerifier]
	refusal  atomic.Pointer[refusal]
}

// refusal is why the issuer could not be had, and when.
type refusal struct {
	at     time.Time
	reason error
}

func newIssuer(o Options) *issuer {
	return &issuer{options: o, client: &http.Client{Transport: o.Transport, Timeout: issuerTimeout}}
}

// operator tells whose a token is. A role that is not there is no access at all.
func (i *issuer) operator(ctx context.Context, token string) (Operator, error) {
	verifier, err := i.have(ctx)
	if err != nil {
		return Operator{}, err
	}
	read, err := verifier.Verify(oidc.ClientContext(ctx, i.client), token)
	if err != nil {
		i.options.Logger.Info("a token for the operators' API is not taken", "issuer", i.options.API.OIDC.Issuer, "reason", err)
		return Operator{}, ErrUnknown
	}
	var claims map[string]any
	if err := read.Claims(&claims); err != nil {
		return Operator{}, ErrUnknown
	}
	o := Operator{Name: read.Subject, Role: roleIn(claims[i.options.API.OIDC.Claim])}
	for _, name := range []string{"preferred_username", "email"} {
		if text, is := claims[name].(string); is && text != "" {
			o.Name = text
			break
		}
	}
	return o, nil
}

// roleIn is the greatest role that a claim holds, as one word or a list.
func roleIn(claim any) Role {
	switch claim := claim.(type) {
	case string:
		return roleOf(claim)
	case []any:
		roles := []Role{Nobody}
		for _, one := range claim {
			text, _ := one.(string)
			roles = append(roles, roleOf(text))
		}
		return slices.Max(roles)
	}
	return Nobody
}

// have gives what tokens are verified by, and reads the issuer's configuration for that
// once.
func (i *issuer) have(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	if v := i.verifier.Load(); v != nil {
		return v, nil
	}
	if r := i.refusal.Load(); r != nil && time.Since(r.at) < askAgainAfter {
		return nil, r.reason
	}
	v, err, _ := i.asking.Do("", func() (any, error) {
		c := i.options.API.OIDC
		provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), i.client), c.Issuer)
		if err != nil {
			err = fmt.Errorf("the issuer of operators' tokens cannot be asked: %w", err)
			i.refusal.Store(&refusal{time.Now(), err})
			i.options.Logger.Error("operators are refused, since the issuer of their tokens cannot be asked", "issuer", c.Issuer, "error", err)
			return nil, err
		}
		v := provider.Verifier(&oidc.Config{ClientID: c.Audience})
		i.verifier.Store(v)
		return v, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*oidc.IDTokenVerifier), nil
}
