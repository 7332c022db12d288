# Every target makes the environment it needs by itself; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python >= 3.11 that can make environments; 3.12 and 3.11 have an embedded Redis.
BASE_PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-bench
# Tests wait more than they compute: more at once than there are cores.
JOBS ?= 4
PEERS_STAMP := $(PEERS)/.installed

# Hundreds of processes that tests start import the same modules, which are to be compiled once.
export PYTHONDONTWRITEBYTECODE :=

# What only RabbitMQ has is tested where it is.
RABBITMQ := /usr/lib/rabbitmq/bin/rabbitmq-server

# Those of our folders that hold Python.
SOURCES = $(foreach part,distgraph workers checkpoint_redis tests bench examples,\
	$(if $(shell find $(part) -name '*.py' -print -quit 2>/dev/null),$(part)))

DOCS_STAMP := $(VENV)/.installed-docs

.PHONY: help venv demo docs test coverage check format lint types layers unused chaos substrates mutants model bench clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv with everything that development needs

$(STAMP): pyproject.toml
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.11 or newer with venv and pip is needed" >&2; exit 1; }
	test -x $(BIN)/python || $(BASE_PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	touch $@

demo: $(STAMP) ## census of a source tree on real workers, then once more with a detach and a resume
	rm -rf demo-out && mkdir demo-out
	$(BIN)/distgraph demo --yes --out demo-out/straight < /dev/null
	test -s demo-out/straight/report.json && test -s demo-out/straight/report.html
	$(BIN)/distgraph demo --detach --out demo-out/detached < /dev/null | tee demo-out/detach.log
	test ! -e demo-out/detached/report.json
	@echo "# running the command that it printed"
	resume="$$(grep -E '^ *([^ ]*/)?distgraph ' demo-out/detach.log | tail -n 1)"; test -n "$$resume"; \
	PATH="$(abspath $(BIN)):$$PATH" bash -c "$$resume" < /dev/null
	test -s demo-out/detached/report.json && test -s demo-out/detached/report.html

docs: $(DOCS_STAMP) ## build the site into site/; a broken link or an unknown name fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(DOCS_STAMP): $(STAMP) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

test: $(STAMP) ## all tests but chaos (ARGS= is handed to pytest)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(STAMP) ## the same, slower: workers are measured too; fails below 90 %
	$(MAKE) test ARGS="--cov $(ARGS)"

check: format lint types layers unused ## format, lint, types, layers, dead code (make -k check: all of them)

format: $(STAMP)
	$(BIN)/ruff format --check $(SOURCES)

lint: $(STAMP)
	$(BIN)/ruff check $(SOURCES)

types: $(STAMP)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/basedpyright --pythonpath $(abspath $(BIN)/python)

layers: $(STAMP)
	$(BIN)/lint-imports

# Fields of records are left out: they are read through asdict, models and the encoder.
unused: $(STAMP)
	@found="$$($(BIN)/vulture $(SOURCES) || test $$? -eq 3)"; \
	! grep -E 'unused (function|class|method|property|import)|unreachable' <<< "$$found"

chaos: $(STAMP) ## kill, freeze and flush things while runs go on; all random programs and schedules
	$(BIN)/python -m pytest tests/chaos $(ARGS)
	test -n "$(ARGS)" || DISTGRAPH_SIM_SEEDS=50 $(BIN)/python -m pytest -n 2 \
		tests/properties/test_protocol_sim.py tests/properties/test_framed_sim.py
	test -n "$(ARGS)" || RANDOM_PROGRAMS=all $(BIN)/python -m pytest -n 2 \
		tests/parity/test_random.py tests/parity/test_random_inside.py tests/parity/test_random_streams.py \
		tests/parity/test_workflows.py tests/parity/test_inner_streams.py \
		tests/parity/test_celery_threads.py tests/parity/test_levels.py tests/parity/test_random_kinds.py \
		-k "random or inside or levels or workflows or streams"

substrates: $(STAMP) ## one program on every server, broker, pool and Python (ARGS="sentinel tls": some); root: by apt-get
	$(BIN)/python -m tests.substrates $(ARGS)
	test -n "$(ARGS)" || test ! -x $(RABBITMQ) || $(BIN)/python -m pytest tests/substrates

mutants: $(STAMP) ## take each line of the Redis scripts out and see which no test misses (ARGS="--help")
	$(BIN)/python -m tests.mutants $(ARGS)

model: $(STAMP) ## search through every schedule of small systems (ARGS="--mutants": must fail)
	$(BIN)/python -m tests.model $(ARGS)

bench: $(STAMP) $(PEERS_STAMP) ## compare with Celery's chain and chord and with LangGraph
	BENCH_PEERS=$(abspath $(PEERS)/bin/python) $(BIN)/python -m bench $(ARGS)

$(PEERS_STAMP): pyproject.toml
	test -x $(PEERS)/bin/python || $(BASE_PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check 'langgraph>=1.2' 'celery>=5.7' 'redis>=6' hiredis
	touch $@

clean: ## remove what the targets made, environments included
	rm -rf $(VENV) $(PEERS) demo-out dist build site htmlcov .coverage .coverage.* .hypothesis
	rm -rf .mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
