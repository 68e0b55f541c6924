// Package random is where the ids and the chance of ccxmld come from. A nil
// [Source] is the system's; one that [Seeded] makes is the same on every run.
package random
