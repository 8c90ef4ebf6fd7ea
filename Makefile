# Everything that is done with this repository. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Half of a test's time is spent waiting for processes it started, so two tests share a processor.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench dist clean

help: ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("cpctl needs Python 3.11 or later; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed ## Take an order from registered to shipped on the sandbox, with the network pulled once.
	@$(BIN)/cpctl sandbox run -- bash examples/ship-an-order.sh

test: $(VENV)/installed ## Run all tests.
	@$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/installed ## Check style and types.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	@$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

docs: $(VENV)/installed ## Write what is generated: the reference, the completions, the manual pages.
	@$(BIN)/python -m tools.docs.generate

bench: $(VENV)/installed ## Measure, and print the tables of docs/performance.md.
	@$(BIN)/python -m benchmarks.startup
	@echo
	@$(BIN)/python -m benchmarks.completion
	@echo
	@$(BIN)/python -m benchmarks.order_list
	@echo
	@$(BIN)/python -m benchmarks.long_history
	@echo
	@$(BIN)/python -m benchmarks.packing_bench
	@echo
	@$(BIN)/python -m benchmarks.file_import
	@echo
	@$(BIN)/python -m benchmarks.webhook_server

dist: $(VENV)/installed ## Build wheel, sdist and the one file cpctl.pyz in dist/.
	@$(BIN)/python -m build --no-isolation --outdir dist .
	@$(BIN)/python packaging/build_zipapp.py dist
	@ls dist

clean: ## Remove what was built.
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache
