# make run    install, train four models under protocol quick, write leaderboard.md
# make test   install, lint, types, all tests
# make test-extras  tests that need what is no dependency, such as a browser
# make format  put every file in the project's form
# make bench  benchmarks (pytest-benchmark)
# make soak   many short runs, killed, out of disk space and side by side, for a quarter of an hour at most;
#             MASKDEPTH_SOAK=60 for so many seconds
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODELS := unet dilated_shuffle resnet_unet wnet
LOOKED_AT := tests/bench tests/registry tests/examples tests/test_*.py
# Python compiles what is imported when it is imported first: a tenth of what is installed.
INSTALL = $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable

.PHONY: run test tests test-extras format lint types bench soak leaderboard clean

run: $(VENV)/.run
	$(BIN)/bench run $(addprefix --model ,$(MODELS)) --loss bce_ssim --protocol quick --again
	@echo
	@echo "leaderboard.md        who is better, by how much, at what cost"
	@echo "runs/*/predictions.png  predictions beside the truth"
	@echo "results/              a record of every run"

test: $(VENV)/.test lint
	$(MAKE) --jobs=2 types tests  # mypy has use for one core

tests: $(VENV)/.test
	$(BIN)/pytest -n auto --dist worksteal -m 'not extra'

test-extras: $(VENV)/.test
	$(BIN)/pytest -m extra -rs $$(grep -rl --include='test_*.py' mark.extra $(LOOKED_AT)) || [ $$? -eq 5 ]  # 5: there are none

format: $(VENV)/.test
	$(BIN)/ruff check --fix --select I bench registry tests examples
	$(BIN)/ruff format bench registry tests examples

lint: $(VENV)/.test
	$(BIN)/ruff format --check bench registry tests examples
	$(BIN)/ruff check bench registry tests examples

types: $(VENV)/.test
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/pytest tests/benchmarks --benchmark-only --benchmark-disable-gc --benchmark-columns=median,iqr,rounds --benchmark-sort=fullname

soak: $(VENV)/.test
	$(BIN)/python -W ignore -m bench.devtools.soak

leaderboard: $(VENV)/.run
	$(BIN)/bench leaderboard

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "maskdepth-bench needs Python >= 3.11; name one with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) '.[test]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) runs build *.egg-info .pytest_cache .mypy_cache .ruff_cache
