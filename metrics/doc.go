// Package metrics counts what happens, for Prometheus. All metrics are in metrics.go; what
// changes by itself (how many sessions run, whether nodes are up) is asked for when somebody
// scrapes. Labels have values of fixed lists, and names of nodes, which the configuration
// bounds. A nil *Metrics counts nothing.
package metrics
