# Needs git, make and Python 3.11 or newer; everything else goes into .venv.
# PYTHON=/path/to/python chooses the interpreter for a new .venv; LAB=--allow-root and the like
# are handed to JupyterLab.

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
# Tools that start other tools (ruff, git hooks, kernels) find those of .venv first.
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY)
# JupyterLab itself would ask the network for news, updates and extensions.
OFFLINE := --LabApp.news_url=None --LabApp.extension_manager=readonly \
  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate
COVERED := model plan store engine
# What the live views are made of, and what they are built into.
WIDGETS := $(shell find widgets/src -type f) widgets/build.mjs widgets/package.json
BUILT := hypernb/widgets/static/hypernb.js
NPM := cd widgets && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm

# Neither tests nor examples touch the store or the signing key of whoever runs them.
check unit suite e2e notebooks docs pictures bench: export HYPERNB_HOME := $(CURDIR)/build/home

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check unit suite e2e lab notebooks docs pictures bench widgets widgets-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.stamp-demo ## audit this repository with all eight specialists; no key, no network
	@$(RUN) tools/demo.py

test: $(VENV)/.stamp-dev check suite notebooks e2e ## everything: check, all tests with coverage, notebooks, browser

check: $(VENV)/.stamp-dev widgets-check ## lint, format, spelling, layers, types, links; the views' own tests
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m codespell_lib
	@# Its cache was seen to call broken layers kept.
	$(VENV)/bin/lint-imports --no-cache
	$(RUN) -m mypy
	$(RUN) tools/tidy.py
	$(RUN) -m tools.docs --check

widgets-check: widgets
	$(NPM) run types
	$(NPM) run lint
	$(NPM) run test

widgets: $(BUILT) ## build the live views

unit: $(VENV)/.stamp-dev $(BUILT) ## the fast tests only
	$(RUN) -m pytest tests/unit tests/property hypernb -m "not slow"

suite: $(VENV)/.stamp-dev $(BUILT) ## unit, contract and integration tests and doctests, with coverage
	@rm -f .coverage .coverage.*
	$(RUN) -m coverage run -m pytest -m "not e2e"
	@$(RUN) -m coverage combine --quiet
	@# What a killed process left unfinished is no data, and every report would say so.
	@rm -f .coverage.*
	@for package in $(COVERED); do \
	  printf 'hypernb/%s: ' "$$package"; \
	  $(RUN) -m coverage report --include="hypernb/$$package/*" --format=total --fail-under=90 \
	    || { echo 'Below the floor of 90 %. The lines that no test reaches:'; \
	         $(RUN) -m coverage report --include="hypernb/$$package/*"; exit 1; }; \
	done

e2e: $(VENV)/.stamp-dev $(BUILT) ## drive notebooks in JupyterLab with a real browser; pictures go to build/screenshots
	@$(NPM) run --silent dev
	$(RUN) -m pytest tests/e2e -m e2e

notebooks: $(VENV)/.stamp-dev $(BUILT) ## run every notebook and compare the outputs that are marked for it
	@rm -rf build/notebooks && mkdir -p build/notebooks
	HYPERNB_DB="$(CURDIR)/build/notebooks/hypernb.db" HYPERNB_HEADLESS=1 HYPERNB_IDLE_S=2 \
	  $(RUN) -m pytest --nbval-lax notebooks/*.ipynb --nbval-cell-timeout=120 --timeout=180

lab: $(VENV)/.stamp-demo ## open JupyterLab on the first notebook and the demo's missions
	@mkdir -p build/demo $(VENV)/share/jupyter/lab/settings
	@# It would ask about news on its first start.
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}' \
	  > $(VENV)/share/jupyter/lab/settings/overrides.json
	@# Files of the whole project can be opened, not only those beside the notebook.
	HYPERNB_DB="$${HYPERNB_DB:-$(CURDIR)/build/demo/hypernb.db}" \
	  $(RUN) -m jupyter lab $(OFFLINE) --ServerApp.root_dir="$(CURDIR)" $(LAB) notebooks/01-first-mission.ipynb

docs: $(VENV)/.stamp-dev ## write the reference pages, then check links and snippets
	$(RUN) -m tools.docs

pictures: $(VENV)/.stamp-dev $(BUILT) ## make the pictures of README and guide, in a real browser
	$(RUN) -m tools.pictures

bench: .venv-bench/.stamp ## measure what is promised to be fast; DAGS=folder adds real workflows
	@mkdir -p build/bench
	@for script in start tasks history tailing resume line llm streaming views; do \
	  echo "== benchmarks/$$script.py"; .venv-bench/bin/python "benchmarks/$$script.py" || exit 1; \
	done
	.venv-bench/bin/python benchmarks/engine.py $(if $(DAGS),--dags "$(DAGS)") > build/bench/engine.md
	@cat build/bench/engine.md

clean: ## remove what was built; .venv stays (rm -rf .venv removes it)
	rm -rf build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	rm -rf hypernb/widgets/static widgets/node_modules widgets/dev/out
	find hypernb tests tools notebooks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# A stamp says that an installation was finished, so the next run need not repeat it.
$(VENV)/.stamp-venv:
	@sh tools/make-venv.sh "$(VENV)" "$(PYTHON)"
	@touch $@

# Installing builds the live views too, with a Node of its own where there is none.
$(VENV)/.stamp-demo: pyproject.toml $(WIDGETS) | $(VENV)/.stamp-venv
	@echo 'Installing hypernb and the tools of its specialists into $(VENV); this takes a few minutes the first time.'
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[audit,lab]'
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml | $(VENV)/.stamp-venv
	@echo 'Installing hypernb and everything its tests need into $(VENV); this takes a few minutes the first time.'
	HYPERNB_SKIP_WIDGETS=1 \
	  $(PY) -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	@touch $@

# npm removes the folder before it fills it, so the stamp goes with it.
widgets/node_modules/.stamp-dev: widgets/package.json widgets/package-lock.json | $(VENV)/.stamp-dev
	$(NPM) ci
	@touch $@

$(BUILT): $(WIDGETS) widgets/node_modules/.stamp-dev
	$(NPM) run build

# Other engines come with many packages that hypernb's own environment need not know.
.venv-bench/.stamp: pyproject.toml benchmarks/requirements.txt
	@sh tools/make-venv.sh .venv-bench "$(PYTHON)"
	@echo 'Installing hypernb and what it is measured beside into .venv-bench; this takes some minutes.'
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[lab]' \
	  --requirement benchmarks/requirements.txt
	@touch $@
