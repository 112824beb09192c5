# make help                      prints the targets
# `make help` prints the targets. The main job is `make data train export`, with PRESET=tiny for a
# minute's worth of it.

PRESET ?= default
PYTHON ?= $(or $(shell command -v python3.11),python3)
ifeq ($(wildcard presets/$(PRESET).toml),)
$(error No preset $(PRESET); there are $(basename $(notdir $(wildcard presets/*.toml))))
endif

VENV := .venv
RUN := $(VENV)/bin/python
SETUP := $(VENV)/installed
BUILD := build/$(PRESET)
CORPUS := $(BUILD)/corpus/manifest.json
MODEL := $(BUILD)/model/evaluation.json
EXPORT := $(BUILD)/export/table.txt
WHEEL := build/wheel/built
# calc and predict take the model exported last, or the one of PRESET if that is given.
EXPORTED = $(firstword $(shell ls -t build/$(if $(filter file default,$(origin PRESET)),*,$(PRESET))/export/*-float16.tflite 2>/dev/null))

.PHONY: help setup data train export calc predict wheel test test-pi lint format bench lock clean
.DELETE_ON_ERROR:

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "PRESET=$(PRESET), of: $(sort $(basename $(notdir $(wildcard presets/*.toml))))"

setup: $(SETUP) ## make .venv with everything pinned; every other target does it by itself

data: $(CORPUS) ## write the corpus of PRESET

train: $(MODEL) ## train on the corpus and count exact answers; goes on where it was stopped

export: $(EXPORT) ## write verified TFLite files of the trained model

calc: $(SETUP) ## calculate at a prompt with the model just exported
	@$(if $(EXPORTED),,echo "There is no exported model yet: make data train export" >&2; exit 1)
	@$(VENV)/bin/edgecalc --model $(EXPORTED)

predict: $(SETUP) ## answer a file of expressions with the model just exported: IN=file OUT=file
	@$(if $(and $(IN),$(OUT)),,echo "Usage: make predict IN=expressions.txt OUT=answers.txt" >&2; exit 2)
	@$(if $(EXPORTED),,echo "There is no exported model yet: make data train export" >&2; exit 1)
	@$(VENV)/bin/edgecalc predict --model $(EXPORTED) "$(IN)" -o "$(OUT)"

wheel: $(WHEEL) ## build the runtime's wheel into build/wheel/

test: $(SETUP) ## run the tests, the tiny road end to end among them
	$(RUN) -m pytest

test-pi: $(SETUP) $(WHEEL) ## install the wheel on emulated Raspberry Pis (one: MACHINE=bookworm-arm64) and compare
	$(RUN) -m pytest -rsP tests/pi $(if $(MACHINE),-k "$(MACHINE)")

lint: $(SETUP) ## check style and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(SETUP) ## mend style and format
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(EXPORT) ## measure what the README claims, with the network of PRESET, into build/bench/
	$(RUN) -m benchmarks.pipeline
	$(RUN) -m benchmarks.feeding --preset $(PRESET)
	$(RUN) -m benchmarks.lstm
	$(RUN) -m benchmarks.runtime --model $(BUILD)/model --file $(BUILD)/export/edgecalc-$(PRESET)-int8.tflite

lock: ## pin requirements.in anew; needs uv
	uv pip compile requirements.in --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" -o requirements.lock

clean: ## remove everything that was built, but for .venv
	rm -rf build

$(SETUP): requirements.lock runtime/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "The road needs Python 3.11, which $(PYTHON) is not: make PYTHON=path/to/python3.11" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable runtime
	@touch $@

$(CORPUS): presets/$(PRESET).toml | $(SETUP)
	$(RUN) -m pipeline --preset $(PRESET) --out $(@D)

$(MODEL): presets/$(PRESET).toml $(CORPUS) | $(SETUP)
	$(RUN) -m model.train --preset $(PRESET) --corpus $(BUILD)/corpus --out $(@D)
	$(RUN) -m model.evaluate --model $(@D)

$(EXPORT): $(MODEL) | $(SETUP)
	$(RUN) -m export --model $(BUILD)/model --out $(@D)

# A build takes in what a former one left in runtime/build.
$(WHEEL): $(shell find runtime -type f -not -path '*.egg-info*' -not -path '*__pycache__*') | $(SETUP)
	rm -rf $(@D) runtime/build
	$(VENV)/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(@D) ./runtime
	rm -rf runtime/build
	@ls $(@D)/*.whl
	@touch $@
