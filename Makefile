# Each target is one line of what it does; the work is in scripts/, one verb each.
# ARGS goes through: make test ARGS="tests/config -k yaml"
.POSIX:
.PHONY: help run test check format bench lock clean

help: ## Show this
	@awk -F ': ## ' '/^[a-z]+: ##/ { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Start the hub: web, worker, Valkey and SQLite, all of it on this machine
	@scripts/setup run
	@exec .venv/bin/hub up $(ARGS)

test: ## Set up what the tests need and run them
	@scripts/test $(ARGS)

check: ## Check format, lint, types, rings, and that documents are in step
	@scripts/check

format: ## Put the code into its form and mend what can be mended
	@scripts/setup dev
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format .

bench: ## Measure speed on this machine and print one table
	@scripts/setup dev
	@scripts/bench $(ARGS)
	@scripts/bench-routes $(ARGS)

lock: ## Write the lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@scripts/lock $(ARGS)

clean: ## Remove what was made, but never data
	@rm -rf .venv .venv-lock build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
