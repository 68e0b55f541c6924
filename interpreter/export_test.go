package interpreter

// What the external tests look at from inside.
var ParseInterval = parseInterval

// MatchPattern tells whether a pattern matches an event's name in lower case.
func MatchPattern(pattern, name string) bool { return compilePattern(pattern).match(name) }
