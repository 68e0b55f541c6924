package conf

import (
	"net"
	"regexp"
	"strconv"
	"strings"

	"ccxmld/remote"
)

// API says who may use the operators' API, and with what.
type API struct {
	// Operators are those that show a key or a certificate.
	Operators []Operator
	// OIDC is who issues tokens for others; its Issuer is empty where nobody does.
	OIDC OIDC
}

// Required tells whether operators have to say who they are. Otherwise this machine may do
// everything.
func (a API) Required() bool { return len(a.Operators) > 0 || a.OIDC.Issuer != "" }

// Operator is one who may use the API.
type Operator struct {
	// Name is how logs and the audit log call the operator.
	Name string
	// Role is RoleRead, RoleOperate or RoleAdmin.
	Role string
	// Key is what is shown as a bearer token; empty for none.
	Key Secret
	// Certificate is the common name of the certificate that is shown by TLS; empty for
	// none.
	Certificate string
}

// What operators may do, each all that the one before may.
const (
	// RoleRead looks.
	RoleRead = "read"
	// RoleOperate also changes what runs: hangs up, mutes, starts.
	RoleOperate = "operate"
	// RoleAdmin also drains, changes tokens and log levels.
	RoleAdmin = "admin"
)

// OIDC says whose tokens (OpenID Connect, RFC 9068) are taken.
type OIDC struct {
	// Issuer is the URL of the issuer, below which its configuration is found.
	Issuer string
	// Audience is what tokens must be for.
	Audience string
	// Claim is the claim that holds the roles, as one word or a list.
	Claim string
}

// TLS says how HTTP is served by TLS; without Certificate it is not.
type TLS struct {
	// Certificate and Key are files (PEM).
	Certificate, Key string
	// Clients is a file with the certificates that vouch for operators' certificates.
	Clients string
}

var (
	operatorName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$`)
	issuerURL    = regexp.MustCompile(`^https?://[^\s/?#]+(/[^\s?#]*)?$`)
)

// shortestKey is the fewest characters that an operator's key may have.
const shortestKey = 16

func readOperators(f field, c *Config) {
	first := map[string]int{}
	for i, at := range f.list() {
		e, ok := at.entry(entryNames("api.operators")...)
		if !ok {
			continue
		}
		var o Operator
		if name, ok := e.required("name", "how the audit log calls the operator"); ok {
			o.Name, _ = name.matching(operatorName, "1 to 64 letters, digits and . _ @ -, such as ann")
		}
		if role, ok := e.required("role", "read, operate or admin"); ok {
			o.Role, _ = role.oneOf(RoleRead, RoleOperate, RoleAdmin)
		}
		o.Key = readKey(e)
		if certificate, ok := e.keys["certificate"]; ok {
			o.Certificate, _ = certificate.text("the common name of a certificate")
		}
		if before, twice := first[o.Name]; twice && o.Name != "" {
			at.bad("has the name of api.operators["+strconv.Itoa(before)+"], "+strconv.Quote(o.Name), "names that differ")
		}
		first[o.Name] = i
		c.API.Operators = append(c.API.Operators, o)
	}
}

// readKey reads an operator's key, which a certificate may stand for.
func readKey(e entry) (key Secret) {
	const expected = "key, key_file or certificate"
	text, has := e.keys["key"]
	file, hasFile := e.keys["key_file"]
	_, certificate := e.keys["certificate"]
	switch {
	case has && hasFile:
		e.bad("key and key_file are both given", "one of them")
		return ""
	case hasFile:
		key, _ = file.secretFile()
		text = file
	case has:
		plain, _ := text.text("a key")
		key = Secret(plain)
	case !certificate:
		e.bad("nothing is said by which the operator is known", expected)
		return ""
	default:
		return ""
	}
	if n := len(key.Reveal()); n > 0 && n < shortestKey || strings.ContainsAny(key.Reveal(), " \t\r\n") {
		text.bad("the key does not do", "at least "+strconv.Itoa(shortestKey)+" characters without spaces, such as openssl rand -hex 16 makes")
	}
	return key
}

// operatorsKnown refuses settings of HTTP that do not go together, and a listener that others
// reach while nobody is named who may use the operators' API.
func (l *loader) operatorsKnown() {
	c := l.config
	bad := func(key, wrong, expected string) {
		l.problems = append(l.problems, Problem{Place: l.places[key], Key: key, Wrong: wrong, Expected: "expected " + expected})
	}
	tls := c.HTTP.TLS
	switch {
	case tls.Certificate == "" && tls.Key != "":
		bad("http.tls.key", "given without http.tls.certificate", "both, or none")
	case tls.Certificate != "" && tls.Key == "":
		bad("http.tls.certificate", "given without http.tls.key", "both, or none")
	case tls.Clients != "" && tls.Certificate == "":
		bad("http.tls.clients", "given without http.tls.certificate, while clients show certificates by TLS only", "http.tls.certificate and http.tls.key beside it")
	}
	if (c.API.OIDC.Issuer == "") != (c.API.OIDC.Audience == "") {
		bad("api.oidc.issuer", "api.oidc.issuer and api.oidc.audience go together", "both, or none")
	}
	for _, o := range c.API.Operators {
		if o.Certificate != "" && tls.Clients == "" {
			bad("api.operators", "the certificate of "+o.Name+" is never asked for", "http.tls.clients, the authority that issued it")
		}
	}
	if host, _, _ := net.SplitHostPort(c.HTTP.Listen); !remote.IsLoopback(host) && !c.API.Required() {
		bad("http.listen", c.HTTP.Listen+" is reached from other machines, and nobody is named who may use the operators' API",
			"api.operators or api.oidc.issuer (docs/api.md), or a loopback address such as 127.0.0.1:9999")
	}
}
