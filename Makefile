# make run     one fulfilment day on the sample, then where to look
# make test    every check
# make check   style, types, the rules, and the queries on SQLite: for every day
# make serve   Prefect's server and UI, every flow with its schedule and triggers; PORT=4300 where 4200 is taken
# make bench   the benchmarks
# make setup   .venv with what running needs; `run` and `serve` do it themselves
# make develop .venv with what checks and benchmarks need as well; `test`, `bench` and `pin` do it themselves
# make pin     both lock files anew from pyproject.toml

.PHONY: setup develop run test check style types suite everyday serve bench pin
.DEFAULT_GOAL := run

PYTHON ?= $(shell for v in 3.11 3.12 3.13 3.14 3; do command -v python$$v && break; done)
PORT ?= 4200
BIN := .venv/bin
INSTALLED := .venv/installed
DEVELOPED := .venv/developed

setup: $(INSTALLED)

develop: $(DEVELOPED)

# uv installs the pinned packages in seconds; where it cannot, pip does the same slowly.
define install
	@echo "installing $(1) into .venv"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1) \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r $(1)
	@touch $@
endef

$(INSTALLED): requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is older" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet "$$(grep -o '^uv==[^ ]*' requirements-dev.txt)"
	$(call install,requirements.txt)

$(DEVELOPED): requirements-dev.txt $(INSTALLED)
	$(call install,requirements-dev.txt)

run: setup
	@$(BIN)/python -m flows run-day --source data/sample

test: style
	@$(MAKE) --no-print-directory --jobs 2 types suite

check: style
	@$(MAKE) --no-print-directory --jobs 2 types everyday

style: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy .

# Three at once on two cores: the tests of servers mostly wait.
suite:
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 10

everyday:
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --quiet -k "not postgresql" \
	  tests/test_architecture.py tests/test_docs.py tests/config tests/domain tests/store

serve: setup
	@exec $(BIN)/python -m flows serve --port $(PORT)

bench: develop
	$(BIN)/python -m benchmarks

# Versions stay where they still fit; what running needs has the same versions in both files.
define lock
	@{ sed -n '/^#/p' $(1); cp $(1) .venv/pinned.txt; \
	  $(BIN)/uv pip compile pyproject.toml $(2) --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --quiet -o .venv/pinned.txt >/dev/null && cat .venv/pinned.txt; } > .venv/lock.txt
	@mv .venv/lock.txt $(1)
endef

pin: develop
	$(call lock,requirements-dev.txt,--extra dev)
	$(call lock,requirements.txt,--constraint requirements-dev.txt)
