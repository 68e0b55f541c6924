package freeswitch

import "time"

// What a node is waited for. docs/design.md has the table of all deadlines.
const (
	// jobTimeout is for the result of a job that only asks, and jobAsked how often such
	// a job is given before it counts as lost.
	jobTimeout = 5 * time.Second
	jobAsked   = 3
	// beginTimeout is for an application to begin whose turn it is. What is broken off and
	// runs still is broken off once more after breakAgainAfter, and counts as ended after
	// breakTimeout.
	beginTimeout    = 15 * time.Second
	breakAgainAfter = 500 * time.Millisecond
	breakTimeout    = 5 * time.Second
	// cutsToldAfter is how long sockets of channels that end are counted before the log
	// has them.
	cutsToldAfter = time.Second
	// A channel whose controllers are all gone may stay for mostUnattended, and tries after
	// comeAgainAfter whether one is there again. It is longer than a controller takes to
	// start and than leases in Redis last, and as long as a caller bears silence.
	comeAgainAfter = 10 * time.Second
	mostUnattended = time.Minute
	// cascadeSilence is after how long without audio from the other node a cascade ends:
	// a machine that has lost its power says no BYE. Rooms send comfort noise.
	cascadeSilence = 10 * time.Second
	// cascadeUnattended is how long a cascade lasts of which no controller says that it is
	// needed.
	cascadeUnattended = 10 * time.Minute
	// moment is how long a call stays that is in a room only to be seen there.
	moment = time.Second
	// A node whose calls fail is passed over for shortestRest, and for twice as long
	// each time that the next call fails too.
	shortestRest = 10 * time.Second
	longestRest  = 5 * time.Minute
)
