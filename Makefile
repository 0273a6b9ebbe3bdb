# Faultline: make run | test | lint | generate | bench
.POSIX:
.PHONY: run build test lint generate bench tools check-tools
GO ?= go
WATCH ?=
DATA ?=
LISTEN ?=
GOLANGCI_VERSION = v2.12.2
VERSION != git describe --tags --always --dirty 2>/dev/null || echo unknown
LDFLAGS = -s -w -X faultline/internal/cli.version=$(VERSION)
export CGO_ENABLED = 1

# Builds and starts the observatory, with the reference day replayed beside
# live input. WATCH="https://example.org …" also watches those addresses.
run: build
	@exec ./bin/faultline up --demo $(if $(DATA),--data "$(DATA)") $(if $(LISTEN),--listen "$(LISTEN)") $(foreach w,$(WATCH),--watch "$(w)")

build: check-tools
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# Says what is missing on a fresh machine, and what to install.
check-tools:
	@sh scripts/check-tools.sh "$(GO)"

# Sets up what the tests need (nginx and Chromium, on Debian as root), and runs
# them all; what cannot be set up is said, and those tests are skipped.
test: check-tools
	@sh scripts/test-tools.sh
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

lint: bin/golangci-lint-$(GOLANGCI_VERSION)
	./bin/golangci-lint-$(GOLANGCI_VERSION) run ./...

bin/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN="$(CURDIR)/bin/tools" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/tools/golangci-lint $@

# Writes what the code can say by itself: the configuration reference.
generate:
	$(GO) run ./internal/docgen

# Ratios against a peer or a limit in the same run; never a timed test.
bench: build
	@sh scripts/bench.sh
