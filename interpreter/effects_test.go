package interpreter

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// effects are the effects of events, with something in each field.
var effects = []Effect{
	ConnectionEffect{ConnectionID: "c1", State: Connected, New: &Connection{ID: "c1", Local: "a", Protocol: Protocol{Name: "sip"}}},
	DialogEffect{DialogID: "d1", State: DialogEnded},
	ConferenceEffect{ConferenceID: "conference:x", Attached: true},
	JoinEffect{A: Endpoint{ID: "c1"}, B: Endpoint{ID: "conference:x", Conference: true}, Duplex: Half, Implicit: true},
	UnjoinEffect{A: "c1", B: "c2"},
}

// TestEffectsAreCarriedOver: each kind of effect that there is, and each of its fields.
func TestEffectsAreCarriedOver(t *testing.T) {
	known := make(map[string]bool)
	for _, effect := range effects {
		v := reflect.ValueOf(effect)
		known[v.Type().Name()] = true
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s of %s is not tried", v.Type().Field(i).Name, v.Type().Name())
			}
		}
		w := &snapshotWriter{}
		text, err := json.Marshal(w.event(&Event{Name: "e", Effect: effect}))
		if err != nil {
			t.Fatal(err)
		}
		var d eventData
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		e, err := (&resumption{connections: w.connections}).event(&d)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(e.Effect, effect) {
			t.Errorf("%#v is carried over as %#v", effect, e.Effect)
		}
	}
	for _, name := range effectTypes(t) {
		if !known[name] {
			t.Errorf("%s is not carried over: write it in snapshot_events.go, and try it here", name)
		}
	}
}

// effectTypes are the types of the package that have the method apply of an Effect.
func effectTypes(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != "apply" || f.Recv == nil || len(f.Recv.List) != 1 {
				continue
			}
			if id, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
	}
	if len(names) < len(effects) {
		t.Fatalf("%d types of effects were found", len(names))
	}
	return names
}
