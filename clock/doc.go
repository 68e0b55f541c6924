// Package clock is where all of ccxmld has its time from: a [Clock] tells it
// and calls functions after a while, [Real] is the one on the wall, and a
// [Timer] is a call that was asked for and knows when it was stopped. No other
// package of the daemon asks the time package what time it is.
package clock
