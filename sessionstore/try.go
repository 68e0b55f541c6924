package sessionstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Reasons for which a Redis cannot be the store's.
var (
	// ErrOldRedis means that it is older than streams, Redis 5.
	ErrOldRedis = errors.New("older than Redis 5")
	// ErrNoPermission means that Redis does not let us in, or refuses commands
	// that the store needs.
	ErrNoPermission = errors.New("refused by Redis")
)

// trial does in a script what the store's own do: it reads the clock, then writes
// each kind of value with a time to live. All keys are in one slot.
var trial = redis.NewScript(`
local now = redis.call('TIME')
redis.call('SET', KEYS[1], now[1], 'PX', 5000)
redis.call('HSET', KEYS[2], 'at', now[1])
redis.call('SADD', KEYS[3], 'a')
redis.call('ZADD', KEYS[4], now[1], 'a')
redis.call('XADD', KEYS[5], '*', 'at', now[1])
for i = 2, 5 do redis.call('PEXPIRE', KEYS[i], 5000) end
return redis.call('XLEN', KEYS[5])`)

// Try looks whether the Redis of o.URL does what a Store asks of it, under keys of
// its own below o.Prefix, which it removes. It returns Redis's version, "" if that
// is not told. The error wraps ErrOldRedis or ErrNoPermission where it is one of
// these; it never holds the URL.
func Try(ctx context.Context, o Options) (version string, err error) {
	setDefaults(&o)
	options, err := clientOptions(o.URL, o.CA)
	if err != nil {
		return "", err
	}
	client := newClient(options)
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := client.Ping(ctx).Err(); err != nil {
		return "", refusal("PING", err)
	}
	if info, err := client.Info(ctx, "server").Result(); err == nil { // not every account may ask
		version = infoField(info, "redis_version")
	}
	if major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0]); err == nil && major < 5 {
		return version, fmt.Errorf("it is Redis %s: %w", version, ErrOldRedis)
	}
	return version, try(ctx, client, o.Prefix)
}

func try(ctx context.Context, client redis.UniversalClient, prefix string) (err error) {
	tag := prefix + "doctor:{" + uuid.NewString() + "}:"
	var keys []string
	for _, kind := range []string{"string", "hash", "set", "leases", "mail"} {
		keys = append(keys, tag+kind)
	}
	defer func() { err = errors.Join(err, refusal("DEL", client.Del(ctx, keys...).Err())) }()
	if err := trial.Run(ctx, client, keys).Err(); err != nil {
		return refusal("a Lua script", err)
	}
	for _, command := range []redis.Cmder{
		client.HGetAll(ctx, keys[1]),
		client.SMembers(ctx, keys[2]),
		client.XRead(ctx, &redis.XReadArgs{Streams: []string{keys[4], "0"}, Count: 1, Block: -1}),
	} {
		if err := command.Err(); err != nil {
			return refusal(strings.ToUpper(command.Name()), err)
		}
	}
	return nil
}

// refusal says which command Redis refused, and whether for want of permission.
func refusal(command string, err error) error {
	if err == nil {
		return nil
	}
	for _, code := range []string{"NOAUTH", "WRONGPASS", "NOPERM", "ACL failure"} {
		if strings.Contains(err.Error(), code) {
			return fmt.Errorf("%s: %w: %w", command, ErrNoPermission, err)
		}
	}
	return fmt.Errorf("%s: %w", command, err)
}

func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
