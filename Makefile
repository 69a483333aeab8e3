# The front door of gasd. `make help` lists what it opens.
#
# Debian's own toolchain compiles both sides, so /usr/bin comes first: another toolchain earlier in
# PATH has no `core` for the BPF target.
SHELL := /bin/bash
CACHE := $(or $(GASD_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gasd)
BPF_LINKER_VERSION := 0.13.0
BPF_LINKER := $(CACHE)/bpf-linker-$(BPF_LINKER_VERSION)
export GASD_CACHE := $(CACHE)
export PATH := /usr/bin:$(BPF_LINKER)/bin:$(PATH)
export CARGO_NET_RETRY := 10
# rustup's proxies would pick another toolchain.
unexport RUSTUP_TOOLCHAIN

CARGO := /usr/bin/cargo

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: setup ## play a household through the real kernel programs, live in this terminal
	@scripts/build release
	@target/release/gasd demo

.PHONY: build
build: setup ## compile everything, optimised
	@scripts/build release

.PHONY: deb
deb: setup ## build the Debian packages into target/debian
	@scripts/deb

.PHONY: test
test: setup-test ## every test, the container and the VM included
	@scripts/test

.PHONY: check
check: setup ## the quick subset: format, clippy, unit tests
	@scripts/check

.PHONY: bench
bench: setup-test ## print the figures of docs/BENCHMARKS.md (wants root and a quiet machine)
	@scripts/bench

.PHONY: eval
eval: setup ## judge the detection: false alarms, litres released, peers (EVAL=long for hours instead of minutes)
	@scripts/eval

.PHONY: deny
deny: setup ## licences, duplicate and banned crates, advisories
	@scripts/deny

.PHONY: fuzz
fuzz: setup ## fuzz everything that parses bytes from outside, a minute each
	@scripts/fuzz

.PHONY: setup
setup: ## install the Debian packages of debian/control and bpf-linker
	@scripts/setup build

.PHONY: setup-test
setup-test: ## setup, and what the container and the VM need
	@scripts/setup test

.PHONY: clean
clean: ## remove what was built in the tree; caches stay
	rm -rf target gasd-ebpf/target debian/.debhelper debian/gasd debian/gasctl debian/libgasdetect1 debian/libgasdetect-dev debian/lua-gasdetect debian/generated
