# `make` lists what can be made. Everything lands in .venv and data; `make clean` removes .venv, never data.

PYTHON ?= python3
DATA ?= data
BIN := .venv/bin
PACKAGES := dispatch gridmap sla connectors
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help venv serve test test-long bench lint lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

venv: .venv/development.stamp ## make .venv with everything that is needed to develop

serve: .venv/service.stamp ## start the service with the demo city; DATA=folder, default data
	@$(BIN)/dispatch serve --demo --data $(DATA)

test: .venv/development.stamp ## run all tests; prints minutes per group
	@$(BIN)/python tests/run.py

test-long: .venv/development.stamp ## run the long tests: thousands of steps, a million rows
	@$(BIN)/python tests/run.py --long

bench: .venv/development.stamp ## run the benchmarks, each beside its peer
	@$(BIN)/python -m tests.bench

lint: .venv/development.stamp ## check style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) tests
	$(BIN)/lint-imports

lock: .venv/development.stamp ## write the lock files anew from pyproject.toml, at the newest versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) --upgrade --extra dev pyproject.toml -o requirements-dev.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) --upgrade -c requirements-dev.lock pyproject.toml -o requirements.lock

clean: ## remove .venv and caches; data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(PACKAGES) tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/service.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/development.stamp: .venv/service.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
