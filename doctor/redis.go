package doctor

import (
	"context"
	"errors"
	"fmt"

	"ccxmld/sessionstore"
)

// redis looks whether Redis does what the store asks of it.
func (x *examination) redis(ctx context.Context) {
	const about = "redis"
	if x.config.Redis.URL == "" {
		x.ok(about, "redis", "none is configured: an embedded one keeps the state of this one controller, as long as it runs")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, x.Patience)
	defer cancel()
	version, err := sessionstore.Try(ctx, sessionstore.Options{URL: x.config.Redis.URL, CA: x.config.Redis.CA, Prefix: x.config.Redis.Prefix})
	switch {
	case err == nil:
		x.ok(about, "redis", "Redis %s keeps hashes, sets and streams, and runs scripts", version)
	case errors.Is(err, sessionstore.ErrOldRedis):
		x.problem(about, "version", err.Error(), "update to Redis 5 or later (or Valkey)")
	case errors.Is(err, sessionstore.ErrNoPermission):
		x.problem(about, "permission", err.Error(), fmt.Sprintf("put user and password into redis.url, redis://NAME:PASSWORD@HOST, and allow the user what is needed: ACL SETUSER NAME on '>PASSWORD' '~%s*' +@all -@dangerous +info", x.config.Redis.Prefix))
	default:
		x.problem(about, "redis", err.Error(), "is redis-server running, and does redis.url lead there? redis-cli -u URL ping")
	}
}
