# The two commands of a newcomer are `make run` and `make test`; `make help` lists the rest.
# Each brings what it needs in .venv up to date.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A PYTHON that is given has to be that of .venv; without one, any supported version in .venv is used.
SET_UP := @$(PYTHON) -I workflow/tools/set_up.py $(if $(filter file,$(origin PYTHON)),,--this-python)
# Snakemake keeps a cache in the home folder.
ifneq ($(shell test -w "$${XDG_CACHE_HOME:-$$HOME}" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif
# These are settings for another Python. For the same reason, -I above.
unexport PYTHONHOME PYTHONPATH PYTHONOPTIMIZE PYTHONINSPECT
# One version of each package for all supported versions of Python.
PIN := $(VENV)/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-annotate --no-header

.PHONY: help run report demo lesson lesson-sheet grade extras cluster tracking why accept runs compare live check check-bundle check-gradients prune test test-slow test-cluster test-faults test-outside test-kills test-differential test-newest test-pythons test-speed bench bench-search lint format requirements pictures
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: ## set up, then run whatever is stale (the same as: snakemake --cores 4)
	$(SET_UP)
	RUN_BY_MAKE=yes $(BIN)/python -m snakemake --cores 4

report: run ## put everything that was learned into one page, results/report.html
	@$(BIN)/python -m snakemake --report results/report.html

demo: ## make a page on which to draw digits for the trained network
	$(SET_UP)
	$(BIN)/python -m snakemake --cores 4 demo

lesson: run ## set up Jupyter, and open lesson.ipynb, your copy of docs/lesson.ipynb
	$(SET_UP) lesson
	test -e lesson.ipynb || cp docs/lesson.ipynb .
	$(BIN)/python -m jupyterlab lesson.ipynb

lesson-sheet: ## write results/lesson-sheet.ipynb, the lesson without solutions and results, to hand out
	$(SET_UP) lesson
	$(BIN)/python -m nbconvert --to notebook --ClearOutputPreprocessor.enabled=True \
	  --TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_cell_tags=solution \
	  --output-dir results --output lesson-sheet docs/lesson.ipynb

grade: ## grade copies of the lesson and homework in a folder: make grade FOLDER=path/to/files
	$(SET_UP)
	@$(BIN)/python workflow/tools/grade.py $(if $(FOLDER),"$(FOLDER)")

extras: ## set up what `snakemake parity` and `snakemake export` need (TensorFlow, ONNX)
	$(SET_UP) extras

cluster: ## set up what snakemake --profile profiles/slurm needs
	$(SET_UP) cluster

tracking: ## set up what `snakemake publish` needs (MLflow's client)
	$(SET_UP) tracking

why: ## say what would run, and why
	$(SET_UP)
	@output=$$($(BIN)/python -m snakemake --dry-run $(TARGETS) 2>&1) || { echo "$$output"; exit 1; }; \
	sed -nE 's/^Job [0-9]+: //p; /^Nothing to be done/p' <<< "$$output"

accept: ## list what is stale, and declare these results good as they are (TARGETS="all export")
	$(SET_UP)
	@$(MAKE) --no-print-directory why TARGETS="$(TARGETS)"
	@output=$$($(BIN)/python -m snakemake --cores 1 --touch $(TARGETS) 2>&1) || { echo "$$output"; exit 1; }
	@echo "These results are current now, except those that do not exist."

runs: ## list all runs in results/ and how they differ (SORT=test_accuracy, FORMAT=csv or markdown)
	$(SET_UP)
	@$(BIN)/python workflow/tools/list_runs.py $(if $(SORT),--sort='$(SORT)') $(if $(FORMAT),--format='$(FORMAT)')

compare: ## compare two runs: settings, metrics, curves, answers (RUNS="A B": parts of names, latest, revisions)
	$(SET_UP)
	@$(BIN)/python workflow/tools/compare_runs.py $(RUNS)

live: ## show losses and accuracies of the running trainings as they come (as a page: results/live.html)
	$(SET_UP)
	@$(BIN)/python workflow/tools/live.py

check: ## name the results that are missing, damaged or edited by hand; REPAIR=yes deletes the damaged
	$(SET_UP)
	@$(BIN)/python workflow/tools/check.py $(if $(filter yes,$(REPAIR)),--delete)

check-bundle: ## verify an archive of a run that `snakemake bundle` made (FILE=...)
	$(SET_UP)
	@$(BIN)/python workflow/tools/check_bundle.py "$(FILE)"

check-gradients: ## compare the gradient of every layer, activation and loss with finite differences
	$(SET_UP)
	@$(BIN)/python workflow/tools/check_gradients.py

prune: ## list results that config.yaml and CONFIGS="..." do not reach; DELETE=yes deletes
	$(SET_UP)
	@$(BIN)/python workflow/tools/prune.py config.yaml $(CONFIGS) $(if $(filter yes,$(DELETE)),--delete)

test: lint ## set up, then lint and test (three runs on real MNIST included)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow"

test-slow: ## the tests that take whole runs: holes, kills, modules, prune, reports, ... (DOSE=n: every nth)
	$(SET_UP) test cluster
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m slow

test-cluster: ## run on a real Slurm cluster, brought up here (as root), through its failures (DOSE=n: every nth)
	$(SET_UP) test cluster
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal tests/cluster

test-faults: ## full disks and the like (as root), 10,000 bad configurations and files of each kind, 300 runs
	$(SET_UP) test
	CASES=$${CASES:-10000} RUNS=$${RUNS:-300} $(BIN)/python -m pytest --numprocesses auto --dist worksteal tests/faults

test-outside: ## real networks beside Keras, as ONNX, ..., in photographs; a real MLflow server (EPOCHS=n: less)
	$(SET_UP) test tracking
	$(BIN)/python -m pytest --numprocesses auto --dist loadgroup tests/outside

test-kills: ## kill a run at 50 random moments, press Ctrl-C at 50 others, and recover each time
	$(SET_UP) test
	KILLS=$${KILLS:-50} $(BIN)/python -m pytest --numprocesses auto tests/workflow/test_kills.py

test-differential: ## 1,000 random steps in long-lived projects, compared with fresh ones (hours)
	$(SET_UP) test
	STEPS=$${STEPS:-500} $(BIN)/python -m pytest --numprocesses auto -rP tests/differential

test-newest: ## run the staleness tests with the newest Snakemake 9 and the newest libraries
	$(PYTHON) -m venv $(VENV)/newest
	$(VENV)/newest/bin/pip install --quiet --upgrade pip # an old one knows no groups
	$(VENV)/newest/bin/pip install --quiet --upgrade --group run --group extras 'snakemake<10' pytest pytest-xdist
	$(VENV)/newest/bin/pytest --numprocesses auto \
	  tests/workflow/test_staleness.py tests/workflow/test_failures.py tests/workflow/test_holes.py \
	  tests/snakefresh tests/workflow/test_on_request.py tests/workflow/test_module.py

test-pythons: ## make run and make test in fresh clones with each supported Python found here (PYTHONS, GOALS)
	@for version in $${PYTHONS:-3.11 3.12 3.13}; do \
	  python=$$(for each in python$$version $${PYENV_ROOT:-~/.pyenv}/versions/$$version.*/bin/python3; do \
	    $$each -c '' 2> /dev/null && echo $$each; done | head -1); \
	  [ "$$python" ] || { echo "There is no Python $$version here."; continue; }; \
	  folder=$$(mktemp -d) && git clone --quiet . $$folder/scratchnet && echo "Python $$version" && \
	  $(MAKE) --no-print-directory -C $$folder/scratchnet PYTHON=$$python $${GOALS:-run test} || exit; \
	  rm -rf $$folder; \
	done

test-speed: run ## see that nothing that was won in speed and memory is lost, and print the ratios
	$(SET_UP) test
	$(BIN)/python -m pytest -rP --durations=0 tests/benchmarks

bench: run ## time everything side by side with PyTorch, JAX, ... (half an hour; WORKS="lenet5 clean" ROUNDS=3: less)
	$(SET_UP) test
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python tests/benchmarks/bench.py $(if $(WORKS),--works $(WORKS)) $(if $(ROUNDS),--rounds $(ROUNDS))
	$(if $(WORKS),,cp results/benchmarks/peers.png docs/)

bench-search: run ## compare a search with Optuna, Keras Tuner, a grid, ... (SEEDS=n; an hour)
	$(SET_UP) test
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python tests/benchmarks/search.py --seeds $${SEEDS:-5}

lint: ## check the style of Python and of rules
	$(SET_UP) test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m snakefmt --check Snakefile workflow

format: ## rewrite the code in the project's style
	$(SET_UP) test
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .
	$(BIN)/python -m snakefmt Snakefile workflow

requirements: ## pin the newest versions of the packages in pyproject.toml (edit and commit)
	$(PYTHON) -m venv $(VENV)/uv
	$(VENV)/uv/bin/pip install --quiet uv
	$(PIN) --group build --output-file requirements/build.txt
	$(PIN) --group run --group test --group cluster --group tracking --constraint requirements/build.txt \
	  --output-file requirements/pins.txt

pictures: report demo ## draw the pictures of the documentation again (default run, sweep, search, MLP, LeNet-5), and execute the lesson
	$(SET_UP) test
	$(BIN)/python -m nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False docs/lesson.ipynb
	$(BIN)/python -m snakemake --cores 4 parity explain
	rm -rf results/photographs results/predictions
	$(BIN)/python tests/helpers/photographs.py results/data/mnist-*/X_test.npy results/photographs
	$(BIN)/python -m snakemake --cores 4 predict --config 'predict={images: results/photographs}'
	cp results/predictions/*/contact_sheet.png results/photographs/photo-00.jpg docs/
	cp results/latest/epoch-0020/*.png docs/
	cp results/latest/epoch-0020/explanation/saliency.png results/latest/epoch-0020/explanation/attacks.png docs/
	PYTHONPATH=workflow/scripts $(BIN)/python tests/helpers/screenshots.py \
	  results/report.html results/latest/epoch-0020/demo.html docs
	rm -rf results/sweeps
	$(BIN)/python -m snakemake --cores 4 --configfile workflow/configs/sweep.yaml
	cp results/sweeps/*/*.png docs/
	rm -rf results/searches
	$(BIN)/python -m snakemake --cores 4 --configfile workflow/configs/search.yaml
	cp results/searches/*/*.png docs/
	for target in all parity; do \
	  $(BIN)/python -m snakemake --cores 4 $$target --configfile workflow/configs/mlp.yaml --config 'sweep={training.seed: [0]}' || exit; \
	done
	cp results/latest/epoch-0025/parity.png docs/parity_mlp.png
	$(BIN)/python -m snakemake plots --cores 4 --configfile workflow/configs/lenet5_augmented.yaml --config 'sweep={training.seed: [0]}'
	cp results/runs/mnist-conv-6-16-mlp-120-84-*/augmentation.png docs/
	cp results/runs/mnist-conv-6-16-mlp-120-84-*/epoch-0030/weights.png docs/filters.png
