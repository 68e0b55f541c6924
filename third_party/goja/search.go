package goja

// The search for a text in a text. The library's for long ones take time with the
// product of the lengths if the texts are made for it.

// linearFrom is the length from which texts are searched for by indexLinear.
const linearFrom = 64

type codeUnit interface{ ~uint8 | ~uint16 }

// indexLinear returns where sep is first in s, or -1, in time with the sum of the
// lengths (Knuth, Morris and Pratt).
func indexLinear[T codeUnit](s, sep []T) int {
	if len(sep) == 0 {
		return 0
	}
	if len(sep) > len(s) {
		return -1
	}
	next := make([]int32, len(sep))
	for i, k := 1, int32(0); i < len(sep); i++ { // bounded: one string
		for k > 0 && sep[i] != sep[k] { // bounded: one string
			k = next[k-1]
		}
		if sep[i] == sep[k] {
			k++
		}
		next[i] = k
	}
	k := int32(0)
	for i, c := range s { // bounded: one string
		for k > 0 && c != sep[k] { // bounded: one string
			k = next[k-1]
		}
		if c == sep[k] {
			k++
		}
		if int(k) == len(sep) {
			return i - len(sep) + 1
		}
	}
	return -1
}

// lastIndexLinear is indexLinear for the last one.
func lastIndexLinear[T codeUnit](s, sep []T) int {
	if len(sep) == 0 {
		return len(s)
	}
	i := indexLinear(reversed(s), reversed(sep))
	if i < 0 {
		return -1
	}
	return len(s) - i - len(sep)
}

func reversed[T codeUnit](s []T) []T {
	r := make([]T, len(s))
	for i, c := range s { // bounded: one string
		r[len(s)-1-i] = c
	}
	return r
}
