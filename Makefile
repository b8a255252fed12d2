# Everything happens in .venv, which is made from the lock on first use.
PYTHON ?= python3
VENV := .venv
DATAFLOW := .venv-dataflow
BIN := $(VENV)/bin

.PHONY: demo test test-attacks test-clusters test-dataflow check bench lock clean

demo: $(VENV)/.installed
	$(BIN)/repomill run examples/demo.yaml

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

# All attacks on the sandbox, of which `make test` tries those that differ in kind; six minutes.
test-attacks: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "attacks or not attacks" tests/transforms/sandbox

# Real clusters of Flink and Spark on loopback; needs Java, Maven and Go, which fetch 2 GB once.
test-clusters: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 0 -m "clusters or not clusters" \
		tests/pipeline/test_engines.py tests/pipeline/test_clusters.py

# What needs Google's libraries, 80 packages that nothing else does: jobs are built, none is sent.
test-dataflow: $(DATAFLOW)/.installed
	$(DATAFLOW)/bin/python -m pytest -m "clusters or not clusters" tests/runners/test_dataflow.py \
		tests/runners/test_container.py tests/pipeline/test_dataflow_jobs.py

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

# Versions and hashes for every supported Python and platform, without index addresses.
lock: $(VENV)/bin/python
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--upgrade pyproject.toml --extra dev --output-file locks/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--constraint locks/dev.txt pyproject.toml locks/build.in --output-file locks/base.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--constraint locks/dev.txt pyproject.toml --extra dataflow --extra s3 --extra gs --output-file locks/dataflow.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "repomill needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python locks/base.txt pyproject.toml
	@echo "Installing what locks/base.txt names into $(VENV), about a minute"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/base.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed locks/dev.txt
	@echo "Installing what locks/dev.txt names into $(VENV), about a minute"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@

$(DATAFLOW)/.installed: $(VENV)/bin/python locks/dataflow.txt locks/dev.txt pyproject.toml
	@echo "Installing what locks/dev.txt and locks/dataflow.txt name into $(DATAFLOW), about two minutes"
	$(BIN)/python -m venv $(DATAFLOW)
	for lock in dev base dataflow; do $(DATAFLOW)/bin/python -m pip install --quiet \
		--disable-pip-version-check --require-hashes -r locks/$$lock.txt || exit 1; done
	$(DATAFLOW)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(DATAFLOW) dist .mypy_cache .ruff_cache .pytest_cache
