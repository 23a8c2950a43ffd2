# `make demo` and `make test` need Python 3.11+ and nothing else: each makes .venv for itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-long lint docs bench clean
.DEFAULT_GOAL := test

$(VENV)/.demo: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[server,demo]'
	@touch $@

$(VENV)/.test: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## a hub and two edges, cut and healed, compared document by document
	@$(BIN)/skerry demo

lint: $(VENV)/.test  ## style, types, import directions
	@$(BIN)/ruff check src tests tools benchmarks
	@$(BIN)/ruff format --check src tests tools benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

test: lint  ## lint, then the whole suite
	@$(BIN)/pytest -n 2 --dist worksteal -m 'not long'

test-long: lint  ## also what takes minutes
	@SKERRY_TEST_HYPOTHESIS_PROFILE=search $(BIN)/pytest -n 2 --dist worksteal

docs: $(VENV)/.test  ## the site, in site/
	@$(BIN)/python -m tools.reference
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.test  ## beside the peers, which get an environment of their own; ARGS=--quick only tries it
	@$(BIN)/python -m benchmarks $(ARGS)

clean:  ## as after a fresh clone
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
