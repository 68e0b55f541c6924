package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	yaml "go.yaml.in/yaml/v3"
)

const (
	envPrefix   = "CCXMLD_"
	envFile     = "CCXMLD_CONFIG"
	fromDefault = "default"
	delimiter   = "."
)

// Source says where a configuration comes from.
type Source struct {
	// File is the YAML file. Empty means the one that CCXMLD_CONFIG names, or
	// none.
	File string
	// Flags are the parsed flags that Flags registered; nil means none.
	Flags *pflag.FlagSet
	// Environ is the environment as os.Environ gives it; nil means none.
	Environ []string
}

// Load reads, merges and checks a configuration. With the zero Source it
// returns the defaults. The error is a Problems value where the configuration
// is at fault, and an *os.PathError (wrapped) where the file cannot be read.
func Load(src Source) (*Config, error) {
	l := &loader{config: &Config{}, places: map[string]string{}}
	if src.File == "" {
		src.File = lookup(src.Environ, envFile)
	}
	sources, err := l.sources(src)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		l.read(s, sources)
	}
	l.checkTogether()
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.config, nil
}

// Flags registers a flag for every setting.
func Flags(fs *pflag.FlagSet) {
	for _, s := range settings {
		fs.Var(&flagValue{text: s.usual, kind: s.kind}, s.flag(), s.help)
	}
}

// flagValue keeps a flag's text as it was given; Load reads it.
type flagValue struct{ text, kind string }

func (v *flagValue) String() string        { return v.text }
func (v *flagValue) Set(text string) error { v.text = text; return nil }
func (v *flagValue) Type() string          { return v.kind }

// loader collects what is read and what is wrong with it.
type loader struct {
	config   *Config
	problems Problems
	// places remembers where each value stood, for the checks that look at
	// several settings together.
	places map[string]string
	// documents are the documents that the configuration names.
	documents []namedDocument
}

// given is one source of values: koanf holds a *yaml.Node for each setting
// that the source sets.
type given struct {
	values *koanf.Koanf
	// place says where a node of the setting stands.
	place func(s setting, n *yaml.Node) string
	// base is the directory against which relative paths are meant.
	base string
}

// sources loads what there is, the strongest first.
func (l *loader) sources(src Source) ([]given, error) {
	var all []given
	if src.Flags != nil {
		k := koanf.New(delimiter)
		if err := k.Load(posflag.ProviderWithFlag(src.Flags, delimiter, nil, l.flag), nil); err != nil {
			return nil, fmt.Errorf("flags: %w", err)
		}
		all = append(all, given{values: k, place: func(s setting, _ *yaml.Node) string { return "--" + s.flag() }})
	}
	if src.Environ != nil {
		k := koanf.New(delimiter)
		provider := env.Provider(delimiter, env.Opt{
			Prefix:        envPrefix,
			TransformFunc: l.variable,
			EnvironFunc:   func() []string { return src.Environ },
		})
		if err := k.Load(provider, nil); err != nil {
			return nil, fmt.Errorf("environment: %w", err)
		}
		all = append(all, given{values: k, place: func(s setting, _ *yaml.Node) string { return s.variable() }})
	}
	if src.File != "" {
		text, err := os.ReadFile(src.File)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		k := koanf.New(delimiter)
		if err := k.Load(rawbytes.Provider(text), fileParser{loader: l, name: src.File}); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		all = append(all, given{
			values: k,
			place:  func(_ setting, n *yaml.Node) string { return fmt.Sprintf("%s:%d", src.File, n.Line) },
			base:   filepath.Dir(src.File),
		})
	}
	return all, nil
}

// flag is posflag's callback: the key and value of a flag of ours that the
// user gave.
func (l *loader) flag(f *pflag.Flag) (string, any) {
	for _, s := range settings {
		if s.flag() == f.Name && f.Changed {
			return l.text(s, "--"+f.Name, f.Value.String())
		}
	}
	return "", nil
}

// variable is the environment provider's callback: the key and value of a
// variable of ours.
func (l *loader) variable(name, text string) (string, any) {
	if notASetting(name) {
		return "", nil
	}
	known := make([]string, 0, len(settings))
	for _, s := range settings {
		if s.variable() == name {
			return l.text(s, name, text)
		}
		known = append(known, strings.TrimPrefix(s.variable(), envPrefix))
	}
	expected := "expected the variable of a key in docs/configuration.md"
	if near := nearest(strings.TrimPrefix(name, envPrefix), known); near != "" {
		expected = "did you mean " + envPrefix + near + "?"
	}
	l.problems = append(l.problems, Problem{Place: name, Wrong: "unknown variable", Expected: expected})
	return "", nil
}

// notASetting tells the variables with our prefix that mean something else:
// the file's name, what commands reach the operators' API by, what `make test-freeswitch` goes by, and what
// Kubernetes and Docker links set for a service that is called ccxmld.
func notASetting(name string) bool {
	if name == envFile || name == "CCXMLD_URL" || name == "CCXMLD_KEY" || name == "CCXMLD_FREESWITCH" || name == "CCXMLD_FREESWITCH_PROFILE" || name == "CCXMLD_PORT" {
		return true
	}
	return strings.HasPrefix(name, "CCXMLD_SERVICE_") || strings.HasPrefix(name, "CCXMLD_PORT_")
}

// text turns the text of a flag or variable into the node of a setting.
func (l *loader) text(s setting, place, text string) (string, any) {
	node, err := s.parse(text)
	if err != nil {
		l.problems = append(l.problems, Problem{
			Place: place, Key: s.key,
			Wrong:    "not readable as YAML or JSON: " + strings.TrimPrefix(err.Error(), "yaml: "),
			Expected: "expected " + s.example,
		})
		return "", nil
	}
	return s.key, node
}

// read gives a setting its strongest value, or its default.
func (l *loader) read(s setting, sources []given) {
	for _, src := range sources {
		node, ok := src.values.Get(s.key).(*yaml.Node)
		if !ok || isNull(node) {
			continue
		}
		place := func(n *yaml.Node) string { return src.place(s, n) }
		l.set(s, node, place, src.base)
		return
	}
	node, err := s.parse(s.usual)
	if err != nil {
		panic(fmt.Sprintf("conf: the default of %s is unreadable: %v", s.key, err))
	}
	l.set(s, node, func(*yaml.Node) string { return fromDefault }, "")
}

func (l *loader) set(s setting, node *yaml.Node, place func(*yaml.Node) string, base string) {
	f := field{loader: l, path: s.key, node: node, place: place, base: base}
	l.places[s.key] = place(node)
	s.read(f, l.config)
	l.config.effective = append(l.config.effective, effectiveSetting{
		key: s.key, text: s.show(node), from: place(node), sum: sumOf(node),
	})
}

// lookup finds a variable in an environment; the last one counts.
func lookup(environ []string, name string) string {
	value := ""
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			value = v
		}
	}
	return value
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}
