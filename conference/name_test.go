package conference_test

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ccxmld/conference"
	"ccxmld/sessionstore/redistest"
)

// hostile are names that documents and callers could think of.
var hostile = []string{
	"conference_1234", "a b", "a-b", "a_b", "a-2Db", "-", "--", "a%20b", "%", `"'`, "a@b", "a,b", "a\nb",
	"}", "{", "{x}", "${x}", "+flags{mute}", "a|b", "Zürich", "\x00", "\xff\xfe", "a:b", "conference:a",
	"*", "-x1", "-h", ".", "..", "/", "A", "a", strings.Repeat("x", 256), strings.Repeat("x", 255) + "y",
	strings.Repeat(" ", 256), strings.Repeat(" ", 255),
}

func TestHostileNames(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		r, _ := registry(t, server.URL, "a")
		safe := regexp.MustCompile(`^ccxmld-[A-Za-z0-9_-]+-x[0-9]+$`)
		stem := regexp.MustCompile(`-x[0-9]+$`)
		stems := map[string]string{}
		for _, name := range hostile {
			c, created := create(t, r, name, "s")
			if !created {
				t.Errorf("%.20q is taken for another name", name)
			}
			if !safe.MatchString(c.Room) || len(c.Room) > 120 {
				t.Errorf("%.20q has room %q", name, c.Room)
			}
			s := stem.ReplaceAllString(c.Room, "")
			if other, taken := stems[s]; taken {
				t.Errorf("%.20q and %.20q have the same room %s", name, other, s)
			}
			stems[s] = name
			if u, err := url.Parse(c.ID); err != nil || u.Scheme != "conference" {
				t.Errorf("id %q is not a URI: %v", c.ID, err)
			}
			if got, err := r.Get(t.Context(), c.ID); err != nil || got.Name != name {
				t.Errorf("%.20q comes back as %.20q, %v", name, got.Name, err)
			}
			join(t, r, c.ID, "c")
			if n := leave(t, r, c.ID, "c"); n != 0 {
				t.Errorf("%.20q: %d members left", name, n)
			}
			if !detach(t, r, c.ID, "s") {
				t.Errorf("%.20q is not destroyed", name)
			}
		}
		for _, length := range []int{257, 1 << 20} {
			_, _, err := r.CreateOrGet(t.Context(), strings.Repeat("x", length), "s", "n", conference.Limits{}, conference.Settings{})
			if !errors.Is(err, conference.ErrName) {
				t.Errorf("a name of %d bytes: %v", length, err)
			}
		}
		renew(t, r)
		for _, key := range server.Client().Keys(t.Context(), "*").Val() {
			if !strings.HasSuffix(key, ":epoch") && key != "ccxml:health" {
				t.Errorf("left in redis: %q", key)
			}
		}
	})
}

func FuzzID(f *testing.F) {
	for _, name := range hostile {
		f.Add(name, "a")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		idA, errA := conference.ID(a)
		idB, errB := conference.ID(b)
		if errA != nil || errB != nil {
			return
		}
		if (a == b) != (idA == idB) {
			t.Errorf("%q and %q have ids %s and %s", a, b, idA, idB)
		}
		if (a == b) != (conference.RoomStem(a) == conference.RoomStem(b)) {
			t.Errorf("%q and %q have rooms %s and %s", a, b, conference.RoomStem(a), conference.RoomStem(b))
		}
	})
}
