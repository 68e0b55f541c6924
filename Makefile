# ccxmld's chores. What runs in CI is .ci/run, which calls these.

GO      ?= go
# Runs of each fuzz target (or a time, such as 1m: go test then fails now and then
# with "context deadline exceeded" as the time is up), and what `make bench` runs.
FUZZTIME ?= 50000x
BENCH    ?= .
BENCHFLAGS ?= -benchmem
# What `make test` tests, and how: PACKAGES=./interpreter/... make test.
PACKAGES  ?= ./...
TESTFLAGS ?=
# How long the tests of one package may take, on whatever machine.
TIMEOUT   ?= 1h

.PHONY: build demo test requirements test-engine test-late test-faults test-growth bench-engine test-attacks lint bench fuzz test262 test-freeswitch

# The daemon, as bin/ccxmld.
build:
	$(GO) build -o bin/ccxmld ./cmd/ccxmld

# Both published applications on the simulated switch; needs nothing installed.
demo:
	@echo "building, a minute the first time"
	@$(GO) run ./cmd/ccxmld demo

# Every test, with the race detector: each package is told as it ends, and the slowest
# tests in the end. What they need (a C compiler, redis-server) is installed first.
test: requirements test-engine
	@echo "building and testing with the race detector; the first package takes a minute or two"
	@log=$$(mktemp) && status=0; \
	CGO_ENABLED=1 $(GO) tool gotestsum --format pkgname --format-hide-empty-pkg --jsonfile "$$log" -- -race -vet=off -timeout $(TIMEOUT) $(TESTFLAGS) $(PACKAGES) || status=$$?; \
	echo "the slowest tests:"; $(GO) tool gotestsum tool slowest --num 10 --threshold 1s --jsonfile "$$log"; \
	rm -f "$$log"; exit $$status

requirements:
	@.ci/requirements

# The tests of the script engine, which is a module of its own (third_party/goja).
test-engine:
	cd third_party/goja && $(GO) vet ./... && $(GO) test ./... && CGO_ENABLED=1 $(GO) test -race -run "^TestMeasuredWhileInterrupted\$$" .

# The packages that have timers, with a clock whose stop always comes too late. Daemons that are
# processes of their own have the usual one: what is tried with those is left out.
test-late:
	TEST_CLOCK=late $(GO) test -vet=off -timeout $(TIMEOUT) -skip '^(TestAttacks|TestFaultsOfProcesses)$$' ./clock/... ./dialog/... ./interpreter ./esl ./conference ./sessionstore ./records ./mail ./peer ./freeswitch ./callcontrol ./httpapi ./daemon ./cmd/ccxmld

# Controllers that are killed at random under a load of calls, on virtual time: a run of
# three minutes for each seed, which takes some seconds. TEST_FAULTS=17 repeats one. Then
# faults of all kinds with processes, a redis-server and two simulated FreeSWITCHes, for as
# long as TEST_FAULTS_FOR says.
TEST_FAULTS ?= 1-200
TEST_FAULTS_FOR ?= 15m
test-faults: requirements
	TEST_FAULTS=$(TEST_FAULTS) $(GO) test -count=1 -timeout $(TIMEOUT) -run '^TestFaults$$' ./callcontrol
	TEST_FAULTS_FOR=$(TEST_FAULTS_FOR) $(GO) test -count=1 -timeout 24h -run '^TestFaultsOfProcesses$$' -v ./cmd/ccxmld

# How compiling and checking grow with documents: counted in the blocks of the program that
# run, and in what is allocated.
GROWTH_OF = $(shell $(GO) list -f '{{join .Deps "\n"}}' ./cmd/ccxmld/testdata/growth | grep -E '^(ccxmld|github.com/dop251/goja|github.com/antchfx/xmlquery|encoding/xml)' | paste -sd,)
test-growth:
	$(GO) build -cover -covermode=atomic -coverpkg=ccxmld/cmd/ccxmld/testdata/growth,$(GROWTH_OF) -o bin/growth ./cmd/ccxmld/testdata/growth
	TEST_GROWTH=$(CURDIR)/bin/growth $(GO) test -count=1 -tags growth -run '^TestGrowth$$' ./cmd/ccxmld

# Attacks on a daemon that is a process of its own, ten seconds each (make test has a
# second of each), with a table of what ordinary calls beside them notice: five minutes.
# TEST_ATTACKS_P99=2 fails where their p99 is more than twice the undisturbed one.
test-attacks: requirements
	TEST_ATTACKS=all $(GO) test -count=1 -timeout 10m -run '^TestAttacks$$' -v ./cmd/ccxmld

lint:
	$(GO) vet -tags freeswitch ./... # what has the tag, and all else
	$(GO) tool staticcheck ./...
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	@if ! command -v govulncheck >/dev/null; then \
		echo "govulncheck is not installed: known vulnerabilities were NOT looked for"; \
	elif out=$$(govulncheck ./... 2>&1); then echo "$$out"; \
	elif [ $$? -eq 3 ]; then echo "$$out"; exit 1; \
	else echo "govulncheck could not run (it needs its database, from the network or GOVULNDB): NOT looked for"; \
		echo "$$out" | head -n 3; fi

# Benchmarks, beside their baselines. BENCH=Call runs those with Call in the name.
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' $(BENCHFLAGS) ./...

# tc39/test262 on the script engine beside upstream's, and what it is to fail: some minutes.
# TEST262 is a clone of github.com/tc39/test262.
test262:
	@.ci/test262

# The script engine beside upstream's of the same version, which is fetched.
bench-engine:
	@.ci/bench-engine

# Each fuzz target for FUZZTIME, one after the other.
fuzz:
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n 1 dirname | sort -u | while read -r dir; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -c6-); do \
			echo "== $$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir; \
		done; \
	done

# The tests that talk to a real FreeSWITCH, prepared as docs/freeswitch.md says.
test-freeswitch:
	@if [ -z "$$CCXMLD_FREESWITCH" ]; then \
		echo "CCXMLD_FREESWITCH is not set: expected HOST:PORT:PASSWORD of a FreeSWITCH's mod_event_socket,"; \
		echo "such as CCXMLD_FREESWITCH=127.0.0.1:8021:ClueCon make test-freeswitch"; exit 1; fi
	$(GO) test -race -count=1 -tags freeswitch -run '^TestFreeSWITCH' ./...
