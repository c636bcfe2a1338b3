# Everything sets itself up in .venv: nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEMO_STAMP := .venv/.demo
CONSTRAINTS := constraints.txt
# A release that exists as a CPU build; the default builds of others bring several GB of CUDA.
TORCH := 2.13.0

.PHONY: help demo test storm bench lint format types imports setup lock clean peers

help:
	@echo "make demo    run a real sweep on real data and show the best trial"
	@echo "make test    run the tests (what CI runs)"
	@echo "make storm   run the long fault storms"
	@echo "make bench   run the benchmarks and print measured against target"
	@echo "make lint    ruff, mypy and the import rules      make format   format the code"
	@echo "make lock    write $(CONSTRAINTS) from the newest releases that fit"

setup: $(STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# Editable, with everything that the tests and the examples need, at the versions of the constraints file.
$(STAMP): $(BIN)/python pyproject.toml $(CONSTRAINTS)
	@echo "installing what the tests need into .venv (torch and other trainers too: two minutes and 3 GB, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[dev]'
	@touch $@ $(DEMO_STAMP)

# What the demo needs: it trains with scikit-learn.
$(DEMO_STAMP): $(BIN)/python pyproject.toml $(CONSTRAINTS)
	@echo "installing what the demo needs into .venv (about half a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[examples]'
	@touch $@

demo: $(DEMO_STAMP)
	@BIN=$(abspath $(BIN)) bash examples/digits/demo.sh

test: setup
	$(BIN)/python -m pytest -m "not storm" -n 2 --dist worksteal

storm: setup
	$(BIN)/python -m pytest -m storm

bench: setup
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# Other trackers, which the benchmark log_peers.py measures beside ours; in a venv of their own.
peers:
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet --disable-pip-version-check wandb trackio mlflow aim tensorboardX

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) types imports

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A throw-away venv, so that what happens to be installed in .venv does not leak into the lock.
lock:
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet --disable-pip-version-check 'torch==$(TORCH)' -e '.[dev]'
	{ echo "# The versions that make and CI use; written by make lock."; \
	  .lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > $(CONSTRAINTS)
	rm -rf .lock

clean:
	rm -rf .venv .peers .lock build dist .demo *.egg-info
