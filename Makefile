# make train · make test · make bench: each sets up .venv by itself and starts in seconds the next time.
PYTHON ?= python3
BIN := .venv/bin
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help train test test-slow lint types contract bench image clean

help:
	@echo "make train      a run on the simulated camera, with a report at its end"
	@echo "make test       lint, types, import contract and all tests but the slow ones"
	@echo "make test-slow  the slow tests"
	@echo "make bench      the benchmarks"
	@echo "make image      the container image"

# Exact versions from constraints.txt; uv because it resolves and unpacks several times faster than pip.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Python 3.11 or newer is needed; $$($(PYTHON) --version) found. Try: make PYTHON=python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (about 6 GB with PyTorch; a few minutes on a slow line)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --compile-bytecode --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: .venv/ready
	@$(BIN)/python train.py

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/ready
	@$(BIN)/mypy

contract: .venv/ready
	@$(BIN)/lint-imports --no-logo

# One torch thread a worker: two workers of many threads fight over the cores.
test: lint types contract
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test-slow: .venv/ready
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

.venv/rivals: .venv/ready
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --constraint constraints.txt --editable '.[dev,rivals]'
	@touch $@

bench: .venv/rivals
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script || exit 1; done

image:
	docker build --tag sage_lightning .

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
