package conference_test

import (
	"errors"
	"strings"
	"testing"

	"ccxmld/conference"
)

func TestAdmit(t *testing.T) {
	for name, c := range map[string]struct {
		create, join map[string]any
		role         conference.Role
		err          error
	}{
		"open to all":               {nil, nil, conference.Role{}, nil},
		"a moderator by hint":       {nil, map[string]any{"moderator": true}, conference.Role{Moderator: true}, nil},
		"no PIN":                    {map[string]any{"pin": "1234"}, nil, conference.Role{}, conference.ErrPIN},
		"wrong PIN":                 {map[string]any{"pin": "1234"}, map[string]any{"pin": "1235"}, conference.Role{}, conference.ErrPIN},
		"PIN as a number":           {map[string]any{"pin": "1234"}, map[string]any{"pin": int64(1234)}, conference.Role{}, nil},
		"moderator's PIN":           {map[string]any{"pin": "1", "moderatorpin": "2"}, map[string]any{"pin": "2"}, conference.Role{Moderator: true}, nil},
		"moderator without his PIN": {map[string]any{"moderatorpin": "2"}, map[string]any{"moderator": true}, conference.Role{}, conference.ErrModerator},
		"waits":                     {map[string]any{"waitformoderator": true}, nil, conference.Role{WaitsForModerator: true}, nil},
		"ends with him":             {map[string]any{"endwithmoderator": "true", "waitformoderator": true}, map[string]any{"moderator": "true"}, conference.Role{Moderator: true, EndsRoom: true}, nil},
		"joins muted":               {map[string]any{"joinMuted": true}, map[string]any{"deaf": true}, conference.Role{Muted: true, Deaf: true}, nil},
		"moderators are not muted":  {map[string]any{"joinmuted": true}, map[string]any{"moderator": true}, conference.Role{Moderator: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := conference.ParseSettings(c.create)
			if err != nil {
				t.Fatal(err)
			}
			entry, err := conference.ParseEntry(c.join)
			if err != nil {
				t.Fatal(err)
			}
			moderator, err := settings.Admit(entry)
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, expected %v", err, c.err)
			}
			if got := settings.Role(entry, moderator); err == nil && got != c.role {
				t.Errorf("role %+v, expected %+v", got, c.role)
			}
		})
	}
}

func TestBadHints(t *testing.T) {
	for name, value := range map[string]any{
		"pin": "12 34", "moderatorpin": "${x}", "waitformoderator": "perhaps", "locked": int64(1),
		"maxmembers": "many", "entersound": "a\nb", "music": int64(3),
	} {
		if _, err := conference.ParseSettings(map[string]any{name: value}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%v: %v", name, value, err)
		}
	}
	for name, value := range map[string]any{"volumein": int64(5), "volumeout": 0.5, "mute": "x"} {
		if _, err := conference.ParseEntry(map[string]any{name: value}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%v: %v", name, value, err)
		}
	}
}
