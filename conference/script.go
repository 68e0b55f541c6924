package conference

import (
	"context"
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// scripts are the operations on a conference that must not race.
type scripts struct {
	create, detach, join, leave, renew, sync, sweep, change, cascade, cascaded, end *redis.Script
}

func loadScripts() scripts {
	load := func(name string) *redis.Script {
		return redis.NewScript(source("prelude") + source(name))
	}
	return scripts{
		create: load("create"), detach: load("detach"), join: load("join"), leave: load("leave"),
		renew: load("renew"), sync: load("sync"), sweep: load("sweep"),
		change: load("change"), cascade: load("cascade"), cascaded: load("cascaded"), end: load("end"),
	}
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(text)
}

// call is one script on one conference, in a pipeline.
type call struct {
	keys  []string
	args  []any
	reply *redis.Cmd
}

// runAll runs a script on many conferences in one round trip; in two where Redis
// does not know it yet. A call's own error stands in its reply.
func runAll(ctx context.Context, client redis.UniversalClient, script *redis.Script, calls []call) error {
	if len(calls) == 0 {
		return nil
	}
	send := func(each func(redis.Pipeliner, *call) *redis.Cmd) error {
		pipe := client.Pipeline()
		for i := range calls {
			calls[i].reply = each(pipe, &calls[i])
		}
		_, err := pipe.Exec(ctx)
		return err
	}
	err := send(func(p redis.Pipeliner, c *call) *redis.Cmd {
		return script.EvalSha(ctx, p, c.keys, c.args...)
	})
	if err == nil || !anyUnknown(calls) {
		return err
	}
	// All again: each script does no harm when it runs twice.
	return send(func(p redis.Pipeliner, c *call) *redis.Cmd {
		return script.Eval(ctx, p, c.keys, c.args...)
	})
}

func anyUnknown(calls []call) bool {
	for i := range calls {
		if err := calls[i].reply.Err(); err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			return true
		}
	}
	return false
}

func (r *Registry) keys(tag string) []string {
	key := r.store.Prefix() + "conference:{" + tag + "}"
	return []string{key, key + ":sessions", key + ":members", key + ":leases", key + ":epoch", key + ":cascades", key + ":ended"}
}

func (r *Registry) indexKey() string { return r.store.Prefix() + "conferences" }
