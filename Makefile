# From a fresh clone to a running, tested AdTiger. Needs make and Python 3.11 or newer; `make help` lists
# the targets. All paths are relative, so the clone may lie in a folder with spaces in its name.

# The first Python that is new enough; another one with `make PYTHON=/path/to/python demo`.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
PY := .venv/bin/python
# Tests and checks have servers of their own, ended afterwards, so that a running `make up` is left alone.
SUITE := ADTIGER_ENV=test ADTIGER_HOME=.adtiger/suite
STOP_SUITE := $(PY) -m adtiger.embedded stop --home .adtiger/suite >/dev/null
CHROMIUM := { command -v chromium || command -v chromium-browser || command -v google-chrome; }
CODE := adtiger sync providers tests benchmarks manage.py

ADTIGER_ENV ?= development
export ADTIGER_ENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: help demo up down worker test lint bench chaos chromium

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/.installed ## connect demo accounts of both platforms, sync them, show what was copied
	@$(PY) -m adtiger.up --demo

up: .venv/.installed ## run everything; prints the address and the login; Ctrl-C stops it
	@$(PY) -m adtiger.up

down: .venv/.installed ## stop what `make up` started
	@$(PY) -m adtiger.up --down

worker: .venv/.installed-dev ## a worker for all queues that restarts when the code changes, beside `make up`
	@if [ -f .adtiger/env ]; then . .adtiger/env; fi; \
	$(PY) -m watchfiles --filter python '$(PY) manage.py worker all' adtiger sync providers

test: .venv/.installed-dev chromium ## the whole suite on real servers; browser tests in Chromium
	@status=0; $(SUITE) $(PY) -m pytest -n 2 --dist worksteal || status=$$?; $(STOP_SUITE); \
	$(CHROMIUM) >/dev/null || echo '!!! BROWSER TESTS WERE LEFT OUT: there is no Chromium on the PATH.'; \
	exit $$status

lint: .venv/.installed-dev ## style, types, layers, missing migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-cache
	@echo 'mypy and missing migrations'; status=0; \
	$(SUITE) $(PY) -m mypy $(CODE) || status=$$?; \
	$(SUITE) $(PY) manage.py makemigrations --check --dry-run || status=$$?; \
	$(STOP_SUITE); exit $$status

bench: .venv/.installed-dev ## measure AdTiger beside its peers (BullMQ where there is Node); takes an hour or more
	@$(PY) -m benchmarks

MINUTES ?= 3
SEED ?= 1
SCENARIO ?=
chaos: .venv/.installed-dev ## kill and break everything for MINUTES=3, and count what was promised (SCENARIO=, SEED=)
	@$(PY) -m tests.chaos --minutes $(MINUTES) --seed $(SEED) $(foreach name,$(SCENARIO),--scenario $(name))

# Debian's Chromium, where it is missing and we may install it.
chromium:
	@$(CHROMIUM) >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } || true

.venv/.installed: requirements.txt
	@[ -n '$(PYTHON)' ] || { echo 'AdTiger needs Python 3.11 or newer (or set PYTHON=/path/to/python).' >&2; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || '$(PYTHON)' -m venv --clear .venv || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv && '$(PYTHON)' -m venv --clear .venv; } || { \
		echo 'No virtual environment can be made: install the package python3-venv.' >&2; exit 1; }
	@echo 'Installing what AdTiger needs into .venv (about a minute, once) ...'
	@$(PY) -m pip install -qq -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@echo 'Installing what tests and checks need ...'
	@$(PY) -m pip install -qq -r requirements-dev.txt
	@touch $@
