package conf

import (
	"net"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"ccxmld/remote"
)

func readAdvertise(f field, c *Config) {
	const expected = `HOST:PORT, or several joined by "|"`
	text, ok := f.text(expected)
	if !ok || text == "" {
		return // filled in from esl.listen by checkTogether
	}
	for one := range strings.SplitSeq(text, "|") {
		if wrong := wrongAddress(one); wrong != "" {
			f.bad(strconv.Quote(one)+" "+wrong, expected)
			return
		}
		if host, _, _ := net.SplitHostPort(one); isWildcard(host) {
			f.bad(strconv.Quote(one)+" names no machine", expected+" that FreeSWITCH can reach")
			return
		}
	}
	c.ESL.Advertise = text
}

// networks reads a list of networks and addresses.
func (f field) networks() (list []netip.Prefix) {
	for _, entry := range f.list() {
		if prefix, ok := entry.network(); ok {
			list = append(list, prefix)
		}
	}
	return list
}

// hosts reads a list of names and addresses, each with or without a port.
func (f field) hosts() (list []string) {
	const expected = "a host name or IP address, with a port if need be, such as ccxml.example.org or pbx:8080"
	for _, entry := range f.list() {
		text, ok := entry.text(expected)
		if !ok {
			continue
		}
		address := text
		if _, _, err := net.SplitHostPort(text); err != nil {
			address = net.JoinHostPort(strings.Trim(text, "[]"), "0")
		}
		if host, _, _ := net.SplitHostPort(address); wrongAddress(address) != "" || isWildcard(host) {
			entry.bad(entry.quoted()+" is none", expected)
			continue
		}
		list = append(list, text)
	}
	return list
}

func readNodes(f field, c *Config) {
	first := map[string]int{}
	for i, at := range f.list() {
		e, ok := at.entry(entryNames("nodes")...)
		if !ok {
			continue
		}
		node := Node{Address: "127.0.0.1:8021", Weight: 1}
		if address, ok := e.keys["address"]; ok {
			node.Address, _ = address.address("127.0.0.1:8021")
		}
		node.Name = node.Address
		if name, ok := e.keys["name"]; ok {
			node.Name, _ = name.matching(nodeName, "letters, digits and . _ : -, such as fs1")
		}
		node.Password = readPassword(e)
		if weight, ok := e.keys["weight"]; ok {
			node.Weight, _ = weight.count(0, 1000)
		}
		if address, ok := e.keys["sip"]; ok {
			node.SIP = readNodeSIP(address)
		}
		if before, twice := first[node.Name]; twice && node.Name != "" {
			at.bad("has the name of nodes["+strconv.Itoa(before)+"], "+strconv.Quote(node.Name), "names that differ")
		}
		first[node.Name] = i
		c.Nodes = append(c.Nodes, node)
	}
}

// readNodeSIP reads a SIP URI without a user, as others reach a node by, and gives what
// follows the scheme. It becomes a part of dial strings, so little may stand in it.
func readNodeSIP(f field) string {
	text, _ := f.matching(nodeSIP, "sip:HOST:PORT of the node's profile for calls between nodes, such as sip:10.0.0.2:5090 or sip:10.0.0.2:5090;transport=tcp")
	return strings.TrimPrefix(text, "sip:")
}

func readPassword(e entry) Secret {
	const expected = "password or password_file, one of them"
	password, has := e.keys["password"]
	file, hasFile := e.keys["password_file"]
	switch {
	case has && hasFile:
		e.bad("password and password_file are both given", expected)
	case hasFile:
		secret, _ := file.secretFile()
		return secret
	case has:
		text, _ := password.text("mod_event_socket's password")
		if text == "" {
			password.bad("empty", "mod_event_socket's password")
		}
		return Secret(text)
	default:
		e.bad("password is missing", expected)
	}
	return ""
}

// readFile reads the path of a file that is there.
func readFile(f field, expected string) string {
	path, ok := f.filePath(expected)
	if !ok {
		return ""
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		f.bad(f.quoted()+" is no file that can be read", expected)
		return ""
	}
	return path
}

// readOptionalFile is readFile where nothing need be given.
func readOptionalFile(f field, expected string) string {
	if f.node.Kind == yaml.ScalarNode && f.node.Value == "" {
		return ""
	}
	return readFile(f, expected)
}

func readRedisURL(f field, c *Config) {
	const expected = "redis://HOST:PORT/DB, unix://PATH, redis-sentinel://HOST:PORT,HOST:PORT/NAME or redis-cluster://HOST:PORT,HOST:PORT (rediss… for TLS), or nothing for the embedded Redis"
	text, ok := f.text(expected)
	if !ok || text == "" {
		return
	}
	// The rest is the Redis client's to judge; a message must not quote it,
	// because it may hold a password.
	scheme, rest, found := strings.Cut(text, "://")
	if !found || rest == "" || !redisScheme.MatchString(scheme) {
		f.bad("not a Redis URL", expected)
		return
	}
	c.Redis.URL = text
}

var webhookURL = regexp.MustCompile(`^https?://[^\s/?#]+[^\s#]*$`)

// readWebhook reads where records are posted, which needs a journal to be read from.
func readWebhook(f field, c *Config) {
	if f.node.Kind == yaml.ScalarNode && f.node.Value == "" {
		return
	}
	c.Records.Webhook, _ = f.matching(webhookURL, "an http:// or https:// URL, such as https://billing.example.org/calls")
	if c.Records.Webhook != "" && c.Records.Directory == "" {
		f.bad("given without records.directory, in which records wait for it", "records.directory beside it")
	}
}

func readTokens(f field, c *Config) {
	c.Tokens = map[string]Token{}
	if f.node.Kind == yaml.ScalarNode && f.node.Value == "" {
		return
	}
	if f.node.Kind != yaml.MappingNode {
		f.bad(describe(f.node), "a map from each token to its document")
		return
	}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		// A token is a secret: messages name it by its position.
		at := f.below("tokens[#"+strconv.Itoa(i/2+1)+"]", value)
		if !tokenName.MatchString(key.Value) {
			at.bad("the token does not do", "1 to 256 printable characters without spaces")
			continue
		}
		if _, twice := c.Tokens[key.Value]; twice {
			at.bad("the token is given twice", "once")
			continue
		}
		c.Tokens[key.Value] = readToken(at)
	}
}

func readToken(at field) Token {
	var token Token
	if at.node.Kind == yaml.ScalarNode {
		token.URI, _ = at.document()
		return token
	}
	e, ok := at.entry(entryNames("tokens")...)
	if !ok {
		return token
	}
	if uri, ok := e.required("uri", "the URI of the document that the token starts"); ok {
		token.URI, _ = uri.document()
	}
	if sessions, ok := e.keys["sessions"]; ok {
		token.Sessions, _ = sessions.count(0, 1_000_000)
	}
	if rate, ok := e.keys["rate"]; ok {
		token.Rate, _ = rate.rate()
	}
	return token
}

func readSounds(f field, c *Config) {
	if f.node.Kind == yaml.ScalarNode && f.node.Value == "" {
		return
	}
	uri, ok := f.prefix()
	if ok && !strings.HasSuffix(uri, "/") {
		uri += "/"
	}
	c.Dialog.Sounds = uri
}

// readDirectory reads the path of a directory that FreeSWITCH is told of inside
// an application's argument; bad ones leave it as it was.
func readDirectory(f field, was string) string {
	const expected = "the absolute path of a directory"
	path, ok := f.text(expected)
	if !ok {
		return was
	}
	if !filepath.IsAbs(path) {
		f.bad(f.quoted()+" is not absolute", expected)
		return was
	}
	if strings.ContainsAny(path, " ,'\"\\{}[]|$!&;") {
		f.bad(f.quoted()+" holds a space, comma, quote, brace or the like", expected+" without them, because FreeSWITCH takes them apart")
		return was
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		f.bad(f.quoted()+" is a file", expected)
		return was
	}
	return filepath.Clean(path)
}

var (
	redisScheme = regexp.MustCompile(`^(unix|rediss?(-sentinel|-cluster)?)$`)

	nodeSIP   = regexp.MustCompile(`^sip:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;[a-z]+=[A-Za-z0-9.-]+)*$`)
	nodeName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
	tokenName = regexp.MustCompile(`^[!-~]{1,256}$`)
)

func readMailFrom(f field, c *Config) {
	const expected = "one mail address, such as ccxmld@example.org"
	text, ok := f.text(expected)
	if !ok {
		return
	}
	if _, err := mail.ParseAddress(text); err != nil {
		f.bad(f.quoted()+" is not a mail address", expected)
		return
	}
	c.Mail.From = text
}

// checkTogether checks what several settings say together, and fills in the
// defaults that depend on others.
func (l *loader) checkTogether() {
	l.advertised()
	if len(l.problems) == 0 {
		l.openToSome()
		l.operatorsKnown()
		l.configuredDocumentsAllowed()
		l.voiceXMLReachable()
	}
}

// openToSome refuses an Event Socket that is open to everybody who reaches the
// machine: who connects plays a FreeSWITCH.
func (l *loader) openToSome() {
	host, _, _ := net.SplitHostPort(l.config.ESL.Listen)
	if len(l.config.ESL.Allow) > 0 || remote.IsLoopback(host) {
		return
	}
	l.problems = append(l.problems, Problem{
		Place: l.places["esl.listen"], Key: "esl.allow",
		Wrong:    "missing, while esl.listen is " + l.config.ESL.Listen + ", where other machines may connect, without a password",
		Expected: "expected the addresses of your FreeSWITCH nodes, as in esl: {allow: [10.0.0.9, 127.0.0.1]}, or an esl.listen on 127.0.0.1",
	})
}

// voiceXMLReachable sees to it that the server which runs VoiceXML can be called.
func (l *loader) voiceXMLReachable() {
	server := l.config.Dialog.VoiceXML
	if server == internalVoiceXML {
		return
	}
	if !strings.Contains(server, "@") {
		scheme, host, _ := strings.Cut(server, ":")
		server = scheme + ":dialog@" + host // RFC 5552, 2.1
	}
	if _, err := l.config.Dial.String(server); err != nil {
		l.problems = append(l.problems, Problem{
			Place: l.places["dialog.voicexml"], Key: "dialog.voicexml",
			Wrong: err.Error(), Expected: "expected a server that dial.routes reach, or internal",
		})
	}
}

// advertised fills in esl.advertise. A wildcard address is no place to connect
// to: nodes on this machine are told loopback, others need a real address.
func (l *loader) advertised() {
	c := l.config
	if c.ESL.Advertise != "" || c.ESL.Listen == "" {
		return
	}
	host, port, _ := net.SplitHostPort(c.ESL.Listen)
	if !isWildcard(host) {
		c.ESL.Advertise = c.ESL.Listen
		return
	}
	c.ESL.Advertise = net.JoinHostPort("127.0.0.1", port)
	for _, node := range c.Nodes {
		if nodeHost, _, _ := net.SplitHostPort(node.Address); !remote.IsLoopback(nodeHost) {
			l.problems = append(l.problems, Problem{
				Place: l.places["esl.listen"], Key: "esl.advertise",
				Wrong:    "missing, while esl.listen is " + c.ESL.Listen + " and node " + node.Name + " is on another machine",
				Expected: "expected the HOST:PORT at which FreeSWITCH reaches this machine",
			})
			return
		}
	}
}

func isWildcard(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}
