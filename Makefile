# make run     one fulfilment day on the sample, then where to look
# make test    every check
# make serve   Prefect's server and UI, every flow with its schedule and triggers; PORT=4300 where 4200 is taken
# make bench   the benchmarks
# make setup   .venv alone; the others do it themselves
# make pin     requirements.txt anew from pyproject.toml

.PHONY: setup run test serve bench pin
.DEFAULT_GOAL := run

PYTHON ?= $(shell for v in 3.11 3.12 3.13 3.14 3; do command -v python$$v && break; done)
PORT ?= 4200
BIN := .venv/bin
INSTALLED := .venv/installed

setup: $(INSTALLED)

# uv is one of the pinned packages and installs the others in seconds; where it cannot, pip does the same slowly.
$(INSTALLED): requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is older" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet "$$(grep -o '^uv==[^ ]*' requirements.txt)"
	@echo "installing the pinned packages into .venv"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

run: setup
	@$(BIN)/python -m flows run-day --source data/sample

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

serve: setup
	@exec $(BIN)/python -m flows serve --port $(PORT)

bench: setup
	$(BIN)/python -m benchmarks

pin: setup
	@{ sed -n '/^#/p' requirements.txt; cp requirements.txt .venv/pinned.txt; \
	  $(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --quiet -o .venv/pinned.txt >/dev/null && cat .venv/pinned.txt; } > .venv/requirements.txt
	@mv .venv/requirements.txt requirements.txt
