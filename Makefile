# Every target sets up what it needs first: a virtual environment, from pinned versions.
PYTHON ?= python3
VENV ?= .venv
SOLUTION ?= reference_solutions/round_robin.py
BIN = $(VENV)/bin

.PHONY: grade test verify lint

grade: $(VENV)/installed  ## Grade a candidate: make grade SOLUTION=path/to/candidate.py
	$(BIN)/pytest --solution=$(SOLUTION)

test: $(VENV)/installed  ## Run the project's own tests
	$(BIN)/pytest tests -n 2 --dist loadfile -rs

verify: $(VENV)/installed  ## Prove the grader: references, broken solutions, hacks, mutants
	$(BIN)/python scripts/verify_grader.py --mutants

lint: $(VENV)/installed  ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,lint]'
	touch $@
