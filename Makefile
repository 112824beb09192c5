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
TRAINED := $(BUILD)/model/trained
MODEL := $(BUILD)/model/model.keras
EVALUATION := $(BUILD)/model/evaluation.json
EXPORT := $(BUILD)/export/table.txt
MICRO := $(BUILD)/export/edgecalc-$(PRESET)-micro.tflite
WHEEL := build/wheel/built
# What a stage follows from beside its input: its code and its tables of the preset.
RECIPES := $(addprefix $(BUILD)/recipes/,corpus model export)
SHIPS := $(BUILD)/export/edgecalc-$(PRESET)-int8.tflite
# One rule for calc and predict: the int8 file, the variant that ships, of PRESET if that is given,
# else of whatever was exported last.
GIVEN := $(filter-out file default,$(origin PRESET))
EXPORTED = $(firstword $(shell ls -t $(if $(GIVEN),$(SHIPS),build/*/export/edgecalc-*-int8.tflite) 2>/dev/null))

.PHONY: help setup data show train export micro calc predict package manual wheel test \
	test-slow test-all test-pi lint format bench lock clean again
.DELETE_ON_ERROR:

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "calc and predict take the int8 file, the variant that ships, of PRESET if it is given, else"
	@echo "of the newest export."
	@echo "PRESET=$(PRESET), of: $(sort $(basename $(notdir $(wildcard presets/*.toml))))"

setup: $(SETUP) ## make .venv with everything pinned; every other target does it by itself

data: $(CORPUS) ## write the corpus of PRESET

show: $(SETUP) ## print five records of that corpus in words, or the one of EXPRESSION=842/37
	@$(RUN) -m pipeline.show --corpus $(BUILD)/corpus $(if $(EXPRESSION),--expression "$(EXPRESSION)")

train: $(EVALUATION) ## train on it, count exact answers; goes on where it was stopped, RESUME=no begins anew

export: $(EXPORT) ## write verified TFLite files of the trained model

micro: $(MICRO) ## write the variant for microcontrollers, verified by tflite-micro

calc: $(SETUP) ## calculate at a prompt with an exported model
	@$(if $(EXPORTED),,echo "There is no exported model yet: make data train export" >&2; exit 1)
	@$(VENV)/bin/edgecalc --model $(EXPORTED)

# edgecalc's status is 1 for a refused line, too. The output is whole if it was written anew and has
# a line for each line of the input.
predict: $(SETUP) ## answer a file of expressions with an exported model: IN=file OUT=file
	@$(if $(and $(IN),$(OUT)),,echo "Usage: make predict IN=expressions.txt OUT=answers.txt" >&2; exit 2)
	@$(if $(EXPORTED),,echo "There is no exported model yet: make data train export" >&2; exit 1)
	@begun=$$(mktemp) || exit; trap 'rm -f "$$begun"' EXIT; \
	$(VENV)/bin/edgecalc predict --model $(EXPORTED) "$(IN)" -o "$(OUT)" || { status=$$?; \
		lines() { LC_ALL=C zcat -f < "$$1" | LC_ALL=C grep -ac ''; }; \
		if [ $$status = 1 ] && [ -f "$(IN)" ] && [ "$(OUT)" -nt "$$begun" ] && \
			[ "$$(lines "$(IN)")" = "$$(lines "$(OUT)")" ]; \
		then echo "some lines were refused, see above; $(OUT) is whole" >&2; \
		else exit $$status; fi; }

package: $(SETUP) ## put the exported model of PRESET into the package, if it is at least as good
	@$(RUN) -m export.package $(SHIPS)

manual: $(SETUP) ## write the manual page and the shells' completions in runtime/share anew
	@$(RUN) runtime/manual.py

wheel: $(WHEEL) ## build the runtime's wheel into build/wheel/

test: $(SETUP) ## run the fast tests
	$(RUN) -m pytest -m "not slow" --cov

test-slow: $(SETUP) ## run the others, trainings and the tiny road end to end among them
	$(RUN) -m pytest -m slow --cov --cov-append

test-all: test test-slow ## run all tests

test-pi: $(SETUP) $(WHEEL) ## install the wheel on emulated Raspberry Pis (one: MACHINE=bookworm-arm64) and compare
	$(RUN) -m pytest -rsP tests/pi $(if $(MACHINE),-k "$(MACHINE)")

lint: $(SETUP) ## check style, format and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(SETUP) ## mend style and format
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(EXPORT) ## measure what the README claims, with the network of PRESET, into build/bench/
	$(RUN) -m benchmarks.pipeline
	$(RUN) -m benchmarks.feeding --preset $(PRESET)
	$(RUN) -m benchmarks.loops
	$(RUN) -m benchmarks.runtime --model $(BUILD)/model --file $(SHIPS)

lock: ## pin requirements.in anew; needs uv
	uv pip compile requirements.in --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" -o requirements.lock
	# uv drops the marker of the one package that other machines do without.
	sed -i 's/^tflite-micro==[^ ]*/& ; platform_machine == "x86_64"/' requirements.lock

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

# What trains although nothing has changed: being told to, or a model that somebody took away.
ANEW := $(if $(and $(wildcard $(MODEL)),$(filter-out no,$(or $(RESUME),yes))),,again)

# Asked every time, and written only if the recipe has changed: words about code make nothing anew.
$(RECIPES): again | $(SETUP)
	@$(RUN) -m presets.recipe $(@F) --preset $(PRESET) --out $@

$(CORPUS): $(BUILD)/recipes/corpus | $(SETUP)
	$(RUN) -m pipeline --preset $(PRESET) --out $(@D)

$(TRAINED): $(CORPUS) $(BUILD)/recipes/model $(ANEW) | $(SETUP)
	$(RUN) -m model.train --preset $(PRESET) --corpus $(BUILD)/corpus --out $(@D) \
		$(if $(filter no,$(RESUME)),--no-resume)
	@touch $@

# The same corpus, written again, trains nothing: then the model stays as old as it is, and what
# follows from it is up to date.
$(MODEL): $(TRAINED) ;

$(EVALUATION): $(MODEL) | $(SETUP)
	$(RUN) -m model.evaluate --model $(@D)

$(EXPORT): $(MODEL) $(BUILD)/recipes/export | $(SETUP)
	$(RUN) -m export --model $(BUILD)/model --out $(@D)

$(MICRO): $(MODEL) $(BUILD)/recipes/export | $(SETUP)
	$(RUN) -m export --micro --model $(BUILD)/model --out $(@D)

# A build takes in what a former one left in runtime/build.
$(WHEEL): $(shell find runtime -type f -not -path '*.egg-info*' -not -path '*__pycache__*') | $(SETUP)
	rm -rf $(@D) runtime/build
	$(VENV)/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(@D) ./runtime
	rm -rf runtime/build
	@ls $(@D)/*.whl
	@touch $@
