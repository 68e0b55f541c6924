// Package srgs compiles grammars of SRGS 1.0 in DTMF mode, both in the XML and in
// the ABNF form, and the builtin ones of VoiceXML 2.0, appendix P, and says what
// the digits mean that they match (SISR 1.0).
//
//	grammar, err := srgs.Compile(srgs.Source{URI: uri, Root: node, Places: places}, load) // XML
//	grammar, err := srgs.Compile(srgs.Source{URI: uri, Text: text}, load)                 // ABNF
//	grammar, err := srgs.Builtin("builtin:dtmf/boolean?y=7;n=9")                          // or "boolean"
//	grammar, err := srgs.Keys("1 2", value)                                               // dtmf="1 2"
//	errors.Is(err, srgs.ErrSpeech)            // a grammar for speech: pass it on, or over
//	dialog.Listen{Grammar: grammar, …}        // Match, digit by digit
//	value, err := grammar.Interpret(digits, limits) // once the turn has ended in Input
//	srgs.Value(vm, value)                     // in the page's own ECMAScript
//
// A grammar is compiled once, does not change, and is shared by all dialogs. The
// error of Compile is of type script.Problems, with the URI, line and column of
// each, or is ErrSpeech; Compiled.Notices is what the author should know.
//
// Rules become a network of nodes; digits are matched by Earley's algorithm over
// it, so that time grows with at most the cube of the digits, whatever the grammar.
// Only the digits that matched are parsed again for their tags, which run in a
// runtime of their own.
package srgs
