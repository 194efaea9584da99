# ferryman: `make help` lists what there is.  Every target makes .venv itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BENCH  ?= --peers
KIT    ?= tests/deploy

.PHONY: help setup dev worker test check check-deploy lock sync docs dist audit conformance bench interop walk accept clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "ferryman needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 2; }
	@echo "making $(VENV) (once; a minute or two)"
	@if command -v uv >/dev/null 2>&1; then \
	    uv venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV) && \
	    uv pip install --quiet --python $(BIN)/python --group dev -e . ; \
	else \
	    $(PYTHON) -m venv $(VENV) && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev -e . ; \
	fi
	@touch $(READY)

setup: $(READY)  ## make .venv with everything for development

dev: $(READY)  ## run the example application, Briefings, with an embedded worker on http://127.0.0.1:8080
	@cd examples/briefings && APP_ENV=development exec ../../$(BIN)/python -m briefings

worker: $(READY)  ## run Briefings' worker alone, as production does
	@cd examples/briefings && APP_ENV=development exec ../../$(BIN)/python -m briefings --worker

test: $(READY)  ## run every test, two at a time
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: $(READY)  ## format, lint, types, layers, generated twins
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/python tools/unasync.py --check
	@$(BIN)/python -m pytest -q --no-header -p no:cacheprovider tests/test_layers.py
	@$(BIN)/mypy --no-error-summary & types=$$!; $(BIN)/pyright >.pyright.log 2>&1; two=$$?; \
	    wait $$types; one=$$?; [ $$two = 0 ] || cat .pyright.log; rm -f .pyright.log; exit $$((one + two))

$(READY)-%: $(READY)
	@echo "adding the tools of the group $*"
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --group $*; \
	    else $(BIN)/python -m pip install --quiet --disable-pip-version-check --group $*; fi
	@touch $@

check-deploy: $(READY)-deploy  ## look for mistakes in deploy/, without an engine or a cluster (KIT=tests/deploy/test_kit.py runs nothing)
	@$(BIN)/python -m pytest -q -n 2 $(KIT)

lock: $(READY)-lock  ## write the versions that the image installs, deploy/requirements.txt (LOCK=--upgrade for new ones)
	@$(BIN)/python tools/lock.py $(LOCK)

sync: $(READY)  ## write every _sync/ twin from its _async/ original
	@$(BIN)/python tools/unasync.py

docs: $(READY)-docs  ## write the reference pages that are made from the code, and the site into .site
	@$(BIN)/python tools/reference.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

dist: $(READY)  ## build the wheel and the sdist into dist/
	@rm -rf dist && $(BIN)/python -m hatchling build

audit: $(READY)-audit  ## look for known weaknesses in what we stand on, and list it in dist/sbom.json
	@mkdir -p dist && $(BIN)/cyclonedx-py requirements deploy/requirements.txt --output-reproducible -o dist/sbom.json
	@$(BIN)/python tools/audit.py $(AUDIT)

conformance: $(READY)  ## play the scenarios of River's conformance harness against our adapter
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal tests/conformance

bench: $(READY)  ## measure speed, beside real asynq, real River and other queues (BENCH="--peers --python python3.13 --runs 5")
	@$(BIN)/python -m bench $(BENCH)

interop: $(READY)  ## work together with real Go programs on one Redis and one Postgres; needs Go
	@command -v go >/dev/null 2>&1 || \
	    { echo "make interop needs Go $$(awk '/^go / { print $$2 }' interop/go/go.mod) or newer on the path"; exit 2; }
	@cd interop/go && unformatted=$$(gofmt -l .) && { [ -z "$$unformatted" ] || { echo "run: gofmt -w $$unformatted"; exit 1; }; }
	@cd interop/go && go vet ./...
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal interop

walk: $(READY)  ## look at every page of the dashboard and press every button on each storage, in light, dark and narrow; pictures in .walk
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "walk or not walk" tests/web/browser

accept: $(READY)  ## play Briefings' acceptance script on SQLite, Redis and Postgres (ACCEPT="redis --publish docs/accept.md")
	@$(BIN)/python -m accept $(ACCEPT)

clean:  ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist .run .site .walk
