# All tasks of this repository. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for processes they start about half of the time, so run two per processor.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
BENCHMARKS := startup completion order_list long_history packing_bench file_import webhook_server

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench dist clean

help: ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("cpctl needs Python 3.11 or later; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed ## Ship an order on the sandbox, with the network down for a while.
	@$(BIN)/cpctl sandbox run -- bash examples/ship-an-order.sh

test: $(VENV)/installed ## Run all tests.
	@$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/installed ## Check style, and types for Linux, Windows and macOS.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	@$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

docs: $(VENV)/installed ## Generate the reference, the completions and the output shown in documents.
	@$(BIN)/python -m tools.docs.generate

bench: $(VENV)/installed ## Run the benchmarks; their tables belong in docs/performance.md.
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name && echo || exit 1; done

dist: $(VENV)/installed ## Build the wheel, the sdist and cpctl.pyz in dist/.
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist .
	@$(BIN)/python packaging/build_zipapp.py dist/cloudprinter_cli-*.whl dist/cpctl.pyz
	@ls dist

clean: ## Remove what was built.
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache
