# Each target makes its own virtual environment where there is none. The plain commands: README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
TRAINING := .venv-training
RESOLVE := .venv-resolve
DEMO_LOGS := logs/demo
MODEL := qwen2.5-coder-0.5b

.PHONY: demo test test-slow test-peers lint typecheck bench clean
.PHONY: test-training train-demo lock-gpu resolve-gpu

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ctrl-harness needs Python 3.11 or later; call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[local]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[dev,local]'
	@touch $@ $(VENV)/.installed

## Drafts, critiques and revisions by a small model in this process; ends with a table.
demo: $(VENV)/.installed
	$(BIN)/ctrl-harness models pull $(MODEL)
	rm -rf $(DEMO_LOGS)
	$(BIN)/inspect eval tasks/codecontests.py --model gguf/$(MODEL) -T source=samples \
		--limit 8 --max-connections 4 --max-tokens 512 --temperature 0.7 --top-p 0.8 --seed 1 \
		--display plain --log-dir $(DEMO_LOGS)
	$(BIN)/ctrl-harness table $(DEMO_LOGS)

# Other projects' judges, which would not all fit beside ours.
$(PEERS)/.installed: tests/peers/requirements.txt tests/peers/requirements-no-deps.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
		-r tests/peers/requirements.txt
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--no-deps -r tests/peers/requirements-no-deps.txt
	@touch $@

# Environments are made without compiled modules, which takes half the time; so their first use has to
# keep what it compiles, or every process of the suite would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

## The default test suite, a process a core.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -n auto --dist loadfile

## What takes minutes or the embedded model.
test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m slow $(PYTEST)

## Our judge beside others': who pays out for a hack, who refuses right programs, and a short run of
## the speed benchmark.
test-peers: $(VENV)/.installed-dev $(PEERS)/.installed
	CTRL_HARNESS_PEERS_PYTHON=$(PEERS)/bin/python $(BIN)/python -m pytest -q tests/peers

# What trains: gigabytes. Without a GPU torch's CPU build is taken where the package index has it
# (docs/training.md); its CUDA build, which is larger, runs on a CPU as well.
TORCH := $(shell grep -o 'torch==[0-9.]*' pyproject.toml | head -1)
$(TRAINING)/.installed: pyproject.toml
	$(PYTHON) -m venv $(TRAINING)
	nvidia-smi >/dev/null 2>&1 || $(TRAINING)/bin/python -m pip install --quiet \
		--disable-pip-version-check --no-compile '$(TORCH)+cpu' || echo "no CPU build of $(TORCH)"
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
		-e '.[training,lm-eval,local,test]'
	@touch $@

## Training and the plug-ins, on a CPU: verl's own main_ppo and Ray among them.
test-training: $(TRAINING)/.installed
	$(TRAINING)/bin/python -m pytest -q -n 2 --dist loadfile -m 'slow or not slow' \
		tests/training tests/plugins $(PYTEST)

## From rows of TACO to a trained critic and its score, on a CPU, with a tiny model.
train-demo: $(TRAINING)/.installed
	$(TRAINING)/bin/python examples/train_demo/demo.py $(TRAIN_DEMO)

# Versions for GPUs, resolved on any machine and installed on none.
GPU_LOCK := training/requirements-gpu.lock
GPU_RESOLUTION = $(RESOLVE)/bin/uv pip compile pyproject.toml --quiet --no-header --no-annotate \
	--extra training-gpu --extra lm-eval --extra local --extra server \
	--python-version 3.11 --python-platform x86_64-manylinux_2_28
$(RESOLVE)/.installed:
	$(PYTHON) -m venv $(RESOLVE)
	$(RESOLVE)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@touch $@

## Resolves the extra training-gpu; what comes out has to be the committed lock, line by line.
resolve-gpu: $(RESOLVE)/.installed
	grep -v '^#' $(GPU_LOCK) >$(RESOLVE)/lock.txt
	$(GPU_RESOLUTION) --constraint $(RESOLVE)/lock.txt >$(RESOLVE)/resolved.txt
	diff $(RESOLVE)/lock.txt $(RESOLVE)/resolved.txt

## Writes the lock anew, with the newest versions that the pins allow.
lock-gpu: $(RESOLVE)/.installed
	$(GPU_RESOLUTION) >$(RESOLVE)/resolved.txt
	{ grep '^#' $(GPU_LOCK); cat $(RESOLVE)/resolved.txt; } >$(RESOLVE)/lock.txt
	mv $(RESOLVE)/lock.txt $(GPU_LOCK)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

## Strict types, against the wheel as a user gets it, from an empty folder.
typecheck: $(VENV)/.installed-dev
	BIN=$(BIN) ./.ci/typecheck

## What the harness costs, who pays out for a hack, who refuses right programs, and what judging
## costs beside others' judges.
bench: export CTRL_HARNESS_PEERS_PYTHON = $(PEERS)/bin/python
bench: $(VENV)/.installed-dev $(PEERS)/.installed
	$(BIN)/python benchmarks/loop.py
	$(BIN)/python benchmarks/hacks.py
	$(BIN)/python benchmarks/right_programs.py
	$(BIN)/python benchmarks/judging.py
	$(BIN)/python benchmarks/reward.py

clean:
	rm -rf $(VENV) $(PEERS) $(TRAINING) $(RESOLVE) build dist logs runs *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
