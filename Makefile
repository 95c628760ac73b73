# make demo and make test set up what they need first. `make help` lists the rest.
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup peers demo test paper report bench docs lint format lock clean

help: ## List what can be made.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: .venv/.ready ## Make .venv with the pinned dependencies and intae itself.

# setuptools first: the package slalom is built with it, and imports its pkg_resources
.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "intae needs Python 3.11 to 3.13, and this is %d.%d; try: make PYTHON=python3.12 ..." % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $$(grep '^setuptools==' requirements.lock)
	$(BIN)/python -m pip install --quiet --no-build-isolation -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

peers: setup ## Add the packages of the peers (models of others), for peers.yaml.
	$(BIN)/python -m pip install --quiet --no-build-isolation --constraint requirements.lock -e ".[peers]"

demo: setup ## Run the benchmark on the embedded, simulated data set.
	$(BIN)/snakemake --cores $(CORES) --configfile tests/config/demo.yaml
	$(BIN)/snakemake --configfile tests/config/demo.yaml --report results/report.html
	@echo "Look at results/report.html, results/figures and results/tables."

test: setup ## Run the tests, each file in one of CORES processes.
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

paper: setup ## Run the paper's benchmark: downloads some 400 MB, runs for hours.
	$(BIN)/snakemake --cores $(CORES)
	$(BIN)/snakemake --report results/report.html

report: setup ## Bind what has been run by `make paper` into results/report.html.
	$(BIN)/snakemake --report results/report.html

bench: setup ## Measure speed against the peers, in one run, on pinned threads.
	$(BIN)/python benchmarks/fsclvm_vs_slalom.py
	$(BIN)/python benchmarks/loaders.py

docs: setup ## Build the pages of docs/ into site/.
	$(BIN)/python -m pip install --quiet --no-build-isolation -c requirements.lock -e '.[docs]'
	$(BIN)/mkdocs build --strict

lint: setup ## Check the style of Python and Snakemake files.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: setup ## Bring Python and Snakemake files into style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

lock: ## Write requirements.lock anew from pyproject.toml (needs uv).
	tools/lock.sh

clean: ## Remove what runs have made; downloads and .venv stay.
	rm -rf .snakemake results/*/ results/*.html
