package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Deployment is one or more redis-servers that belong together.
type Deployment struct {
	// URL is the setting redis.url for it.
	URL string
	// CA is the file with the certificate that vouches for it, "" without TLS.
	CA string
	// FailOver takes the master away for good, the one of everything or of a key, and
	// returns once a replica has its place; nil where there is none.
	FailOver func(key string)
}

// Password is that of deployments that have one.
const Password = "s3cret of redis"

// EachForm runs a test on each form in which a Redis is deployed, of Debian's
// redis-server: one with TLS and a password, one with a replica and three Sentinels, and
// a Cluster of three masters with a replica each.
func EachForm(t *testing.T, test func(t *testing.T, d Deployment)) {
	t.Run("tls", func(t *testing.T) { t.Parallel(); test(t, withTLS(t)) })
	t.Run("sentinel", func(t *testing.T) { t.Parallel(); test(t, Sentinels(t)) })
	t.Run("cluster", func(t *testing.T) { t.Parallel(); test(t, cluster(t)) })
}

// launch starts a redis-server that ends with the test.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("these tests run against a real Redis; install it, on Debian by: apt-get install redis-server (%v)", err)
	}
	p := &process{program: program, directory: t.TempDir(), args: args}
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// withTLS is a server that takes TLS alone, and a password.
func withTLS(t testing.TB) Deployment {
	t.Helper()
	certificates := newCertificates(t)
	port := freePort(t) // the plain one is closed
	p := launch(t, "--port", "0", "--tls-port", strconv.Itoa(port), "--tls-cert-file", certificates.cert, "--tls-key-file", certificates.key,
		"--tls-ca-cert-file", certificates.ca, "--tls-auth-clients", "no", "--requirepass", Password)
	p.port = port
	return Deployment{URL: fmt.Sprintf("rediss://:%s@127.0.0.1:%d", strings.ReplaceAll(Password, " ", "%20"), port), CA: certificates.ca}
}

// Sentinels are a master, a replica, and three Sentinels that watch them.
func Sentinels(t testing.TB) Deployment {
	t.Helper()
	master := launch(t)
	replica := launch(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))
	var addresses []string
	var asked *redis.SentinelClient
	for range 3 {
		file := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("sentinel monitor calls 127.0.0.1 %d 2\nsentinel down-after-milliseconds calls 500\n"+
			"sentinel failover-timeout calls 5000\n", master.port)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sentinel := launch(t, file, "--sentinel")
		addresses = append(addresses, sentinel.address())
		if asked == nil {
			asked = redis.NewSentinelClient(&redis.Options{Addr: sentinel.address()})
			t.Cleanup(func() { _ = asked.Close() })
		}
	}
	state := func(key string) string {
		all, _ := asked.Master(context.Background(), "calls").Result()
		return all[key]
	}
	Patiently(t, "the Sentinels know of each other and of the replica", func() bool {
		return state("num-other-sentinels") == "2" && state("num-slaves") == "1" && replicated(replica)
	})
	return Deployment{
		URL: "redis-sentinel://" + strings.Join(addresses, ",") + "/calls",
		FailOver: func(string) {
			t.Helper()
			master.stop(t)
			Patiently(t, "the replica is the master", func() bool { return state("port") == strconv.Itoa(replica.port) && role(replica) == "master" })
		},
	}
}

// cluster is a Redis Cluster of six nodes.
func cluster(t testing.TB) Deployment {
	t.Helper()
	var nodes []*process
	var addresses []string
	for i := range 6 {
		node := launch(t, "--cluster-enabled", "yes", "--cluster-config-file", fmt.Sprintf("nodes-%d.conf", i), "--cluster-node-timeout", "1000")
		nodes, addresses = append(nodes, node), append(addresses, node.address())
	}
	args := append([]string{"--cluster", "create"}, addresses...)
	command := exec.Command("redis-cli", append(args, "--cluster-replicas", "1", "--cluster-yes")...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses})
	t.Cleanup(func() { _ = client.Close() })
	Patiently(t, "each node of the cluster knows all slots, and replicas follow", func() bool {
		for _, node := range nodes {
			info := answerOf(node, "cluster", "info")
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:6") || role(node) == "slave" && !replicated(node) {
				return false
			}
		}
		return true
	})
	return Deployment{
		URL: "redis-cluster://" + strings.Join(addresses, ","),
		FailOver: func(key string) {
			t.Helper()
			master, err := client.MasterForKey(context.Background(), key)
			if err != nil {
				t.Fatal(err)
			}
			gone := master.Options().Addr
			var left *process
			for _, node := range nodes {
				if node.address() == gone {
					node.stop(t)
				} else {
					left = node
				}
			}
			Patiently(t, "a replica has its slots", func() bool {
				nodes := answerOf(left, "cluster", "nodes")
				return strings.Contains(answerOf(left, "cluster", "info"), "cluster_state:ok") && slotsOf(nodes, gone) == ""
			})
		},
	}
}

// slotsOf gives the slots that an address serves in a list of CLUSTER NODES, "" for
// none.
func slotsOf(list, address string) string {
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) > 8 && strings.HasPrefix(fields[1], address+"@") && !strings.Contains(fields[2], "fail") {
			return strings.Join(fields[8:], " ")
		}
	}
	return ""
}

// answerOf gives the answer of a server to a command, "" if it does not answer.
func answerOf(p *process, args ...any) string {
	client := redis.NewClient(&redis.Options{Addr: p.address(), DisableIdentity: true})
	defer func() { _ = client.Close() }()
	text, _ := client.Do(context.Background(), args...).Text()
	return text
}

func role(p *process) string { return field(answerOf(p, "info", "replication"), "role") }

func replicated(p *process) bool {
	return field(answerOf(p, "info", "replication"), "master_link_status") == "up"
}

func field(info, name string) string {
	_, rest, _ := strings.Cut(info, name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// Patiently waits for what several servers agree on between themselves, which takes them
// seconds, and longer on a busy machine.
func Patiently(t testing.TB, what string, condition func() bool) {
	t.Helper()
	await(t, what, 2*time.Minute, 50*time.Millisecond, condition)
}
