// Package memnet is a network in memory: its connections are as ordered and as
// buffered as TCP's on loopback, and what is sent arrives by a clock. With a
// [clock.Virtual] everything on it happens in the same order on every run.
package memnet
