# Two commands for a fresh machine: make demo, make test. make help says what each target does.
.DEFAULT_GOAL := help
.PHONY: help demo serve test check native bench crash soak clean bootstrap build

SOURCES := $(shell find src -name '*.cs' -o -name '*.csproj' -o -name '*.json') Directory.Build.props Directory.Packages.props global.json config.example.toml scripts/native

# The SDK's first run greets, reports what is built, and puts a certificate into the home directory; none of that is wanted here.
export DOTNET_NOLOGO := 1
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_GENERATE_ASPNET_CERTIFICATE := false
export TESTINGPLATFORM_TELEMETRY_OPTOUT := 1

BUILD := dotnet msbuild -restore -nologo -v:q -p:Configuration=Release

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

demo: native ## build, then show one call through ccp against a scripted upstream, with its charge; ends by itself
	@$(BUILD) tests/ScriptedUpstream
	@scripts/demo

serve: native ## run ccp for real, on the built-in default or on $CCP_CONFIG (needs DEFAULT_ANTHROPIC_API_KEY; .env may hold keys)
	@scripts/with-env artifacts/ccp serve

test: bootstrap native artifacts/ccp-dev build ## run every test level; the last line is "N passed, N failed, N skipped"
	@scripts/install-claude >/dev/null || echo "the end-to-end tests will be skipped"
	@scripts/test

check: build ## format, analyzers (warnings are errors) and the tests that read the source
	dotnet format ClaudeProxy.sln --verify-no-changes --no-restore --exclude artifacts
	artifacts/build/bin/Ccp.Tests/release_net10.0/Ccp.Tests --filter-namespace "Ccp.Tests.Tidy" --no-progress

native: artifacts/ccp ## build artifacts/ccp, the native executable

artifacts/ccp: $(SOURCES)
	@scripts/bootstrap
	@echo "building the native executable; this takes about a minute"
	@scripts/native

# What the tests of licenses run: an executable that trusts the key they sign with.
artifacts/ccp-dev: $(SOURCES) artifacts/ccp
	@echo "building it once more, as a dev build"
	@scripts/native dev

bench: native ## added latency and CPU per request beside a direct connection; SHORT=1 only asks whether all is served
	@$(BUILD) tests/ScriptedUpstream
	@$(BUILD) tests/Ccp.Bench
	@artifacts/build/bin/Ccp.Bench/release_net10.0/Ccp.Bench $(if $(SHORT),--short)

crash: native ## kill ccp a thousand times under load and audit the books after each; KILLS=n, SEED=n
	@$(BUILD) tests/Ccp.Crash
	@artifacts/build/bin/Ccp.Crash/release_net10.0/Ccp.Crash kills $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

soak: native ## 200 streams through ccp for half an hour: memory, descriptors and store must stay flat; MINUTES=n
	@$(BUILD) tests/Ccp.Crash
	@artifacts/build/bin/Ccp.Crash/release_net10.0/Ccp.Crash soak $(if $(MINUTES),--minutes $(MINUTES))

clean: ## delete everything that was built
	rm -rf artifacts

bootstrap: ## install what is missing from Debian's packages
	@scripts/bootstrap --tests

build: bootstrap
	@echo "building the solution; the first time takes a few minutes"
	@$(BUILD) ClaudeProxy.sln
