# What one does here.  `make demo` and `make test` are all that a newcomer needs; each sets everything up by itself.
#
#   make demo ARGS="--port 7000 --rows 500"     make test ARGS="tests/wire -x"     make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
JOBS ?= 2

.PHONY: help demo test lint format bench fuzz suites soak lock clean

help:
	@echo "make demo     the whole thing on this machine: database, sample data, proxy; Ctrl-C ends it"
	@echo "make test     all tests, with real servers of their own"
	@echo "make lint     formatting, style, types, import order"
	@echo "make format   put formatting and style right"
	@echo "make bench    measure against direct connections and pgbouncer"
	@echo "make fuzz     property tests with many more examples, and 100,000 statements about what is hidden"
	@echo "make suites   real clients' own tests with and without Fieldgate; SUITES names the folder that holds them"
	@echo "make soak     minutes of mixed work with faults, watching memory, and of rotations with kills"
	@echo "make lock     resolve the pinned requirements again"

# Some systems ship Python without ensurepip; there, pip is put into the environment by the system's own pip.
$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Fieldgate needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "setting up $(VENV); this happens once and takes about a minute"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || \
		{ $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@$(PIP) install -qq --requirement requirements-dev.txt
	@$(PIP) install -qq --no-deps --editable .
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/fieldgate demo $(ARGS)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.ready
	$(BIN)/python -m bench $(ARGS)

STATEMENTS ?= 100000
TWIN ?= 50000

fuzz: $(VENV)/.ready
	$(BIN)/python -m tests.noninterference --statements $(STATEMENTS) --twin $(TWIN)
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=fuzz --timeout=0 $(ARGS)

suites: $(VENV)/.ready
	$(BIN)/python -m tests.suites $(SUITES) $(ARGS)

soak: $(VENV)/.ready
	$(BIN)/python -m tests.integration.soak $(ARGS)
	$(BIN)/python -m tests.jobs.soak $(ARGS)
	$(BIN)/python -m tests.chaos.run $(ARGS)

# The image gets what was tested: with the extras some versions must be older than without.
lock: $(VENV)/.ready
	$(BIN)/pip-compile $(LOCK) --extra=aws --extra=demo --extra=dev --extra=pkcs11 --output-file=requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint=requirements-dev.txt --output-file=requirements.txt pyproject.toml

LOCK := --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
