package interpreter_test

import "runtime"

// liveHeap is the size of what is reachable now, in bytes.
func liveHeap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
