package srgs_test

import (
	"errors"
	"fmt"

	"ccxmld/dialog"
	"ccxmld/dialog/srgs"
	"ccxmld/fetch"
	"ccxmld/script"
)

// A field's grammar is compiled with its page; what the caller has pressed is
// matched digit by digit, and given its meaning at the end.
func Example() {
	root, places, err := fetch.ParsePlacedXML([]byte(`
		<grammar version="1.0" mode="dtmf" root="order" tag-format="semantics/1.0" xmlns="http://www.w3.org/2001/06/grammar">
			<rule id="order"> <ruleref uri="#size"/> <tag>out.size = rules.size</tag> <item repeat="0-1">* <tag>out.extra = true</tag></item> </rule>
			<rule id="size"> <one-of> <item>1 <tag>out = "small"</tag></item> <item>2 <tag>out = "large"</tag></item> </one-of> </rule>
		</grammar>`), "http://host/order.grxml", fetch.XMLLimits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	grammar, err := srgs.Compile(srgs.Source{URI: "http://host/order.grxml", Root: root, Places: places}, nil)
	if err != nil {
		fmt.Println(errors.Is(err, srgs.ErrSpeech), err)
		return
	}
	fmt.Println(grammar.Match("2") == dialog.Matched, grammar.Match("2*") == dialog.Complete)
	fmt.Println(grammar.Interpret("2*", script.Limits{}))
	// Output:
	// true true
	// map[extra:true size:large] <nil>
}
