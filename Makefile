# `make demo` and `make test` do all the set-up themselves: Python 3.11 or later is all they need.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= auto

.PHONY: demo test check faults torture bench lock clean

demo: $(VENV)/.installed
	$(BIN)/gapless demo

test: $(VENV)/.tested check
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

check: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Every fault at the size that `test` tries it, with its planted bugs; `torture` takes a night.
faults: $(VENV)/.tested
	$(BIN)/pytest -q -n $(WORKERS) tests/torture

torture: $(VENV)/.tested
	PYTHONPATH=tests $(BIN)/python -m torture

bench: $(VENV)/.tested
	$(BIN)/pip install --quiet --editable ".[read,server]" --group bench
	$(BIN)/python benchmarks/stores.py
	$(BIN)/python benchmarks/decode.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/baseline.py
	$(BIN)/python benchmarks/resample.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/scanning.py
	$(BIN)/python benchmarks/serving.py

# The versions everything was last tested with; `make lock` moves them on.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --no-emit-index-url --no-annotate --universal --python-version 3.11 \
		--extra read --extra mcp --extra server \
		--group pyproject.toml:test --no-header pyproject.toml -o requirements.lock
	rm -rf $(VENV)-lock

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --constraint requirements.lock --editable ".[chart,server]"
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint requirements.lock --editable ".[read,mcp,server]" --group test
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
