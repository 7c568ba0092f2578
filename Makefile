# `make` lists the targets. It needs Go and make. go builds the tools of the gate, whose
# versions are in tools.mod, outside of the module's own graph.
.DEFAULT_GOAL := help
.PHONY: help build man metrics metrics-specs metrics-check demo test specs plain explore examples fuzz probe soak mutants bench lint vulncheck docs-check specs-page cross darwin-check user-check check repeat clean

TOOL := go tool -modfile=tools.mod
# Runs ginkgo with a line for each suite in place of a character for each spec. The shell of a
# recipe becomes it: ^C ends the shell at once, and make returns when the clean-up is done.
PROGRESS = exec go run .ci/progress.go
TIDY = go run .ci/progress.go -tidy
# The modules: ./... of one does not reach the others. Those with specs come first.
PARTS := . harness harness/specs scenarios examples/layerfs
EXAMPLES := $(patsubst %/go.mod,%,$(wildcard harness/examples/*/go.mod))
MODULES := $(PARTS) internal/bench/gopsutil $(EXAMPLES)
# The libraries of this one take longer to compile than all others together. So what guards
# each change has it for this system alone, without the race detector; CI runs metrics-check.
METRICS := cmd/monitor-metrics
SYSTEMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

# Left out: specs of the other system, long specs (`make soak`), the exploration (`make explore`).
LABELS = !$(if $(filter darwin,$(shell go env GOOS)),linux,macos) && !stress && !explore
# Specs wait for processes more than they compute, so more processes than cores run them.
PROCS ?= 4
TIMEOUT ?= 10m
# The race detector needs a C compiler. CGO_ENABLED is 0 if there is none.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),--race)
SPEC_FLAGS = --procs=$(PROCS) --label-filter='$(LABELS)' --randomize-all --keep-going --fail-on-pending --trace \
	--timeout=$(TIMEOUT) --poll-progress-after=60s $(if $(GITHUB_ACTIONS),--github-output) $(if $(CI),--no-color) \
	--output-dir=$(OUT) --junit-report=junit.xml --json-report=report.json $(ARGS)
OUT := $(CURDIR)/out

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

# Lists the packages with tests: "ginkgo DIRECTORY" or "plain DIRECTORY", from the root. The
# argument has the settings of the build.
TESTED = {{if or .TestGoFiles .XTestGoFiles}}{{.Dir}} {{.TestImports}} {{.XTestImports}}{{end}}
SUITES = listed=$$(for module in $(PARTS); do $(1) go list -C $$module -f '$(TESTED)' ./... || exit 1; done) || exit 1; \
	echo "$$listed" | sed -n -e 's|^$(CURDIR)/||' -e '/onsi.ginkgo.v2/s|^\([^ ]*\).*|ginkgo \1|' \
		-e '/^ginkgo /!s|^\([^ ]*\).*|plain \1|' -e p

# Suites that compute, or play on the simulated kernel. They are the same everywhere, so
# they run once and not again as another user or on an emulator: those whose suite is labelled
# pure, and those that explore.
PURE = internal/explore scenarios/explore $(shell grep -rl --include='*_test.go' 'RunSpecs.*Label."pure"' internal harness tracker | sed 's|/[^/]*$$||')

build: ## bin/monitor and bin/puppet
	CGO_ENABLED=0 go build -o bin/ ./cmd/monitor
	CGO_ENABLED=0 go build -C harness -o $(CURDIR)/bin/ ./puppet

MAN ?= $(OUT)/man
man: build ## a manual page for each command (MAN=share/man/man1; else out/man)
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH-$$(git log -1 --format=%ct)} bin/monitor man $(MAN)

metrics: ## bin/monitor-metrics, which serves metrics to Prometheus
	CGO_ENABLED=0 go build -C $(METRICS) -o $(CURDIR)/bin/ .

metrics-specs: ## the specs of monitor-metrics
	@exec $(TIDY) go test -C $(METRICS) -count=1 ./...

metrics-check: metrics-specs ## all checks of monitor-metrics: all systems, staticcheck, race detector
	@staticcheck=$$($(TOOL) -n staticcheck) && cd $(METRICS) && for system in $(SYSTEMS); do \
		export GOOS=$${system%/*} GOARCH=$${system#*/}; echo "vet, staticcheck and build for $$system"; \
		go vet ./... && "$$staticcheck" ./... && CGO_ENABLED=0 go build -o /dev/null . || exit 1; done
	go test -C $(METRICS) -count=1 $(RACE) ./...

# What is installed, below PREFIX: in out/staged first, so that the user who installs needs no
# go. The program that prints completions and man pages runs here, whatever GOOS is.
PREFIX ?= /usr/local
STAGED = $(OUT)/staged
DOCS = $(STAGED)/share/doc/gemini-monitor
INTO = $(DESTDIR)$(PREFIX)
.PHONY: test-total completions staged install uninstall install-check release-check

completions: ## completions for bash, zsh and fish, in out/completions
	@mkdir -p $(OUT)/completions
	@for shell in bash zsh fish; do \
		GOOS= GOARCH= go run ./cmd/monitor completion $$shell >$(OUT)/completions/monitor.$$shell || exit 1; done

staged: completions ## all that is installed, in out/staged
	@rm -rf $(STAGED) $(OUT)/man
	@$(MAKE) --no-print-directory man GOOS= GOARCH=
	@mkdir -p $(DOCS)/docs/schemas $(STAGED)/share/man/man1 $(STAGED)/share/bash-completion/completions \
		$(STAGED)/share/zsh/site-functions $(STAGED)/share/fish/vendor_completions.d
	CGO_ENABLED=0 go build -trimpath -o $(STAGED)/bin/monitor ./cmd/monitor
	@cp $(OUT)/man/*.1 $(STAGED)/share/man/man1/
	@cp $(OUT)/completions/monitor.bash $(STAGED)/share/bash-completion/completions/monitor
	@cp $(OUT)/completions/monitor.zsh $(STAGED)/share/zsh/site-functions/_monitor
	@cp $(OUT)/completions/monitor.fish $(STAGED)/share/fish/vendor_completions.d/
	@cp LICENSE README.md CHANGELOG.md SECURITY.md $(DOCS)/
	@cp docs/*.md $(DOCS)/docs/
	@cp docs/schemas/*.json $(DOCS)/docs/schemas/

# The directories that exist keep their mode. install replaces a file, also one that runs.
install: ## monitor, its completions, man pages and docs below PREFIX=/usr/local (DESTDIR=, uninstall)
	@if command -v go >/dev/null; then $(MAKE) --no-print-directory staged; \
	elif [ ! -d $(STAGED) ]; then echo 'install: no go in PATH: run make staged first, as a user who has it' >&2; exit 1; fi
	@umask 022; cd $(STAGED) && find . -type d | while read -r name; do mkdir -p "$(INTO)/$$name" || exit 1; done
	@cd $(STAGED) && find . -type f | while read -r name; do \
		case $$name in ./bin/*) mode=755 ;; *) mode=644 ;; esac; \
		install -m $$mode "$$name" "$(INTO)/$$name" || exit 1; done
	@echo 'installed: $(INTO)/bin/monitor, with completions, man pages and docs in $(INTO)/share'

uninstall: ## removes what make install has installed
	rm -f "$(INTO)/bin/monitor" "$(INTO)"/share/man/man1/monitor.1 "$(INTO)"/share/man/man1/monitor-*.1 \
		"$(INTO)/share/bash-completion/completions/monitor" "$(INTO)/share/zsh/site-functions/_monitor" \
		"$(INTO)/share/fish/vendor_completions.d/monitor.fish"
	rm -rf "$(INTO)/share/doc/gemini-monitor"

install-check: ## installs into a temporary directory, runs what is there, and uninstalls it
	@sh .ci/install-check.sh

release-check: staged ## what .goreleaser.yaml names is there, for all systems, as make install has it
	@go run .ci/release.go $(STAGED) $(SYSTEMS)

demo: build ## shows that the race does not happen
	@sh demo/demo.sh

LAYERFS := examples/layerfs
.PHONY: layers demo-layers bench-layers
layers: ## bin/layerfs, the example that shows each process tree its own files
	CGO_ENABLED=0 go build -C $(LAYERFS) -o $(CURDIR)/bin/ .

demo-layers: layers ## two shells side by side see different files at one mount (root on Linux)
	@sh $(LAYERFS)/demo.sh

bench-layers: layers build ## git status of 20,000 files through layerfs, beside go-fuse's loopback (root on Linux)
	@CGO_ENABLED=0 go build -C $(LAYERFS) -o $(CURDIR)/bin/bench-layers ./bench
	@bin/bench-layers -layerfs bin/layerfs $(ARGS)

TEST_REPORTS = $(wildcard $(OUT)/explore/report.json $(OUT)/report.json)
test: ## all specs but the long ones; reports in out/
	@rm -f $(OUT)/explore/report.json $(OUT)/report.json
	@trap : INT; status=0; $(MAKE) --no-print-directory -k explore specs plain metrics-specs || status=$$?; \
		$(MAKE) --no-print-directory test-total; exit $$status

test-total: # what the parts of make test counted, and why specs were skipped
	@[ -z '$(TEST_REPORTS)' ] || go run .ci/summary.go -skips $(TEST_REPORTS)

specs: ## those that do without the simulated kernel (LABELS=..., PROCS=4, ARGS=...)
	@mkdir -p $(OUT)
	@suites=$$($(call SUITES) | sed -n 's|^ginkgo |./|p') && [ -n "$$suites" ] && \
		exec $(TIDY) env GORACE=atexit_sleep_ms=0 HARNESS_REPORTS=$(OUT)/failures $(TOOL) ginkgo $(RACE) --randomize-suites $(SPEC_FLAGS) $$suites

plain: ## the tests without Ginkgo: what the documentation of the harness shows
	@suites=$$($(call SUITES) | sed -n 's|^plain ||p') && [ -n "$$suites" ] && \
		trap 'exit 130' INT && for suite in $$suites; do $(TIDY) go test -C $$suite -count=1 $(RACE) . || exit 1; done

examples: ## the examples of the harness as modules of other people, with the harness from a proxy
	@go run .ci/examples.go $(OUT)/examples $(EXAMPLES)

# Runs a command for each line of its input, as many at a time as there are processors.
ABREAST = xargs -P $$(getconf _NPROCESSORS_ONLN)

# One goroutine that computes: no race detector, two processes, fewer collections of garbage.
EXPLORE = explore && !long
explore: OUT := $(OUT)/explore
explore: ## every order of the steps of small programs, on a simulated kernel (EXPLORE=explore: all)
	@mkdir -p $(OUT)
	@exec $(TIDY) env GOGC=400 $(TOOL) ginkgo $(SPEC_FLAGS) --grace-period=2s --label-filter='$(EXPLORE)' --procs=2 --poll-progress-after=0 ./internal/explore ./monitor ./scenarios/explore

# Lists the fuzz targets, so that a new one is run without being named here. go keeps an
# input that fails in testdata of the package, where it is a seed from then on. The limit
# is a number of inputs: a limit in seconds makes go before 1.27 fail now and then, at its
# end and without an input (https://go.dev/issue/75804).
# Each package is built once for its targets. Where memory can hold files, the targets
# write theirs there.
FUZZTIME ?= 10000x
fuzz: ## arbitrary bytes for what reads bytes of the disk or the kernel (FUZZTIME=10000x for each)
	@cache=$$(go env GOCACHE)/fuzz; [ ! -w /dev/shm ] || export TMPDIR=/dev/shm; \
	packages=$$(find . -path ./out -prune -o -name '*_test.go' -print | xargs grep -l '^func Fuzz' | xargs -n 1 dirname | sort -u); \
	[ -n "$$packages" ] || { echo 'fuzz: no targets were found'; exit 1; }; \
	echo "$$packages" | $(ABREAST) -n 1 sh -c ' \
		binary=$(OUT)/fuzz/$$1.test; path=$$(go list -C $$1 .) && \
		go test -C $$1 -c -fuzz=. -o $$binary . && found=$$($$binary -test.list "^Fuzz") || exit 1; \
		for target in $$found; do \
			echo "fuzz $$target of $$1"; \
			(cd $$1 && $$binary -test.run "^\$$" -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) \
				-test.fuzzminimizetime 10x -test.fuzzcachedir $$0/$$path) || exit 1; done' $$cache

probe: LABELS = probe
probe: specs ## only the specs that check facts about the kernel

soak: LABELS = stress
soak: ARGS = --repeat=19
soak: TIMEOUT = 100m
soak: specs ## only the long specs, twenty times

mutants: ## which scenario catches which wrong monitor; fails if one survives
	@go build -C scenarios -o $(CURDIR)/bin/judge ./judge
	@cd scenarios && exec ../bin/judge -out $(OUT)/mutants $(ARGS)

# The program that is measured is a copy, as an installed one is. Of a file that Go's linker has
# just written each page is by itself in the page cache, and a start takes a quarter longer.
bench: build ## figures beside other ways to do it (ARGS=-long for more samples)
	@go build -o bin/bench ./internal/bench
	@go build -C internal/bench/gopsutil -o $(CURDIR)/bin/gopsutil .
	@mkdir -p $(OUT)/bench && cp bin/monitor $(OUT)/bench/monitor
	@bin/bench -monitor $(OUT)/bench/monitor -gopsutil bin/gopsutil $(ARGS)

# A workspace of all modules: what several of them import is loaded and looked at once.
# `make cross` builds each module by itself.
WORKSPACE = $(OUT)/go.work
PACKAGES = $(MODULES:%=./%/...)
lint: docs-check ## gofmt, vet and staticcheck for all systems, scripts, also as a Mac knows them, the workflow, the docs
	@unformatted=$$(find . -path ./out -prune -o -name '*.go' -print | xargs gofmt -l); [ -z "$$unformatted" ] || { echo "gofmt would change:" $$unformatted; exit 1; }
	@mkdir -p $(OUT) && rm -f $(WORKSPACE) && GOWORK=$(WORKSPACE) go work init $(MODULES)
	@for system in $(SYSTEMS); do \
		echo "vet for $$system"; GOWORK=$(WORKSPACE) GOOS=$${system%/*} GOARCH=$${system#*/} go vet $(PACKAGES) || exit 1; done
	@go vet -C $(METRICS) ./...
	@for program in .ci/*.go; do go vet $$program || exit 1; done
	@staticcheck=$$($(TOOL) -n staticcheck) && for system in linux darwin; do \
		echo "staticcheck for $$system"; GOWORK=$(WORKSPACE) GOOS=$$system "$$staticcheck" $(PACKAGES) || exit 1; done
	go run ./internal/portable/lint
	@go run .ci/layers.go
	@go run .ci/modules.go $(MODULES) $(METRICS)
	@if command -v shellcheck >/dev/null; then shellcheck demo/demo.sh $(LAYERFS)/demo.sh .ci/run .ci/repeat .ci/*.sh scenarios/example/*.sh; else echo 'shellcheck: skipped (not installed)'; fi
	$(TOOL) actionlint

docs-check: ## links, targets, commands, flags and kernel facts in the docs exist
	@go run .ci/docs.go

vulncheck: ## known vulnerabilities in what the code calls (asks Go's database over the network)
	@govulncheck=$$($(TOOL) -n govulncheck) && for module in $(MODULES) $(METRICS); do \
		echo "vulncheck $$module"; (cd $$module && "$$govulncheck" -test ./...) || exit 1; done

cross: ## builds for every system, supported or not
	@for system in $(SYSTEMS); do for module in $(MODULES); do \
		echo "build $$module for $$system"; \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} go build -C $$module -o /dev/null ./... || exit 1; done; done
	@echo 'build . for windows/amd64' && CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build ./...

# Builds what runs under an emulator or as another user: the commands, ginkgo and the test
# binaries. Each test binary has a directory of its own, after which its report is named:
# below tests/ginkgo or tests/plain. The argument has the settings of the build.
define binaries
	@rm -rf $(OUT) && mkdir -p $(OUT)
	$(1) go build -o $(OUT)/bin/ ./cmd/...
	$(1) go build -C harness -o $(OUT)/bin/ ./puppet
	$(1) go build -o $(OUT)/bin/ -modfile=tools.mod github.com/onsi/ginkgo/v2/ginkgo
	@$(call SUITES,$(1)) >$(OUT)/suites && [ -s $(OUT)/suites ] && $(ABREAST) -n 2 sh -c ' \
		case " $(PURE) " in *" $$1 "*) exit ;; esac; echo "test binary of $$1"; \
		$(1) go test -C $$1 -c -ldflags=-w -o $(OUT)/tests/$$0/$$1/ .' <$(OUT)/suites
endef
BUILT = HARNESS_REPORTS=$(OUT)/failures HARNESS_PROGRAMS=$(OUT)/bin
BUILT_SPECS = $$(find $(OUT)/tests/ginkgo -name '*.test')
# Runs the test binaries. The argument has the settings and the runner.
define run_built
	@$(PROGRESS) env $(1) $(OUT)/bin/ginkgo $(SPEC_FLAGS) $(BUILT_SPECS)
	@for binary in $$(find $(OUT)/tests/plain -name '*.test'); do \
		echo "$$binary" && cd $${binary%/*} && $(1) $$binary || exit 1; done
endef

darwin-check: LABELS = !linux && !stress && !explore
darwin-check: OUT := $(OUT)/darwin
darwin-check: ## the macOS build's specs on Linux (DARWINRUN=path of a runner of darwin/amd64 programs)
ifdef DARWINRUN
	$(call binaries,GOOS=darwin GOARCH=amd64 CGO_ENABLED=0)
	$(call run_built,HARNESS_EXEC=$(DARWINRUN) $(BUILT) $(DARWINRUN))
else
	@echo 'darwin-check: skipped (no DARWINRUN given)'
endif

specs-page: OUT := $(OUT)/page
specs-page: ## docs/specs.md: which spec runs where, by its labels (DARWINRUN=...)
	$(call binaries,GOOS=darwin GOARCH=amd64 CGO_ENABLED=0)
	$(TOOL) ginkgo --dry-run --succinct --no-color --output-dir=$(OUT) --json-report=linux.json \
		$$($(call SUITES) | sed -n 's|^ginkgo |./|p') >/dev/null
	HARNESS_EXEC=$(DARWINRUN) $(BUILT) $(DARWINRUN) $(OUT)/bin/ginkgo --dry-run --succinct --no-color \
		--output-dir=$(OUT) --json-report=darwin.json $(BUILT_SPECS) >/dev/null
	go run .ci/where.go -write docs/specs.md root=$(OUT)/linux.json emulated=$(OUT)/darwin.json

# Root has permissions that most users do not have, so the specs run without them as well.
WHO ?= nobody
user-check: OUT := $(OUT)/user
user-check: ## the specs as a user without rights, for root on Linux (WHO=nobody, OUT=a directory that the user can read)
ifeq (0,$(shell command -v setpriv >/dev/null && id -u))
	$(call binaries,CGO_ENABLED=0)
	chown -R $(WHO) $(OUT)
	$(call run_built,HOME=$(OUT) $(BUILT) setpriv --reuid=$(WHO) --regid=$$(id -g $(WHO)) --clear-groups)
else
	@echo 'user-check: skipped (for root on Linux)'
endif

N ?= 1000
# The examples of the harness as test binaries, with their programs. The arguments are where
# they go, and the settings of the build.
define repeated
	@rm -rf $(1) && mkdir -p $(1)/bin
	@for example in $(EXAMPLES); do \
		$(2) CGO_ENABLED=0 go test -C $$example -c -o $(1)/tests/$${example##*/}/ . && \
		$(2) CGO_ENABLED=0 go build -C $$example -o $(1)/bin/ . || exit 1; done
endef
# A PID namespace of its own, where one can be had: an orphan of another program that begins
# meanwhile may be one of the job on macOS, and the answer is unknown then.
APART = $(shell unshare --pid --fork --mount-proc true 2>/dev/null && echo unshare --pid --fork --mount-proc)
repeat: OUT := $(OUT)/repeat
repeat: ## the examples of the harness N times, and again as WHO for root on Linux, or DARWINRUN=... for macOS (N=1000, OUT=a directory that the user can read)
ifdef DARWINRUN
	$(call repeated,$(OUT),GOOS=darwin GOARCH=amd64)
	@HARNESS_EXEC=$(DARWINRUN) $(APART) sh .ci/repeat $(N) $(OUT) emulated $(DARWINRUN)
else
	$(call repeated,$(OUT))
	@status=0; sh .ci/repeat $(N) $(OUT) $$(id -un) || status=1; \
		if command -v setpriv >/dev/null && [ "$$(id -u)" = 0 ]; then \
			chown -R $(WHO) $(OUT) && HOME=$(OUT) sh .ci/repeat $(N) $(OUT) $(WHO) \
				setpriv --reuid=$(WHO) --regid=$$(id -g $(WHO)) --clear-groups || status=1; \
		fi; exit $$status
endif

check: lint test examples install-check release-check fuzz cross user-check darwin-check ## the whole gate

clean: ## removes bin/ and out/
	rm -rf bin out
