# `make` alone says what there is. Everything works from a fresh clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The build cache; CI keeps it outside of the clone.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
export PATH := $(TARGET)/tools/bin:$(PATH)
export SIGNALBOX_BIN = $(TARGET)/debug/signalbox
export SIGNALBOX_TOOLS = $(TARGET)/tools
export SIGNALBOX_DESKTOP_BIN = $(TARGET)/debug/signalbox-desktop

# `make run` builds quickly (dev); PROFILE=release builds what is shipped.
PROFILE ?= dev
RUN_DIR = $(TARGET)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

# One feature set for everything that tests touch, so that nothing is built twice.
WORKSPACE := --workspace --features signalbox/desktop
PANEL := ui/dist/index.html
PANEL_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path 'ui/dist/*' -not -path 'ui/e2e/*' -not -path '*-results/*' 2>/dev/null)
# A session bus and a display of its own for the window under test.
HEADLESS_DESKTOP := NO_AT_BRIDGE=1 dbus-run-session -- xvfb-run --auto-servernum --server-args='-screen 0 1280x800x24'

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.PHONY: run
run: setup panel ## Open the window; without a display, serve the panel and print its address
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname -s)" = Darwin ]; then \
	  cargo build --locked --profile $(PROFILE) --features desktop --bin signalbox-desktop; \
	  exec $(RUN_DIR)/signalbox-desktop; \
	else \
	  cargo build --locked --profile $(PROFILE) --bin signalbox; \
	  echo "There is no display here: serving the panel instead. Open the address below in a browser; Ctrl+C stops."; \
	  exec $(RUN_DIR)/signalbox serve; \
	fi

.PHONY: build
build: setup panel ## Build target/release/signalbox (headless) and target/release/signalbox-desktop
	cargo build --locked --release --bin signalbox
	cargo build --locked --release --features desktop --bin signalbox-desktop

.PHONY: test
test: setup-test lint test-rust test-keyring test-panel test-gen test-e2e test-vendors test-desktop ## Run every test and check

# Optimised and with all assertions, of the three packages alone: the window has no part in it.
.PHONY: torture
torture: panel ## Break it on purpose, for a night: power cuts, failing disks, kills, floods, simulated weather, all addresses
	SIGNALBOX_TORTURE=long SIGNALBOX_SEEDS=$${SIGNALBOX_SEEDS:-100000} cargo test --locked --profile torture --no-fail-fast \
	  -p signalbox -p signalbox-engine -p signalbox-net --bin signalbox --test torture --test addresses --test simulation \
	  -- --nocapture --test-threads=1

# What libFuzzer has found so far is kept between runs; artifacts are inputs that broke a target.
FUZZ := src-tauri/fuzz
SECONDS ?= 60
.PHONY: fuzz
fuzz: ## Fuzz each target with libFuzzer; SECONDS=60 each (the short form runs with the tests)
	@command -v cargo-fuzz >/dev/null || cargo install --locked --root $(TARGET)/tools cargo-fuzz --version 0.13.2
	@for target in $$(ls $(FUZZ)/seeds); do \
	  mkdir -p $(TARGET)/fuzz/corpus/$$target; \
	  echo "fuzz: $$target"; \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir $(FUZZ) --target-dir $(TARGET)/fuzz/build --sanitizer none $$target \
	    $(TARGET)/fuzz/corpus/$$target $(FUZZ)/seeds/$$target -- \
	    -max_total_time=$(SECONDS) -timeout=1 -rss_limit_mb=256 -max_len=8192 -verbosity=0 -print_final_stats=1; \
	done

.PHONY: bench
bench: setup panel ## Measure the release build beside the machine and Node-RED; BENCH="--json --large"
	cargo build --locked --release -p signalbox -p signalbox-store -p xtask --bin signalbox --bin xtask --example ledger_bench --example fill_ledger
	$(TARGET)/release/xtask bench $(BENCH)

.PHONY: fmt
fmt: node_modules ## Format everything
	cargo run -q --locked -p xtask -- tidy

.PHONY: gen
gen: binaries node_modules ## Write the API description and the panel's types from the code
	$(TARGET)/debug/xtask gen

.PHONY: shots
shots: binaries ## Take the screenshots in docs/screenshots
	npm --prefix ui run shots

.PHONY: deny
deny: ## Check licences, advisories and sources of all crates (needs cargo-deny)
	cargo deny --all-features check

.PHONY: package
package: setup panel ## Build the .deb and the .rpm into target/release/bundle
	npm exec --yes --package=@tauri-apps/cli@2.12.5 -- tauri build

.PHONY: clean
clean: ## Remove what was built
	cargo clean
	rm -rf ui/dist ui/node_modules tests/vendors/node_modules gen permissions

# --- parts of the above ---

.PHONY: setup setup-test
setup:
	@.ci/setup run
setup-test:
	@.ci/setup test

.PHONY: node_modules panel binaries
# The generator of types wants an older TypeScript than the panel, and has packages of its own.
node_modules: $(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard ui/package-lock.json ui/tools/package-lock.json))
panel: $(PANEL)
# With the tests' targets, so that `cargo test` finds all of it built.
binaries: panel
	cargo build --locked $(WORKSPACE) --all-targets

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	touch $@

$(PANEL): ui/node_modules/.package-lock.json $(PANEL_SOURCES)
	npm --prefix ui run build
	touch $@

.PHONY: lint
lint: node_modules panel ## Check formats and lints
	cargo fmt --all --check
	cargo clippy -q --locked $(WORKSPACE) --all-targets -- -D warnings
	npm --prefix ui run check
	npm --prefix ui run lint

.PHONY: test-rust test-keyring test-panel test-gen test-e2e test-vendors test-desktop
test-rust: binaries ## Run the Rust tests; one of them holds the directions between crates
	SIGNALBOX_SEEDS=$${SIGNALBOX_SEEDS:-1000} cargo test --locked $(WORKSPACE) --no-fail-fast

# A keyring of its own, on a bus of its own.
test-keyring: binaries ## Keep secrets in a real desktop keyring
	XDG_DATA_HOME=$$(mktemp -d) dbus-run-session -- bash -c 'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && \
	  cargo test --locked $(WORKSPACE) --test it -- --ignored the_keyring_of_the_desktop'

test-panel: node_modules ## Run the panel's unit tests
	npm --prefix ui run test

test-gen: binaries node_modules ## See that the API description and the panel's types are those of the code
	$(TARGET)/debug/xtask gen --check

test-e2e: binaries ## Drive the panel in Chromium against the real binary
	npm --prefix ui run e2e

test-vendors: binaries tests/vendors/node_modules/.package-lock.json ## Let the vendors' own libraries sign and send
	node --test tests/vendors/*.test.mjs

test-desktop: binaries ## Drive the real window: break, dead letters, replay by click
	$(HEADLESS_DESKTOP) node --test tests/desktop/*.test.mjs
