package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v3"
)

// setting is one row of the table of settings.
type setting struct {
	key string
	// kind is what flag help calls the value; list and map values are YAML or
	// JSON text in flags and variables.
	kind string
	// usual is the default, as a text.
	usual string
	// help is one sentence.
	help string
	// example is a value as messages show it; only lists and maps need one.
	example string
	// live settings are taken up by a running ccxmld that reads its configuration again;
	// the others need a new start.
	live bool
	// hidden leaves the value out of what is printed.
	hidden bool
	// read checks the value and puts it into the configuration.
	read func(f field, c *Config)
}

// internalVoiceXML is ccxmld itself, as dialog.voicexml.
const internalVoiceXML = "internal"

const (
	kindAddress  = "host:port"
	kindText     = "text"
	kindWord     = "true|false"
	kindCount    = "count"
	kindSize     = "bytes"
	kindDuration = "duration"
	kindWords    = "list" // of single values; commas do in a flag
	kindList     = "yaml-list"
	kindMap      = "yaml-map"
)

// settings is every setting there is, in the order of conf/ccxmld.yaml.
var settings = []setting{
	{key: "controller.id", kind: kindText,
		help: "this controller's name in Redis, which it keeps when it is started again (default: host name and port of esl.listen)", example: "ccx1",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.Controller.ID, _ = f.matching(controllerID, "1 to 64 letters, digits and . _ : -, such as ccx1")
			}
		}},
	{key: "durability", kind: kindText, usual: Behind,
		help: "when the state of sessions is written to Redis, so that they outlive this process: off, behind or ahead",
		read: func(f field, c *Config) { c.Durability, _ = f.oneOf(Off, Behind, Ahead) }},
	{key: "esl.listen", kind: kindAddress, usual: "127.0.0.1:8084",
		help: "where FreeSWITCH's socket action reaches ccxmld",
		read: func(f field, c *Config) { c.ESL.Listen, _ = f.address("127.0.0.1:8084") }},
	{key: "esl.advertise", kind: kindAddress,
		help: `what FreeSWITCH is told to connect to for legs that ccxmld dials, several joined by "|" (default: esl.listen)`,
		read: readAdvertise},
	{key: "esl.allow", kind: kindWords,
		help: "networks that may connect to esl.listen (default: any)", example: "[10.0.0.0/8, 127.0.0.1]",
		read: func(f field, c *Config) { c.ESL.Allow = f.networks() }},
	{key: "nodes", live: true, kind: kindList, hidden: true,
		help: "the FreeSWITCH nodes to dial through", example: "[{name: fs1, address: 127.0.0.1:8021, password: ClueCon}]",
		read: readNodes},
	{key: "esl.connections", kind: kindCount, usual: "20000",
		help: "connections of FreeSWITCH at a time, one for each leg",
		read: func(f field, c *Config) { c.ESL.Connections, _ = f.count(1, 1_000_000) }},
	{key: "esl.connections_per_address", kind: kindCount, usual: "15000",
		help: "connections of one address",
		read: func(f field, c *Config) { c.ESL.ConnectionsPerAddress, _ = f.count(1, 1_000_000) }},
	{key: "http.listen", kind: kindAddress, usual: "127.0.0.1:9999",
		help: "where token starts, events for sessions and health checks are served",
		read: func(f field, c *Config) { c.HTTP.Listen, _ = f.address("127.0.0.1:9999") }},
	{key: "http.url", kind: kindText,
		help: "what documents are told of where ccxmld takes events, such as https://ccxml.example.org (default: http://http.listen)",
		read: func(f field, c *Config) {
			c.HTTP.URL, _ = f.matching(baseURL, "http:// or https:// with a host, and a port if need be, such as https://ccxml.example.org")
		}},
	{key: "http.allow", kind: kindWords,
		help: "networks that may send events to sessions and list them (default: this machine)", example: "[10.0.0.0/8, 192.0.2.7]",
		read: func(f field, c *Config) { c.HTTP.Allow = f.networks() }},
	{key: "http.hosts", kind: kindWords,
		help: "names by which clients may ask for http.listen (default: this machine, its addresses and the host of http.url)", example: "[ccxml.example.org, 'pbx:8080']",
		read: func(f field, c *Config) { c.HTTP.Hosts = f.hosts() }},
	{key: "http.connections", kind: kindCount, usual: "1024",
		help: "HTTP connections at a time",
		read: func(f field, c *Config) { c.HTTP.Connections, _ = f.count(1, 100_000) }},
	{key: "http.connections_per_address", kind: kindCount, usual: "256",
		help: "HTTP connections of one address",
		read: func(f field, c *Config) { c.HTTP.ConnectionsPerAddress, _ = f.count(1, 100_000) }},
	{key: "http.createsession", kind: kindWord, usual: "false",
		help: "whether http.allow may also create sessions by the URI of a document: true or false",
		read: func(f field, c *Config) { c.HTTP.CreateSession = f.truth() }},
	{key: "http.tls.certificate", kind: kindText,
		help: "a file with the certificate (PEM), and those between it and its authority, by which http.listen serves TLS (default: no TLS)", example: "/etc/ccxmld/tls.crt",
		read: func(f field, c *Config) {
			c.HTTP.TLS.Certificate = readOptionalFile(f, "a file with a certificate (PEM)")
		}},
	{key: "http.tls.key", kind: kindText,
		help: "the file with the certificate's private key (PEM)", example: "/etc/ccxmld/tls.key",
		read: func(f field, c *Config) { c.HTTP.TLS.Key = readOptionalFile(f, "a file with a private key (PEM)") }},
	{key: "http.tls.clients", kind: kindText,
		help: "a file with the certificates (PEM) that vouch for those of operators (default: none are asked for)", example: "/etc/ccxmld/operators-ca.pem",
		read: func(f field, c *Config) { c.HTTP.TLS.Clients = readOptionalFile(f, "a file with certificates (PEM)") }},
	{key: "api.operators", live: true, kind: kindList, hidden: true,
		help: "who may use the operators' API, and with what (default: this machine, everything)", example: "[{name: ann, role: operate, key_file: ann.key}]",
		read: readOperators},
	{key: "api.oidc.issuer", kind: kindText,
		help: "who issues the tokens of further operators by OpenID Connect", example: "https://id.example.org",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.API.OIDC.Issuer, _ = f.matching(issuerURL, "the https:// URL of an OpenID Connect issuer, such as https://id.example.org")
			}
		}},
	{key: "api.oidc.audience", kind: kindText,
		help: "what these tokens must be for (aud)", example: "ccxmld",
		read: func(f field, c *Config) { c.API.OIDC.Audience, _ = f.text("the audience of the issuer's tokens") }},
	{key: "api.oidc.claim", kind: kindText, usual: "roles",
		help: "the claim that holds an operator's roles: read, operate or admin",
		read: func(f field, c *Config) {
			c.API.OIDC.Claim, _ = f.matching(operatorName, "the name of a claim, such as roles")
		}},
	{key: "redis.url", kind: kindText, hidden: true,
		help: "the Redis that holds shared state (default: an embedded one)",
		read: readRedisURL},
	{key: "redis.ca", kind: kindText,
		help: "a file with the certificates (PEM) that vouch for Redis by TLS (default: those of the system)", example: "/etc/ccxmld/redis-ca.pem",
		read: func(f field, c *Config) {
			c.Redis.CA = readOptionalFile(f, "a file with certificates (PEM)")
		}},
	{key: "redis.prefix", kind: kindText, usual: "ccxml:",
		help: "what every Redis key begins with",
		read: func(f field, c *Config) {
			c.Redis.Prefix, _ = f.matching(keyPrefix, "1 to 64 letters, digits and . _ : -, such as ccxml:")
		}},
	{key: "redis.write_every", kind: kindDuration, usual: "100ms",
		help: "how often what has changed of sessions is written to Redis",
		read: func(f field, c *Config) { c.Redis.WriteEvery, _ = f.duration(10*time.Millisecond, 5*time.Second) }},
	{key: "documents.routes", live: true, kind: kindList,
		help: "which document answers an incoming call", example: `[{destination: '1\d{3}', uri: 'file:///etc/ccxmld/hello.ccxml'}]`,
		read: readDocumentRoutes},
	{key: "documents.allow", live: true, kind: kindWords,
		help: "beginnings of the URIs that may be fetched (default: the folders of the configured documents)", example: "[https://example.org/ccxml/]",
		read: readDocumentAllow},
	{key: "documents.links", live: true, kind: kindWord, usual: "false",
		help: "whether files may be symbolic links out of documents.allow: true or false",
		read: func(f field, c *Config) { c.Documents.Links = f.truth() }},
	{key: "tokens", live: true, kind: kindMap, hidden: true,
		help: "which document a token starts", example: "{s3cret: {uri: 'file:///etc/ccxmld/outbound.ccxml', sessions: 100}}",
		read: readTokens},
	{key: "dial.routes", live: true, kind: kindList,
		help: "how destinations of createcall become FreeSWITCH dial strings", example: `[{match: 'tel:(\d+)', dial: 'sofia/gateway/carrier/$1'}]`,
		read: readDialRoutes},
	{key: "dial.redirects", live: true, kind: kindCount, usual: "0",
		help: "how often an outbound call goes on to where its callee redirects it, by dial.routes",
		read: func(f field, c *Config) { c.Dial.Redirects, _ = f.count(0, 5) }},
	{key: "dialog.tts.engine", kind: kindText, usual: "flite",
		help: "FreeSWITCH's text-to-speech engine",
		read: func(f field, c *Config) {
			c.Dialog.TTS.Engine, _ = f.matching(engineName, "the name of a FreeSWITCH speech engine, such as flite")
		}},
	{key: "dialog.tts.voice", kind: kindText, usual: "kal",
		help: "the voice of the text-to-speech engine",
		read: func(f field, c *Config) {
			c.Dialog.TTS.Voice, _ = f.matching(engineName, "the name of a voice of the engine, such as kal")
		}},
	{key: "dialog.asr", kind: kindText,
		help: "FreeSWITCH's engine for speech recognition (default: none, speech is not listened to)", example: "unimrcp",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.Dialog.ASR, _ = f.matching(engineName, "the name of a FreeSWITCH speech recognition engine, such as unimrcp or unimrcp:profile")
			}
		}},
	{key: "dialog.sounds", kind: kindText,
		help: "the folder or URI against which relative audio is resolved (default: the document)",
		read: readSounds},
	{key: "dialog.spool", kind: kindText, usual: filepath.Join(os.TempDir(), "ccxmld-spool"),
		help: "the directory, shared with FreeSWITCH, for audio fetched by HTTP",
		read: func(f field, c *Config) { c.Dialog.Spool = readDirectory(f, c.Dialog.Spool) }},
	{key: "dialog.spool_bytes", kind: kindSize, usual: "1GiB",
		help: "what fetched audio may take there, the oldest goes first; 0 for no bound",
		read: func(f field, c *Config) { c.Dialog.SpoolBytes, _ = f.size(0, 1<<50) }},
	{key: "dialog.spool_age", kind: kindDuration, usual: "24h",
		help: "how long fetched audio stays there unused; 0s for ever",
		read: func(f field, c *Config) { c.Dialog.SpoolAge, _ = f.duration(0, 10*365*24*time.Hour) }},
	{key: "dialog.recordings", kind: kindText, usual: filepath.Join(os.TempDir(), "ccxmld-recordings"),
		help: "the directory, on FreeSWITCH's machine, that it writes recordings to",
		read: func(f field, c *Config) { c.Dialog.Recordings = readDirectory(f, c.Dialog.Recordings) }},
	{key: "dialog.recordings_bytes", kind: kindSize, usual: "10GiB",
		help: "what recordings may take there, the oldest goes first; 0 for no bound",
		read: func(f field, c *Config) { c.Dialog.RecordingsBytes, _ = f.size(0, 1<<50) }},
	{key: "dialog.recordings_age", kind: kindDuration, usual: "720h",
		help: "how long recordings stay there; 0s for ever",
		read: func(f field, c *Config) { c.Dialog.RecordingsAge, _ = f.duration(0, 10*365*24*time.Hour) }},
	{key: "dialog.voicexml", kind: kindText, usual: internalVoiceXML,
		help: "who runs VoiceXML: internal, or the SIP URI of a server (RFC 5552) that dial.routes reach",
		read: func(f field, c *Config) {
			c.Dialog.VoiceXML, _ = f.matching(voiceXMLServer, "internal, or a SIP URI without parameters, such as sip:vxml.example.org")
		}},
	{key: "conference.profile", kind: kindText, usual: "ccxmld",
		help: "the profile in FreeSWITCH's conference.conf.xml",
		read: func(f field, c *Config) {
			c.Conference.Profile, _ = f.matching(profileName, "letters, digits, - and _, such as ccxmld or default")
		}},
	{key: "mail.smtp", kind: kindAddress,
		help: "the relay for the mails of voxeo:sendemail (default: no mail is sent)",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.Mail.SMTP, _ = f.address("127.0.0.1:25")
			}
		}},
	{key: "mail.from", kind: kindText, usual: "ccxmld@localhost",
		help: "the sender of mails for which a document names none",
		read: readMailFrom},
	{key: "limits.sessions", live: true, kind: kindCount, usual: "10000",
		help: "sessions at a time",
		read: func(f field, c *Config) { c.Limits.Sessions, _ = f.count(1, 1_000_000) }},
	{key: "limits.percent_for_calls", live: true, kind: kindCount, usual: "20",
		help: "percent of limits.sessions that are kept for incoming calls",
		read: func(f field, c *Config) { c.Limits.PercentForCalls, _ = f.count(0, 90) }},
	{key: "limits.children_per_session", live: true, kind: kindCount, usual: "100",
		help: "sessions that one session has created, at a time",
		read: func(f field, c *Config) { c.Limits.ChildrenPerSession, _ = f.count(1, 100_000) }},
	{key: "limits.children_per_tree", live: true, kind: kindCount, usual: "1000",
		help: "sessions that descend from one session, or that one address has created, at a time",
		read: func(f field, c *Config) { c.Limits.ChildrenPerTree, _ = f.count(1, 1_000_000) }},
	{key: "limits.children_per_second", live: true, kind: kindCount, usual: "20",
		help: "sessions a second that are created by one session and its descendants, or by one address",
		read: func(f field, c *Config) { c.Limits.ChildrenPerSecond, _ = f.count(1, 10_000) }},
	{key: "limits.refuse_cause", kind: kindText, usual: "SWITCH_CONGESTION",
		help: "the hangup cause of calls beyond limits.sessions",
		read: func(f field, c *Config) {
			c.Limits.RefuseCause, _ = f.matching(causeName, "a FreeSWITCH hangup cause, such as SWITCH_CONGESTION or USER_BUSY")
		}},
	{key: "limits.events_queued", live: true, kind: kindCount, usual: "1000",
		help: "events that may wait in one session",
		read: func(f field, c *Config) { c.Limits.EventsQueued, _ = f.count(10, 1_000_000) }},
	{key: "limits.events_per_second", live: true, kind: kindCount, usual: "1000",
		help: "events a second that one session may handle for long; one that handles more is slowed",
		read: func(f field, c *Config) { c.Limits.EventsPerSecond, _ = f.count(10, 1_000_000) }},
	{key: "limits.connections_per_session", live: true, kind: kindCount, usual: "100",
		help: "connections that one session may hold",
		read: func(f field, c *Config) { c.Limits.ConnectionsPerSession, _ = f.count(1, 10_000) }},
	{key: "limits.dialogs_per_session", live: true, kind: kindCount, usual: "100",
		help: "dialogs that one session may run",
		read: func(f field, c *Config) { c.Limits.DialogsPerSession, _ = f.count(1, 10_000) }},
	{key: "limits.conferences_per_session", live: true, kind: kindCount, usual: "20",
		help: "conferences that one session may hold",
		read: func(f field, c *Config) { c.Limits.ConferencesPerSession, _ = f.count(1, 10_000) }},
	{key: "limits.members_per_conference", live: true, kind: kindCount, usual: "1000",
		help: "connections in one conference, and slots that can be reserved",
		read: func(f field, c *Config) { c.Limits.MembersPerConference, _ = f.count(1, 100_000) }},
	{key: "limits.script_steps", live: true, kind: kindCount, usual: "20000000",
		help: "steps of the engine for one expression or script",
		read: func(f field, c *Config) { c.Limits.ScriptSteps, _ = f.count(10_000, 2_000_000_000) }},
	{key: "limits.script_memory", live: true, kind: kindSize, usual: "32MiB",
		help: "what the variables of a session may take",
		read: func(f field, c *Config) { c.Limits.ScriptMemory, _ = f.size(1<<20, 1<<30) }},
	{key: "limits.process_memory", kind: kindSize, usual: "4GiB",
		help: "memory of the process beyond which it takes no new sessions",
		read: func(f field, c *Config) { c.Limits.ProcessMemory, _ = f.size(64<<20, 1<<40) }},
	{key: "limits.ecmascript", live: true, kind: kindText, usual: "classic",
		help: "what documents get of ECMAScript: classic or full",
		read: func(f field, c *Config) {
			word, _ := f.oneOf("classic", "full")
			c.Limits.FullECMAScript = word == "full"
		}},
	{key: "limits.script_time", live: true, kind: kindDuration, usual: "10s",
		help: "time for one expression or script",
		read: func(f field, c *Config) { c.Limits.ScriptTime, _ = f.duration(time.Millisecond, time.Minute) }},
	{key: "limits.regexp_backtracking", live: true, kind: kindWord, usual: "true",
		help: "whether regular expressions may have lookarounds and backreferences",
		read: func(f field, c *Config) { c.Limits.Backtracking = f.truth() }},
	{key: "limits.session_lifetime", live: true, kind: kindDuration, usual: "24h",
		help: "age at which a session is ended",
		read: func(f field, c *Config) { c.Limits.SessionLifetime, _ = f.duration(time.Second, 30*24*time.Hour) }},
	{key: "limits.document_bytes", live: true, kind: kindSize, usual: "1MiB",
		help: "size of a document, script or VoiceXML dialog",
		read: func(f field, c *Config) { c.Limits.DocumentBytes, _ = f.size(1<<10, 64<<20) }},
	{key: "limits.audio_bytes", live: true, kind: kindSize, usual: "32MiB",
		help: "size of an audio file fetched by HTTP",
		read: func(f field, c *Config) { c.Limits.AudioBytes, _ = f.size(1<<10, 1<<30) }},
	{key: "limits.fetch_timeout", live: true, kind: kindDuration, usual: "10s",
		help: "time for one fetch",
		read: func(f field, c *Config) { c.Limits.FetchTimeout, _ = f.duration(100*time.Millisecond, 10*time.Minute) }},
	{key: "limits.originates_per_second", live: true, kind: kindCount, usual: "20",
		help: "outbound calls a second, for each node",
		read: func(f field, c *Config) { c.Limits.OriginatesPerSecond, _ = f.count(1, 10_000) }},
	{key: "limits.originates_waiting", live: true, kind: kindCount, usual: "600",
		help: "outbound calls that may wait for their turn, for each node",
		read: func(f field, c *Config) { c.Limits.OriginatesWaiting, _ = f.count(1, 100_000) }},
	{key: "records.directory", kind: kindText,
		help: "the directory of the call detail records (default: none are kept)", example: "/var/lib/ccxmld/records",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.Records.Directory, _ = f.filePath("a directory, such as /var/lib/ccxmld/records")
			}
		}},
	{key: "records.file_bytes", kind: kindSize, usual: "64MiB",
		help: "after how many bytes another file of records is begun",
		read: func(f field, c *Config) { c.Records.FileBytes, _ = f.size(1<<16, 1<<40) }},
	{key: "records.keep", kind: kindDuration, usual: "720h",
		help: "how long records are kept there",
		read: func(f field, c *Config) { c.Records.Keep, _ = f.duration(time.Hour, 10*365*24*time.Hour) }},
	{key: "records.webhook.url", kind: kindText, hidden: true,
		help: "where records are posted as well", example: "https://billing.example.org/calls",
		read: readWebhook},
	{key: "records.webhook.secret_file", kind: kindText,
		help: "a file with the secret that these posts are signed with", example: "/etc/ccxmld/webhook.secret",
		read: func(f field, c *Config) {
			if f.node.Value != "" || f.node.Kind != yaml.ScalarNode {
				c.Records.WebhookSecret, _ = f.secretFile()
			}
		}},
	{key: "drain.timeout", live: true, kind: kindDuration, usual: "10m",
		help: "how long sessions may go on after SIGTERM; with 0s they are ended at once",
		read: func(f field, c *Config) { c.Drain.Timeout, _ = f.duration(0, 7*24*time.Hour) }},
	{key: "log.level", live: true, kind: kindText, usual: "info",
		help: "what is logged: debug, info, warn or error",
		read: func(f field, c *Config) { c.Log.Level, _ = f.level() }},
	{key: "log.format", kind: kindText, usual: "text",
		help: "how it is logged: text or json",
		read: func(f field, c *Config) { c.Log.Format, _ = f.oneOf("text", "json") }},
	{key: "log.lines_per_second", kind: kindCount, usual: "50",
		help: "lines a second that each session, and each remote address, may log",
		read: func(f field, c *Config) { c.Log.LinesPerSecond, _ = f.count(1, 1_000_000) }},
}

var (
	keyPrefix    = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`) // no braces: they choose the slot in Redis Cluster
	controllerID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
	// engineName has no | ; speak's argument is ENGINE|VOICE|TEXT.
	engineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)
	// voiceXMLServer has no parameters: ccxmld sets them, to name the page.
	voiceXMLServer = regexp.MustCompile(`^(internal|sips?:([A-Za-z0-9+*#._~%-]+@)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?)$`)
	profileName    = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	baseURL        = regexp.MustCompile(`^(https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)?$`)
	causeName      = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
)

// Keys are the names of all settings, in the order of conf/ccxmld.yaml.
func Keys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// flag is the setting's flag without the dashes: esl-listen.
func (s setting) flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.key)
}

// variable is the setting's environment variable: CCXMLD_ESL_LISTEN.
func (s setting) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// parse makes a node of the text of a flag or variable. A single value is
// taken as it is; only lists and maps are YAML.
func (s setting) parse(text string) (*yaml.Node, error) {
	trimmed := strings.TrimSpace(text)
	switch {
	case s.kind == kindWords && trimmed != "" && trimmed[0] != '[' && !strings.HasPrefix(trimmed, "- "):
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for word := range strings.SplitSeq(trimmed, ",") {
			list.Content = append(list.Content, scalar(strings.TrimSpace(word)))
		}
		return list, nil
	case (s.kind == kindWords || s.kind == kindList || s.kind == kindMap) && trimmed != "":
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			return nil, err
		}
		if alias := findAlias(&doc); alias != nil {
			return nil, fmt.Errorf("an alias, *%s", alias.Value)
		}
		if len(doc.Content) == 0 { // only comments
			return scalar(""), nil
		}
		return doc.Content[0], nil
	default:
		return scalar(text), nil
	}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// show is the value as Config.String prints it.
func (s setting) show(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return fmt.Sprintf("%d entries", len(n.Content))
	case n.Kind == yaml.MappingNode:
		return fmt.Sprintf("%d entries", len(n.Content)/2)
	case s.hidden && n.Value != "":
		return redacted
	default:
		return n.Value
	}
}

func isSetting(path string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.key == path })
}

func isSection(path string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return strings.HasPrefix(s.key, path+delimiter) })
}

// knownPaths are the paths one level below a prefix.
func knownPaths(prefix string) []string {
	var known []string
	for _, s := range settings {
		rest, ok := strings.CutPrefix(s.key, prefix)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, delimiter)
		if path := prefix + name; !slices.Contains(known, path) {
			known = append(known, path)
		}
	}
	return known
}

// misplacedKey says what to do about a key that is not known where it stands: it may
// be one of another section.
func misplacedKey(path, name, prefix string) string {
	var same []string
	for _, s := range settings {
		for at := s.key; at != ""; at = at[:max(0, strings.LastIndex(at, delimiter))] {
			if at[strings.LastIndex(at, delimiter)+1:] == name && !slices.Contains(same, at) {
				same = append(same, at)
			}
		}
	}
	if len(same) > 0 {
		return "did you mean " + strings.Join(same, " or ") + "?"
	}
	return unknownKey(path, knownPaths(prefix))
}

// keysBelow lists the paths below a prefix for a message.
func keysBelow(prefix string) string {
	return "the keys " + strings.Join(knownPaths(prefix), ", ")
}
