package access_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"ccxmld/access"
	"ccxmld/conf"
)

// from is a request from an address, with what it shows as its authorization.
func from(address, authorization string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = address
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

// certified is a request by TLS with a certificate, verified or not.
func certified(name string, verified bool) *http.Request {
	r := from("192.0.2.1:5", "")
	certificate := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	if verified {
		r.TLS.VerifiedChains = [][]*x509.Certificate{{certificate}}
	}
	return r
}

var named = conf.API{Operators: []conf.Operator{
	{Name: "ann", Role: conf.RoleRead, Key: "the-key-of-ann-00"},
	{Name: "bob", Role: conf.RoleAdmin, Key: "the-key-of-bob-00", Certificate: "bob.example.org"},
}}

// Who is known by what.
func TestWhoAsks(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	nobody := access.New(access.Options{Allow: allow})
	some := access.New(access.Options{API: named, Allow: allow})
	for _, test := range []struct {
		name   string
		access *access.Access
		r      *http.Request
		want   access.Operator
	}{
		{"this machine, where nobody is named", nobody, from("127.0.0.1:5", ""), access.Operator{Name: "local", Role: access.Admin}},
		{"http.allow, where nobody is named", nobody, from("10.1.2.3:5", ""), access.Operator{Name: "local", Role: access.Admin}},
		{"another machine, where nobody is named", nobody, from("192.0.2.1:5", ""), access.Operator{}},
		{"a key, where nobody is named", nobody, from("127.0.0.1:5", "Bearer the-key-of-ann-00"), access.Operator{}},
		{"this machine without a key", some, from("127.0.0.1:5", ""), access.Operator{}},
		{"http.allow without a key", some, from("10.1.2.3:5", ""), access.Operator{}},
		{"a key", some, from("192.0.2.1:5", "Bearer the-key-of-ann-00"), access.Operator{Name: "ann", Role: access.Read}},
		{"in small letters", some, from("192.0.2.1:5", "bearer  the-key-of-bob-00"), access.Operator{Name: "bob", Role: access.Admin}},
		{"a part of a key", some, from("192.0.2.1:5", "Bearer the-key-of-ann-0"), access.Operator{}},
		{"an empty key", some, from("192.0.2.1:5", "Bearer "), access.Operator{}},
		{"another scheme", some, from("192.0.2.1:5", "Basic the-key-of-ann-00"), access.Operator{}},
		{"a certificate", some, certified("bob.example.org", true), access.Operator{Name: "bob", Role: access.Admin}},
		{"a certificate of nobody", some, certified("zoe.example.org", true), access.Operator{}},
		{"a certificate that nobody vouches for", some, certified("bob.example.org", false), access.Operator{}},
	} {
		got, err := test.access.Of(t.Context(), test.r)
		if got != test.want || (err == nil) != (test.want != access.Operator{}) || err != nil && !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
	some.Set(conf.API{Operators: named.Operators[1:]})
	if got, err := some.Of(t.Context(), from("192.0.2.1:5", "Bearer the-key-of-ann-00")); err == nil {
		t.Errorf("one who was taken out is %+v", got)
	}
}

// issuer is an issuer of OpenID Connect with one key.
type issuer struct {
	*httptest.Server
	signer jose.Signer
	down   bool
	asked  int
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{}
	if i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.asked++; i.down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"authorization_endpoint":"x","token_endpoint":"x","id_token_signing_alg_values_supported":["RS256"]}`, i.URL, i.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token is one that is valid for an hour, but for what is changed.
func (i *issuer) token(t *testing.T, change map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": i.URL, "aud": "ccxmld", "sub": "1234", "exp": time.Now().Add(time.Hour).Unix(), "roles": []string{"read"}}
	for name, value := range change {
		claims[name] = value
	}
	text, err := jwt.Signed(i.signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Tokens of an issuer are taken where they are for us and valid, with the greatest role that
// they have.
func TestOIDC(t *testing.T) {
	i, stranger := newIssuer(t), newIssuer(t)
	a := access.New(access.Options{API: conf.API{OIDC: conf.OIDC{Issuer: i.URL, Audience: "ccxmld", Claim: "roles"}}})
	for name, test := range map[string]struct {
		token string
		want  access.Operator
	}{
		"one role":          {i.token(t, nil), access.Operator{Name: "1234", Role: access.Read}},
		"several, a name":   {i.token(t, map[string]any{"roles": []string{"read", "admin", "boss"}, "email": "ann@example.org"}), access.Operator{Name: "ann@example.org", Role: access.Admin}},
		"one word":          {i.token(t, map[string]any{"roles": "operate"}), access.Operator{Name: "1234", Role: access.Operate}},
		"no role":           {i.token(t, map[string]any{"roles": 5}), access.Operator{Name: "1234"}},
		"for others":        {i.token(t, map[string]any{"aud": "mail"}), access.Operator{}},
		"over":              {i.token(t, map[string]any{"exp": 1}), access.Operator{}},
		"of another issuer": {stranger.token(t, map[string]any{"iss": i.URL}), access.Operator{}},
		"no token":          {"nonsense", access.Operator{}},
	} {
		if got, _ := a.Of(t.Context(), from("192.0.2.1:5", "Bearer "+test.token)); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
	if i.asked != 1 {
		t.Errorf("the issuer was asked for its configuration %d times", i.asked)
	}
}

// An issuer that is away refuses nobody for good, and is not asked for each request.
func TestOIDCAway(t *testing.T) {
	i := newIssuer(t)
	i.down = true
	a := access.New(access.Options{API: conf.API{Operators: named.Operators, OIDC: conf.OIDC{Issuer: i.URL, Audience: "ccxmld", Claim: "roles"}}})
	for range 3 {
		if _, err := a.Of(context.Background(), from("192.0.2.1:5", "Bearer "+i.token(t, nil))); err == nil || errors.Is(err, access.ErrUnknown) {
			t.Errorf("while the issuer is away: %v", err)
		}
	}
	if got, err := a.Of(context.Background(), from("192.0.2.1:5", "Bearer the-key-of-ann-00")); err != nil || got.Name != "ann" {
		t.Errorf("a key while the issuer is away: %+v, %v", got, err)
	}
	if i.asked != 1 {
		t.Errorf("the issuer was asked %d times", i.asked)
	}
}
