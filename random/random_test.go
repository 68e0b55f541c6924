package random_test

import (
	"testing"

	"github.com/google/uuid"

	"ccxmld/random"
)

// TestSource: a seed decides everything, the system's source nothing.
func TestSource(t *testing.T) {
	t.Parallel()
	all := func(s *random.Source) [4]any {
		return [4]any{s.UUID(), s.UUID(), s.Float64(), s.Uint64()}
	}
	first := all(random.Seeded(7))
	if again := all(random.Seeded(7)); again != first {
		t.Errorf("%v, then %v", first, again)
	}
	for name, other := range map[string][4]any{"another seed": all(random.Seeded(8)), "the system": all(nil)} {
		for i := range other {
			if other[i] == first[i] {
				t.Errorf("%s gives %v, too", name, other[i])
			}
		}
	}
	for _, id := range []any{first[0], first[1]} {
		if parsed, err := uuid.Parse(id.(string)); err != nil || parsed.Version() != 4 || parsed.Variant() != uuid.RFC4122 {
			t.Errorf("%v is no random UUID: %v", id, err)
		}
	}
	if first[0] == first[1] {
		t.Error("two ids are one")
	}
}
