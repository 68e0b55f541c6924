package srgs_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
	"ccxmld/script"
)

// consistent checks what is true of every grammar: what goes on may begin so, and
// what is matched has a meaning, unless a script fails.
func consistent(t *testing.T, g srgs.Grammar, input string) {
	t.Helper()
	if len(input) > 100 {
		return
	}
	m := g.Match(input)
	_, err := g.Interpret(input, script.Limits{Time: 50 * time.Millisecond})
	if (m == dialog.NoMatch || m == dialog.Partial) && err == nil {
		t.Errorf("%q is %v, but means something", input, m)
	}
	if m == dialog.NoMatch {
		return
	}
	for i := 1; i < len(input); i++ {
		if p := g.Match(input[:i]); p == dialog.NoMatch || p == dialog.Complete {
			t.Errorf("%q is %v, but %q is %v", input, m, input[:i], p)
		}
	}
	if m == dialog.Partial || m == dialog.Matched {
		for _, key := range dialog.Digits {
			if g.Match(input+string(key)) != dialog.NoMatch {
				return
			}
		}
		t.Errorf("%q is %v, but no key goes on", input, m)
	}
}

func FuzzBuiltin(f *testing.F) {
	f.Add("digits?length=4", "1234")
	f.Add("digits?minlength=2&maxlength=3", "12*")
	f.Add("boolean?y=7;n=9", "7")
	f.Add("date", "2028022")
	f.Add("time", "2359")
	f.Add("currency", "12*5")
	f.Add("number", "*5")
	f.Add("phone", "8005551234*789")
	f.Fuzz(func(t *testing.T, kind, input string) {
		if g, err := srgs.Builtin(kind); err == nil {
			consistent(t, g, input)
		}
	})
}

func FuzzXML(f *testing.F) {
	for _, content := range []string{
		`<rule id="r"><one-of><item>1<ruleref uri="#r"/>2</item><item>0</item></one-of></rule>`,
		`<rule id="n"><item repeat="0-"><item repeat="0-1">1</item></item></rule><rule id="r"><ruleref uri="#n"/><ruleref uri="#n"/>2<ruleref uri="#n"/></rule>`,
		`<rule id="r"><one-of><item weight="2">1<ruleref special="GARBAGE"/></item><item repeat="2-4" repeat-prob=".2">2</item></one-of><tag>a</tag></rule>`,
		`<grammar mode="dtmf" root="r" tag-format="semantics/1.0"><tag>var a = 1</tag><rule id="r">1<ruleref uri="#x"/><tag>out.a = a + rules.x</tag></rule><rule id="x">2</rule></grammar>`,
	} {
		f.Add(grammar(content), "1022")
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		root, err := fetch.ParseXML([]byte(text), uri, fetch.XMLLimits{})
		if err != nil {
			return
		}
		compiled(t, srgs.Source{URI: uri, Root: root}, input)
	})
}

func FuzzABNF(f *testing.F) {
	for _, content := range []string{
		`$digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9; public $r = $digit <4> "#" | "*" 9;`,
		`$r = 1<2-4> 2<0-1 /0.6/> (3)<1-> [4 /* x */] ;`,
		`language en-US; private $r = /10/ 1!en-US | /2.5/ (2 3)!fr | /.1/ [ $NULL ] $GARBAGE 4;`,
		`tag-format <semantics/1.0>; {var x = 'x'}; $r = $d<2> {out = x + rules.d} ; $d = 1 {!{ out = {} }!} | 2;`,
		`$r = 1 $r 2 | 0;`,
	} {
		f.Add("#ABNF 1.0;\nmode dtmf;\nroot $r;\n"+content, "1022")
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		compiled(t, srgs.Source{URI: uri, Text: text}, input)
	})
}

// compiled compiles a grammar, and if that can be done tries it.
func compiled(t *testing.T, source srgs.Source, input string) {
	t.Helper()
	g, err := srgs.Compile(source, nil)
	if err != nil {
		if strings.TrimSpace(err.Error()) == "" {
			t.Error("refused without a reason")
		}
		return
	}
	// A grammar that is too ambiguous matches nothing, and that is no
	// contradiction.
	if _, err := g.Interpret(input, script.Limits{Time: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "ambiguous") {
		consistent(t, g, input)
	}
}
