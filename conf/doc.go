// Package conf is ccxmld's configuration: its type, its defaults and its
// checks. It knows what each setting means and refuses what cannot be meant;
// it starts nothing and imports nothing of ccxmld.
//
// A setting has one name in three spellings: the key esl.listen of the YAML
// file, the environment variable CCXMLD_ESL_LISTEN and the flag --esl-listen.
// Where several are given, the flag wins over the environment, the environment
// over the file, the file over the default. A value replaces the weaker one as
// a whole: lists and maps are not merged.
//
//	file ─ YAML with line numbers ─┐
//	environment ─ CCXMLD_… ────────┼─ koanf ─▶ strongest value ─▶ read and check ─▶ Config
//	flags ─ --… ───────────────────┘             per setting      (settings table)
//
// Everything about one setting (name, default, help text, how it is read)
// stands in one row of the table in setting.go; the defaults are written as
// texts and read by the same code as what a user writes. All problems found
// are reported together, each with its place:
//
//	ccxmld.yaml:7: esl.lisen: unknown key; did you mean esl.listen?
//
// The package starts no goroutines. A Config is not changed after Load and may
// be read from any goroutine.
package conf
