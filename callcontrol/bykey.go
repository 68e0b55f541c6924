package callcontrol

import (
	"iter"
	"maps"
	"slices"
)

// byKey gives what is in a map, in the order of the keys, so that the same calls
// have the same course every time. What is deleted meanwhile is left out.
func byKey[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if value, ok := m[key]; ok && !yield(key, value) {
				return
			}
		}
	}
}
