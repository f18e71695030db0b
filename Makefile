# The commands of this repository. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BASELINE := protos/baseline.binpb
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# The machine's own certificates: many offices read TLS at their border.
UV := $(BIN)/uv --quiet --system-certs pip

# uv installs into this environment, whatever other one is active.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# The gRPC core writes its own notes to stderr; only errors matter here.
export GRPC_VERBOSITY ?= ERROR
# How dependencies are locked: for every platform, by hash, without the address of a registry.
LOCKED := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
# Extra arguments, as in: make test ARGS='-k letter'
ARGS ?=
# The longest that the campaign of kills may take.
FAULT_MINUTES ?= 60

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup bench demo test faults lint fmt protos docs baseline lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv and install the locked dependencies and the gateway
	@:

# Runs again only when the lock or the project file is newer than the last installation.
# uv installs fast; where it does not manage, pip reads the same hash-locked file.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "setup: Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@rm -f $(STAMP)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  echo "setup: creating $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "setup: installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages (some minutes on a slow line)"
	@awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements.lock > $(VENV)/uv.txt
	@if $(PIP) install --require-hashes -r $(VENV)/uv.txt && $(UV) sync --compile-bytecode --require-hashes requirements.lock; then \
	  $(UV) install --no-deps --no-build-isolation -e .; \
	else \
	  echo "setup: uv did not manage here (see above); going on with pip"; \
	  $(PIP) install --require-hashes -r requirements.lock && $(PIP) install --no-deps --no-build-isolation -e .; \
	fi
	@touch $(STAMP)
	@echo "setup: done"

bench: setup ## measure the gateway beside a floor of the same parts; ARGS='letter --pairs 3'
	@$(UV) install --require-hashes -r bench/requirements.lock
	@$(BIN)/python -m bench $(ARGS)

demo: setup ## run one child's case across the county line, on real parts
	@$(BIN)/gateway demo $(ARGS)

test: setup ## run all tests
	@$(BIN)/pytest -n auto $(ARGS)

# In real time, with real processes: about an hour. FAULT_MINUTES bounds its longest part;
# `make faults ARGS=--help` lists what else can be chosen.
faults: setup ## try every fault on real parts and write docs/faults.md
	@$(BIN)/python -m tests.faults.run --minutes $(FAULT_MINUTES) $(ARGS)

lint: setup ## check style, types, imports between rooms, the contract and its generated code
	@echo "lint: ruff check" && $(BIN)/ruff check --quiet .
	@echo "lint: ruff format" && $(BIN)/ruff format --quiet --diff .
	@echo "lint: mypy" && $(BIN)/mypy --no-error-summary
	@echo "lint: imports between rooms" && $(BIN)/lint-imports --no-logo
	@echo "lint: declared dependencies" && $(BIN)/deptry --no-ansi .
	@echo "lint: buf lint" && $(BIN)/buf lint
	@echo "lint: buf format" && $(BIN)/buf format --diff --exit-code
	@echo "lint: buf breaking, against $(BASELINE)" && $(BIN)/buf breaking --against $(BASELINE)
	@echo "lint: generated code is fresh" && $(BIN)/python protos/generate.py --check
	@echo "lint: docs are fresh" && $(BIN)/python docs/generate.py --check
	@echo "lint: all clean"

fmt: setup ## format Python and .proto files, mend what can be mended by rule
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write

protos: setup ## generate gateway/v1 from the contract
	@$(BIN)/python protos/generate.py

docs: setup ## generate the tables in docs/ from the code
	@$(BIN)/python docs/generate.py

baseline: setup ## accept the contract as it stands as what later changes must not break
	@$(BIN)/buf build --exclude-source-info -o $(BASELINE)
	@echo "baseline: $(BASELINE) written"

lock: setup ## resolve pyproject.toml anew into both requirements.lock
	@$(UV) compile pyproject.toml --group dev $(LOCKED) -o requirements.lock
	@$(UV) compile --group bench --constraint requirements.lock $(LOCKED) -o bench/requirements.lock

clean: ## remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
