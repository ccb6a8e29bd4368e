# The two commands of a newcomer are `make demo` and `make test`; the rest is for maintainers.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
DEMO := demo
PARALLEL ?= -n auto --dist worksteal
INSTALLED := $(DEMO)/home/data/solutions/object-detection-shapes/current/root

.PHONY: demo test lint types docs train bench sweep fuzz cross mirror index index-sign index-check clean

demo: $(VENV)/.crpack
	@$(PY) tests/tools/demo.py "$(DEMO)"

test: $(VENV)/.test
	@echo 'The tests that pytest will call deselected are the long sweep: make sweep'
	@$(PY) -m pytest $(PARALLEL) $(TESTS)

lint: $(VENV)/.lint
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.lint $(VENV)/.test
	@$(PY) -m mypy

docs: $(VENV)/.crpack
	@$(PY) tests/tools/generate_docs.py

# The bootstrap index: what recipes/ make, unsigned; listed and signed; compared without keys.
index: $(VENV)/.crpack
	@$(PY) tests/tools/index.py make

index-sign: $(VENV)/.crpack
	@test -n "$(KEYS)" || { echo "name the folder of the keys: make index-sign KEYS=DIR" >&2; exit 2; }
	@$(PY) tests/tools/index.py sign "$(KEYS)"

index-check: $(VENV)/.crpack
	@$(PY) tests/tools/index.py check

# The long sweeps: every power cut, and what else is marked `slow`.
sweep: $(VENV)/.test
	@$(PY) -m pytest $(PARALLEL) -m slow $(TESTS)

# A million random problems for the solver, judged by a SAT solver: make fuzz FUZZ='COUNT SEED'.
fuzz: $(VENV)/.test
	@$(PY) tests/tools/solver_fuzz.py $(FUZZ)

# Real libraries for other machines; their sources, out of Debian's source packages.
cross: $(VENV)/.test
	@$(PY) tests/tools/cross.py $(CROSS)

mirror: $(VENV)/.test
	@$(PY) tests/tools/source_mirror.py .mirror

bench: $(VENV)/.test
	@$(PY) tests/bench/startup.py
	@$(PY) tests/bench/ranges.py
	@$(PY) tests/bench/detect.py
	@$(PY) tests/bench/build_overhead.py
	@$(PY) tests/bench/solver.py
	@test ! -d "$(INSTALLED)" || $(PY) tests/bench/engine_speed.py \
	  "$(INSTALLED)/ssd-native/bin/ssd-native" "$(INSTALLED)/shapes-dataset"

train: $(VENV)/.test
	@$(PY) -m pip install --quiet "torch==2.13.0"
	@$(MAKE) -C recipes/model/ssd-mobilenet-shapes/train PYTHON="$(abspath $(PY))"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crpack needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); \
	    echo "Python cannot make environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }

# Not editable: Python cannot start from a path file with other letters than ASCII in the C locale.
SOURCES := $(shell find crpack recipes/software -type f -not -name '*.pyc')

$(VENV)/.crpack: pyproject.toml $(SOURCES) $(VENV)/bin/python
	@echo "Installing crpack into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(PY) -m pip install --quiet --disable-pip-version-check .
	@touch $@

# pip 25.3 and later write launchers that start cheaply (decision 0007).
# pip learned `--group` in version 25.1; this way older ones serve too.
$(VENV)/.test: $(VENV)/.crpack
	@echo "Installing what the tests need ..."
	@$(PY) tests/tools/groups.py test > $(VENV)/test.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/test.txt
	@touch $@

$(VENV)/.lint: $(VENV)/.crpack
	@$(PY) tests/tools/groups.py lint > $(VENV)/lint.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/lint.txt
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) .index .pytest_cache .mypy_cache .ruff_cache .hypothesis
