# `make` lists the targets. It needs Go and make. go builds the tools of the gate, whose
# versions are in tools.mod, outside of the module's own graph.
.DEFAULT_GOAL := help
.PHONY: help build demo test specs explore fuzz probe soak mutants bench lint vulncheck docs-check specs-page cross darwin-check user-check check clean

TOOL := go tool -modfile=tools.mod
# ./... does not reach internal/bench/gopsutil, which is a module of its own.
MODULES := . internal/bench/gopsutil
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

build: ## bin/monitor and bin/puppet
	CGO_ENABLED=0 go build -o bin/ ./cmd/monitor ./harness/puppet

demo: build ## shows that the race does not happen
	@sh demo/demo.sh

test: explore specs ## all specs but the long ones; reports in out/

specs: ## those that do without the simulated kernel (LABELS=..., PROCS=4, ARGS=...)
	@mkdir -p $(OUT)
	GORACE=atexit_sleep_ms=0 $(TOOL) ginkgo $(RACE) --randomize-suites $(SPEC_FLAGS) ./...

# One goroutine that computes: no race detector, two processes.
explore: OUT := $(OUT)/explore
explore: ## every order of the steps of small programs, on a simulated kernel
	@mkdir -p $(OUT)
	$(TOOL) ginkgo $(SPEC_FLAGS) --label-filter=explore --procs=2 --poll-progress-after=0 ./internal/explore ./monitor

# Lists the fuzz targets, so that a new one is run without being named here. go keeps an
# input that fails in testdata of the package, where it is a seed from then on. The limit
# is a number of inputs: a limit in seconds makes go before 1.27 fail now and then, at its
# end and without an input (https://go.dev/issue/75804).
FUZZTIME ?= 10000x
fuzz: ## arbitrary bytes for what reads bytes of the disk or the kernel (FUZZTIME=10000x for each)
	@packages=$$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); \
	found=$$(go test -list '^Fuzz' $$packages) || { echo "$$found"; exit 1; }; \
	targets=$$(echo "$$found" | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print names[i] ":" $$2; n = 0 }'); \
	[ -n "$$targets" ] || { echo 'fuzz: no targets were found'; exit 1; }; \
	for target in $$targets; do \
		echo "fuzz $${target%%:*} of $${target#*:}"; \
		go test -run '^$$' -fuzz "^$${target%%:*}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${target#*:}" || exit 1; done

probe: LABELS = probe
probe: specs ## only the specs that check facts about the kernel

soak: LABELS = stress
soak: ARGS = --repeat=19
soak: TIMEOUT = 100m
soak: specs ## only the long specs, twenty times

mutants: ## which scenario catches which wrong monitor; fails if one survives
	@go build -o bin/judge ./scenarios/judge
	@exec bin/judge -out $(OUT)/mutants $(ARGS)

bench: build ## figures beside other ways to do it (ARGS=-long for more samples)
	@go build -o bin/bench ./internal/bench
	@go build -C internal/bench/gopsutil -o $(CURDIR)/bin/gopsutil .
	@bin/bench -monitor bin/monitor -gopsutil bin/gopsutil $(ARGS)

lint: docs-check ## gofmt, vet and staticcheck for all systems, scripts, also as a Mac knows them, the workflow, the docs
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt would change:" $$unformatted; exit 1; }
	@for system in $(SYSTEMS); do \
		export GOOS=$${system%/*} GOARCH=$${system#*/}; for module in $(MODULES); do \
			echo "vet $$module for $$system"; go vet -C $$module ./... || exit 1; done; done
	@for program in .ci/*.go; do go vet $$program || exit 1; done
	@staticcheck=$$($(TOOL) -n staticcheck) && for system in linux darwin; do for module in $(MODULES); do \
		echo "staticcheck $$module for $$system"; (cd $$module && GOOS=$$system "$$staticcheck" ./...) || exit 1; done; done
	go run ./internal/portable/lint
	@go run .ci/layers.go
	@if command -v shellcheck >/dev/null; then shellcheck demo/demo.sh .ci/run scenarios/example/*.sh; else echo 'shellcheck: skipped (not installed)'; fi
	$(TOOL) actionlint

docs-check: ## links, targets, commands, flags and kernel facts in the docs exist
	@go run .ci/docs.go

vulncheck: ## known vulnerabilities in what the code calls (asks Go's database over the network)
	@$(TOOL) govulncheck ./...

cross: ## builds for every system, supported or not
	@for system in $(SYSTEMS) windows/amd64; do \
		echo "build $$system"; CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} go build ./... || exit 1; done

# Builds what runs under an emulator or as another user: the commands, ginkgo and the test
# binaries. Each test binary has a directory of its own, after which its report is named.
# The argument has the settings of the build.
define binaries
	@rm -rf $(OUT) && mkdir -p $(OUT)
	$(1) go build -o $(OUT)/bin/ ./cmd/... ./harness/puppet
	$(1) go build -o $(OUT)/bin/ -modfile=tools.mod github.com/onsi/ginkgo/v2/ginkgo
	@for dir in $$($(1) go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./...); do \
		package=$${dir#$(CURDIR)/}; echo "test binary of $$package"; \
		$(1) go test -c -o $(OUT)/tests/$$package/ ./$$package || exit 1; done
endef
BUILT = GEMINI_REPORTS=$(OUT)/failures GEMINI_MONITOR=$(OUT)/bin/monitor GEMINI_PUPPET=$(OUT)/bin/puppet
RUN_BUILT = $(OUT)/bin/ginkgo $(SPEC_FLAGS) $$(find $(OUT)/tests -name '*.test')

darwin-check: LABELS = !linux && !stress && !explore
darwin-check: OUT := $(OUT)/darwin
darwin-check: ## the macOS build's specs on Linux (DARWINRUN=path of a runner of darwin/amd64 programs)
ifdef DARWINRUN
	$(call binaries,GOOS=darwin GOARCH=amd64 CGO_ENABLED=0)
	GEMINI_EXEC=$(DARWINRUN) $(BUILT) $(DARWINRUN) $(RUN_BUILT)
else
	@echo 'darwin-check: skipped (no DARWINRUN given)'
endif

specs-page: OUT := $(OUT)/page
specs-page: ## docs/specs.md: which spec runs where, by its labels (DARWINRUN=...)
	$(call binaries,GOOS=darwin GOARCH=amd64 CGO_ENABLED=0)
	$(TOOL) ginkgo --dry-run --succinct --no-color --output-dir=$(OUT) --json-report=linux.json ./... >/dev/null
	GEMINI_EXEC=$(DARWINRUN) $(BUILT) $(DARWINRUN) $(OUT)/bin/ginkgo --dry-run --succinct --no-color \
		--output-dir=$(OUT) --json-report=darwin.json $$(find $(OUT)/tests -name '*.test') >/dev/null
	go run .ci/where.go -write docs/specs.md root=$(OUT)/linux.json emulated=$(OUT)/darwin.json

# Root has permissions that most users do not have, so the specs run without them as well.
WHO ?= nobody
user-check: OUT := $(OUT)/user
user-check: ## the specs as a user without rights, for root on Linux (WHO=nobody, OUT=a directory that the user can read)
ifeq (0,$(shell command -v setpriv >/dev/null && id -u))
	$(call binaries,CGO_ENABLED=0)
	chown -R $(WHO) $(OUT)
	HOME=$(OUT) $(BUILT) setpriv --reuid=$(WHO) --regid=$$(id -g $(WHO)) --clear-groups $(RUN_BUILT)
else
	@echo 'user-check: skipped (for root on Linux)'
endif

check: lint test fuzz cross user-check darwin-check ## the whole gate

clean: ## removes bin/ and out/
	rm -rf bin out
