# Every verb sets up what it needs. On a fresh machine `make demo` and `make test` are all there is to do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs bench bench-online fuzz clean nginx
FUZZ_INPUTS ?= 1000000

demo: $(VENV)/run
	@$(BIN)/nginxlint demo || test $$? -eq 1  # the demo shows faults: findings are what it is for

test: lint nginx
	$(BIN)/python -m pytest

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m nginxlint.docs --check

docs: $(VENV)/dev
	$(BIN)/python -m nginxlint.docs

bench: $(VENV)/dev
	$(BIN)/python benchmarks/run.py

bench-online: $(VENV)/dev
	$(BIN)/python benchmarks/online.py

# The long run: a million mutated inputs, then each target guided by coverage for a minute. What is found is kept in tests/fuzz/found.
fuzz: $(VENV)/dev
	$(BIN)/python -m tests.fuzz.run --inputs $(FUZZ_INPUTS) --log fuzz.log
	for target in $$($(BIN)/python -c 'from tests.fuzz.run import TARGETS; print(*TARGETS)'); do $(BIN)/python -m tests.fuzz.guided $$target 60 || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The differential tests want a real nginx with its modules; without one they are skipped, and say how many.
nginx:
	@tools/install-nginx

$(VENV)/run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/dev: $(VENV)/run
	$(BIN)/pip install --quiet --group dev
	@touch $@
