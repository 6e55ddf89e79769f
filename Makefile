# The two commands of a newcomer are `make run` and `make test`; `make help` lists the rest.
# Each sets up what it needs in .venv, once for each state of the requirements files.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# To build a package without a wheel, pip would fetch build tools without looking at hashes.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run report demo extras cluster why accept verify prune test test-slow test-cluster test-faults test-outside test-kills test-differential test-newest test-speed bench lint format requirements pictures
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.run ## set up, then run whatever is stale (the same as: snakemake --cores 4)
	@$(BIN)/python workflow/tools/unlock.py
	$(BIN)/snakemake --cores 4

report: run ## put everything that was learned into one page, results/report.html
	@$(BIN)/snakemake --report results/.report.html
	@mv results/.report.html results/report.html

demo: $(VENV)/.run ## make a page on which to draw digits for the trained network
	$(BIN)/snakemake --cores 4 demo

extras: $(VENV)/.extras ## set up what `snakemake parity` and `snakemake export` need (TensorFlow, ONNX)

cluster: $(VENV)/.cluster ## set up what snakemake --profile profiles/slurm needs

why: $(VENV)/.run ## say what would run, and why
	@output=$$($(BIN)/snakemake --dry-run $(TARGETS) 2>&1) || { echo "$$output"; exit 1; }; \
	sed -nE 's/^Job [0-9]+: //p; /^Nothing to be done/p' <<< "$$output"

accept: $(VENV)/.run ## list what is stale, and declare these results good as they are (TARGETS="all export")
	@$(MAKE) --no-print-directory why TARGETS="$(TARGETS)"
	@output=$$($(BIN)/snakemake --cores 1 --touch $(TARGETS) 2>&1) || { echo "$$output"; exit 1; }
	@echo "These results are current now, except those that do not exist."

verify: $(VENV)/.run ## repeat what is stale in a copy; results that come out the same are current (TARGETS=...)
	@$(BIN)/python workflow/tools/verify.py $(TARGETS)

prune: $(VENV)/.run ## list results that config.yaml and CONFIGS="..." do not reach; DELETE=yes deletes
	@$(BIN)/python workflow/tools/prune.py config.yaml $(CONFIGS) $(if $(filter yes,$(DELETE)),--delete)

test: $(VENV)/.test lint ## set up, then lint and test (one run on real MNIST included)
	$(BIN)/pytest --numprocesses auto --dist worksteal -m "not slow"

test-slow: $(VENV)/.test ## the tests that take whole runs: holes, kills, modules, prune, reports, ... (DOSE=n: every nth)
	$(BIN)/pytest --numprocesses auto --dist worksteal -m slow

test-cluster: $(VENV)/.test $(VENV)/.cluster ## run on a real Slurm cluster, brought up here (as root), through its failures (DOSE=n: every nth)
	$(BIN)/pytest --numprocesses 3 --dist worksteal tests/cluster

test-faults: $(VENV)/.test ## full disks and the like (as root), and 10,000 bad configurations and files of each kind
	CASES=$${CASES:-10000} $(BIN)/pytest --numprocesses auto --dist worksteal tests/faults

test-outside: $(VENV)/.test ## real networks beside Keras, as ONNX, ..., in photographs (EPOCHS=n: a smaller dose)
	$(BIN)/pytest --numprocesses auto --dist loadgroup tests/outside

test-kills: $(VENV)/.test ## kill a run at 50 random moments, and recover each time
	KILLS=$${KILLS:-50} $(BIN)/pytest --numprocesses auto tests/workflow/test_kills.py

test-differential: $(VENV)/.test ## 1,000 random steps in long-lived projects, compared with fresh ones (hours)
	STEPS=$${STEPS:-500} $(BIN)/pytest --numprocesses auto -rP tests/differential

test-newest: ## run the staleness tests with the newest Snakemake 9 and the newest libraries
	$(PYTHON) -m venv $(VENV)/newest
	$(VENV)/newest/bin/pip install --quiet --upgrade -r requirements.in 'snakemake<10' onnx tensorflow pytest pytest-xdist
	$(VENV)/newest/bin/pytest --numprocesses auto \
	  tests/workflow/test_staleness.py tests/workflow/test_failures.py tests/workflow/test_holes.py \
	  tests/workflow/test_toy.py tests/workflow/test_on_request.py tests/workflow/test_module.py

test-speed: $(VENV)/.test run ## see that nothing that was won in speed and memory is lost
	$(BIN)/pytest tests/benchmarks

bench: $(VENV)/.bench run ## time everything side by side with PyTorch, JAX, TensorFlow, ... (15 minutes)
	$(BIN)/python tests/benchmarks/bench.py
	cp results/benchmarks/peers.png docs/

lint: $(VENV)/.test ## check the style of Python and of rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow

format: $(VENV)/.test ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

requirements: ## pin the newest versions of the packages in requirements*.in (edit and commit)
	$(PYTHON) -m venv $(VENV)/pip-tools
	$(VENV)/pip-tools/bin/pip install pip-tools
	for name in requirements-build requirements requirements-extras requirements-test requirements-cluster; do \
	  $(VENV)/pip-tools/bin/pip-compile --upgrade --generate-hashes --allow-unsafe --strip-extras \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --output-file $$name.txt $$name.in || exit; \
	done

pictures: report demo $(VENV)/.test ## draw the pictures of the documentation again (default run, sweep, MLP)
	$(BIN)/snakemake --cores 4 parity
	rm -rf results/photographs results/predictions
	$(BIN)/python tests/helpers/photographs.py results/data/mnist-*/X_test.npy results/photographs
	$(BIN)/snakemake --cores 4 predict --config 'predict={images: results/photographs}'
	cp results/predictions/*/contact_sheet.png results/photographs/photo-00.jpg docs/
	cp results/latest/epoch-0020/*.png docs/
	PYTHONPATH=workflow/scripts $(BIN)/python tests/helpers/screenshots.py \
	  results/report.html results/latest/epoch-0020/demo.html docs
	rm -rf results/sweeps
	$(BIN)/snakemake --cores 4 --configfile workflow/configs/sweep.yaml
	cp results/sweeps/*/*.png docs/
	for target in all parity; do \
	  $(BIN)/snakemake --cores 4 $$target --configfile workflow/configs/mlp.yaml --config 'sweep={training.seed: [0]}' || exit; \
	done
	cp results/latest/epoch-0025/parity.png docs/parity_mlp.png

# A stamp is newer than its requirements file once pip has installed exactly what it lists.
$(VENV)/.run: requirements.txt
	@echo "Setting up $(VENV) from $<"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) -r requirements-build.txt
	@$(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.extras: requirements-extras.txt $(VENV)/.run
	@echo "Adding to $(VENV) from $<, which takes a minute"
	@$(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.run
	@echo "Adding to $(VENV) from $<, which takes a minute"
	@$(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.cluster: requirements-cluster.txt $(VENV)/.run
	@echo "Adding to $(VENV) from $<"
	@$(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.test
	@echo "Adding to $(VENV) from $<"
	@$(BIN)/python -m pip install --quiet -r $<
	@touch $@
