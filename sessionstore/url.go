package sessionstore

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Times of the client. They are short because Redis is never waited for by a
// call: an operation that fails is made up for at the next renewal.
const (
	dialTimeout = time.Second
	ioTimeout   = 2 * time.Second

	embeddedTimeout = time.Minute // for the answer of an embedded one
	poolTimeout     = 3 * time.Second
	retries         = 1
)

// clientOptions translates a URL of one of the forms
//
//	redis://[user:password@]host[:port][/db]          one server (rediss: with TLS)
//	unix:///path/to/socket[?db=0]                     one server
//	redis-sentinel://[user:password@]host:port,host:port/name[?db=0]
//	redis-cluster://[user:password@]host:port,host:port
//
// with rediss-sentinel and rediss-cluster for TLS and go-redis's own query
// parameters. ca is a file of certificates for TLS, "" for the system's. Errors never
// repeat the URL, which may hold a password.
func clientOptions(address, ca string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return nil, errors.New("redis URL: want redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://")
	}
	var o *redis.UniversalOptions
	var err error
	switch scheme {
	case "redis", "rediss", "unix":
		o, err = singleOptions(address)
	case "redis-sentinel", "rediss-sentinel":
		o, err = sentinelOptions(strings.TrimSuffix(scheme, "-sentinel"), rest)
	case "redis-cluster", "rediss-cluster":
		o, err = clusterOptions(strings.TrimSuffix(scheme, "-cluster"), rest)
	default:
		return nil, fmt.Errorf("redis URL: unknown scheme %q: want redis, rediss, unix, redis-sentinel or redis-cluster", scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("redis URL: %w", withoutURL(err))
	}
	if err := trust(o, ca); err != nil {
		return nil, err
	}
	applyDefaults(o)
	return o, nil
}

// trust has TLS know the certificates of a file, and each server by its own name.
func trust(o *redis.UniversalOptions, ca string) error {
	switch {
	case ca == "":
	case o.TLSConfig == nil:
		return errors.New("there are certificates for TLS, which the redis URL does not ask for; write rediss in it")
	default:
		text, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("certificates for redis: %w", err)
		}
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if !o.TLSConfig.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("certificates for redis: %s holds none in PEM", ca)
		}
	}
	if o.TLSConfig != nil && (o.MasterName != "" || o.IsClusterMode) {
		o.TLSConfig.ServerName = "" // go-redis has that of the first address
	}
	return nil
}

func singleOptions(address string) (*redis.UniversalOptions, error) {
	p, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	o := &redis.UniversalOptions{
		Addrs: []string{p.Addr}, DB: p.DB, Username: p.Username, Password: p.Password,
		ClientName: p.ClientName, Protocol: p.Protocol, TLSConfig: p.TLSConfig,
		PoolSize: p.PoolSize, MinIdleConns: p.MinIdleConns,
		DialTimeout: p.DialTimeout, ReadTimeout: p.ReadTimeout, WriteTimeout: p.WriteTimeout,
		PoolTimeout: p.PoolTimeout, MaxRetries: p.MaxRetries,
	}
	return o, nil
}

func sentinelOptions(scheme, rest string) (*redis.UniversalOptions, error) {
	hosts, path, query, err := splitHosts(rest)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, errors.New("want the name of the master after the sentinels: redis-sentinel://HOST:26379/NAME")
	}
	query.Set("master_name", path)
	p, err := redis.ParseFailoverURL(hosts.parseable(scheme, query))
	if err != nil {
		return nil, err
	}
	return &redis.UniversalOptions{
		Addrs: p.SentinelAddrs, MasterName: p.MasterName, DB: p.DB,
		Username: p.Username, Password: p.Password,
		ClientName: p.ClientName, Protocol: p.Protocol, TLSConfig: p.TLSConfig,
		PoolSize: p.PoolSize, MinIdleConns: p.MinIdleConns,
		DialTimeout: p.DialTimeout, ReadTimeout: p.ReadTimeout, WriteTimeout: p.WriteTimeout,
		PoolTimeout: p.PoolTimeout, MaxRetries: p.MaxRetries,
	}, nil
}

func clusterOptions(scheme, rest string) (*redis.UniversalOptions, error) {
	hosts, path, query, err := splitHosts(rest)
	if err != nil {
		return nil, err
	}
	if path != "" {
		return nil, errors.New("a Redis Cluster has no databases: want nothing after the addresses")
	}
	p, err := redis.ParseClusterURL(hosts.parseable(scheme, query))
	if err != nil {
		return nil, err
	}
	return &redis.UniversalOptions{
		Addrs: p.Addrs, IsClusterMode: true,
		Username: p.Username, Password: p.Password,
		ClientName: p.ClientName, Protocol: p.Protocol, TLSConfig: p.TLSConfig,
		PoolSize: p.PoolSize, MinIdleConns: p.MinIdleConns,
		DialTimeout: p.DialTimeout, ReadTimeout: p.ReadTimeout, WriteTimeout: p.WriteTimeout,
		PoolTimeout: p.PoolTimeout, MaxRetries: p.MaxRetries, MaxRedirects: p.MaxRedirects,
	}, nil
}

// clusterReload is how old what a client knows of a Cluster may be. Until it looks again
// after a failover its pipelines go to the master that is gone; go-redis looks once a
// minute if it is not told otherwise.
const clusterReload = 2 * time.Second

// newClient makes the client of options.
func newClient(o *redis.UniversalOptions) redis.UniversalClient {
	if !o.IsClusterMode {
		return redis.NewUniversalClient(o)
	}
	c := o.Cluster()
	c.ClusterStateReloadInterval = clusterReload
	return redis.NewClusterClient(c)
}

// hostList is what stands between the scheme and the path of a URL that names
// several hosts, which net/url does not read.
type hostList struct {
	user  string // with its "@", or ""
	hosts []string
}

func splitHosts(rest string) (hostList, string, url.Values, error) {
	rest, rawQuery, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return hostList{}, "", nil, errors.New("malformed query")
	}
	var list hostList
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		list.user, authority = authority[:at+1], authority[at+1:]
	}
	for host := range strings.SplitSeq(authority, ",") {
		if host == "" {
			return hostList{}, "", nil, errors.New("want HOST:PORT,HOST:PORT after the scheme")
		}
		list.hosts = append(list.hosts, host)
	}
	return list, path, query, nil
}

// parseable writes the list in the form that go-redis reads: the first host in
// its place, the others as addr parameters.
func (l hostList) parseable(scheme string, query url.Values) string {
	for _, host := range l.hosts[1:] {
		query.Add("addr", host)
	}
	return scheme + "://" + l.user + l.hosts[0] + "?" + query.Encode()
}

// withoutURL strips the URL, and the password in it, from an error of net/url.
func withoutURL(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	return err
}

func applyDefaults(o *redis.UniversalOptions) {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.DialTimeout, dialTimeout}, {&o.ReadTimeout, ioTimeout},
		{&o.WriteTimeout, ioTimeout}, {&o.PoolTimeout, poolTimeout},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.MaxRetries == 0 {
		o.MaxRetries = retries
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	// Notices of a hosted Redis about its maintenance; servers without them
	// would be asked for them on each connection.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
