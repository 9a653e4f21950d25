# The two commands everyone needs are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
HOST   ?= 127.0.0.1
PORT   ?= 8000
# Processes that share the tests; 0 runs them in one.
TEST_PROCESSES ?= auto
# What runs on PostgreSQL too; tests of pages ask the same database through the same acts.
ON_POSTGRESQL = $(addprefix tests/web/test_,events.py archive.py reviews.py screening_actions.py extraction_actions.py registry_session.py registry_clinic.py guidance_page.py)
BALM_HOME ?= $(CURDIR)/.balm

.PHONY: help run test postgresql lint types contract format check docs validation bench lock minimal clean
.DEFAULT_GOAL := help

help: ## explain the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

SOURCES_IN_C := $(shell find src -name "*.c")

$(STAMP): requirements.lock pyproject.toml $(SOURCES_IN_C)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "balm needs Python 3.11 or newer; this is %d.%d. Say PYTHON=/path/to/python3.11 make ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src/balm
	@touch $(STAMP)

run: $(STAMP) ## set up and serve the bundled review, with accounts to try it, on http://127.0.0.1:8000
	BALM_HOME="$(BALM_HOME)" $(BIN)/balm serve reviews/ketamine-chronic-pain --host $(HOST) --port $(PORT)

test: $(STAMP) lint ## set up and run all tests
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal
	$(MAKE) postgresql minimal

postgresql: $(STAMP) ## the server's tests again on PostgreSQL, where BALM_TEST_POSTGRESQL gives its address
	@if [ -n "$$BALM_TEST_POSTGRESQL" ]; then BALM_TEST_DATABASE_URL="$$BALM_TEST_POSTGRESQL" $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal $(ON_POSTGRESQL); \
	elif [ -n "$$CI" ]; then echo "the merge run needs PostgreSQL: set BALM_TEST_POSTGRESQL" >&2; exit 1; \
	else echo "no PostgreSQL given (BALM_TEST_POSTGRESQL): the server was tested on SQLite alone"; fi

minimal: $(STAMP) ## prove that balm.stats needs only NumPy and SciPy
	$(BIN)/python tests/minimal/run.py

lint: $(STAMP) ## format check, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: test ## everything the merge runs

docs: $(STAMP) ## make the generated parts of the documentation again
	$(BIN)/python -m docs.build

validation: $(STAMP) ## measure agreement with the reference data, and state it in the docs
	$(BIN)/python -m docs.build --validation

# Each script says what it needs and makes its peers' environment (.venv-bench*) from a lock file on first use; one that
# fails does not stop the rest, and the target fails at the end.
BENCHMARKS := run engine streaming records deduplication screening reranking server_load server_records screening_keys network glmm selection bayes accuracy dose_response claims report

bench: $(STAMP) ## ratios against peers, measured in one run; ONLY="engine streaming" for some scripts
	@failed=; for name in $(or $(ONLY),$(BENCHMARKS)); do \
		echo "== benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || failed="$$failed $$name"; \
	done; test -z "$$failed" || { echo "not finished:$$failed"; exit 1; }

lock: ## resolve the dependencies again into requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group test --group lint --group build \
		--generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock

clean: ## remove what the build made
	rm -rf $(VENV) .venv-* build .pytest_cache .mypy_cache .ruff_cache
