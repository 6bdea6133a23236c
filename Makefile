# Everything a person types. `make` alone prints the list.
# Needs Python 3.11 or newer, make and git; all else is installed into .venv from hash-locked files.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# checkov pins what others need newer, so it has an environment of its own.
CHECKS := $(VENV)/deploy-check
MEMBERS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard services/*/pyproject.toml libs/*/pyproject.toml tools/*/pyproject.toml)))
PROJECTS := $(addsuffix /pyproject.toml,. $(MEMBERS))

# The first Python that is new enough; PYTHON=... chooses another.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$p"; break; }; done)

# Bytecode is kept, and out of the tree: whatever the environment says, no process compiles what another has.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode

# The lock names hashes, not places: uv and pip fetch from wherever this machine is told to.
export UV_NO_PROGRESS ?= 1
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv --quiet

##@ Use

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## "; print "\n\033[1msendonce\033[0m  every job from request to chat, once\n" } \
	  /^##@ / { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  \033[36mmake %-13s\033[0m %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST)); echo

.PHONY: setup
setup: $(STAMP) ## Install everything into .venv, from the lock
	@echo "ready: $(VENV)"

.PHONY: demo
demo: $(STAMP) ## Real NATS, real Postgres, five services, sandbox KIE and Telegram; ARGS="--jobs 200 --faults hard"
	@$(BIN)/sendonce demo $(ARGS)

##@ Check

.PHONY: test
test: $(STAMP) ## Every test that needs no Docker engine; ARGS="-k carrier" narrows it
	@$(BIN)/python -m pytest -n auto --maxschedchunk 16 $(ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure beside a bare FastStream loop; ARGS="--quick", "--only door", see docs/performance.md
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

.PHONY: crash
crash: $(STAMP) ## Kill every service at every await it comes to; ARGS="--sample 50 --seed 7", "--fault freeze"
	@PYTHONPATH=tests $(BIN)/python -m crash $(ARGS)

.PHONY: chaos
chaos: $(STAMP) ## Processes, servers, links, KIE and Telegram fail at once; SECONDS=120 SEED=1, ARGS="--runs 10"
	@PYTHONPATH=tests $(BIN)/python -m chaos --seconds $(or $(SECONDS),120) --seed $(or $(SEED),1) $(ARGS)

.PHONY: outages
outages: $(STAMP) ## NATS, Postgres, KIE, Telegram, each away for longer than every lease; ARGS="--only nats --seconds 150"
	@PYTHONPATH=tests $(BIN)/python -m outages $(ARGS)

.PHONY: upgrade
upgrade: $(STAMP) ## That version and this one side by side under load, forward and back; FROM=v0.1.0, ARGS="--seconds 20"
	@test -n "$(FROM)" || { echo "make upgrade FROM=<git ref of the older version>" >&2; exit 2; }
	@PYTHONPATH=tests $(BIN)/python -m upgrade --from "$(FROM)" $(ARGS)

.PHONY: stack
stack: $(STAMP) ## The compose files on a Docker engine: check, smoke, kills, an upgrade, replicas, monitoring; ARGS="--only kills"
	@PYTHONPATH=tests $(BIN)/python -m stack $(ARGS)

.PHONY: mutants
mutants: $(STAMP) ## Take out one guard after the other; a named test must fail for each
	@PYTHONPATH=tests $(BIN)/python -m mutants $(ARGS)

.PHONY: privilege
privilege: $(STAMP) ## Take away one right after the other, of NATS' users and of Postgres' roles; a test must fail for each
	@PYTHONPATH=tests:services/job-store/tests $(BIN)/python -m privilege $(ARGS)
.PHONY: sabotage
sabotage: $(STAMP) ## Gut one capability after the other; check and smoke must fail for the right reason
	@PYTHONPATH=tests $(BIN)/python -m sabotage $(ARGS)

.PHONY: fuzz
fuzz: $(STAMP) ## Send nonsense to every reader, subject and port; ARGS="--seconds 60", "--only reader"
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

.PHONY: deploy-check
deploy-check: $(CHECKS)/.ready ## checkov on what Kubernetes would get, hadolint on the Dockerfile; needs kubectl
	@for each in base small production; do kubectl kustomize deploy/kubernetes/$$each > $(CHECKS)/$$each.yaml; done
	@$(CHECKS)/bin/checkov --config-file deploy/checks/checkov.yaml \
	  --file $(CHECKS)/base.yaml $(CHECKS)/small.yaml $(CHECKS)/production.yaml deploy/images/Dockerfile
	@$(CHECKS)/bin/hadolint --failure-threshold style deploy/images/Dockerfile
	@echo "deploy: nothing to mend"

RELEASE := PYTHONPATH=tests:tests/contracts:libs/contracts/tests:services/job-store/tests $(BIN)/python -m

.PHONY: release-check
release-check: $(STAMP) ## Everything that must hold before a version is tagged; ARGS="--only versions", see docs/releasing.md
	@$(RELEASE) release $(ARGS)

.PHONY: lint
lint: $(STAMP) ## Style, types and the map of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(STAMP) ## Let ruff write what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

##@ Keep

.PHONY: docs-api
docs-api: $(STAMP) ## Write docs/api, the tables of docs/security.md and the frozen wire samples anew, from the code
	@$(BIN)/python libs/contracts/tests/frozen.py
	@PYTHONPATH=services/job-store/tests $(BIN)/python tests/contracts/write_documents.py

.PHONY: dashboard
dashboard: $(STAMP) ## Write Grafana's dashboard anew, from deploy/grafana/panels
	@PYTHONPATH=tests $(BIN)/python -m observability.write_dashboard

.PHONY: rules
rules: $(STAMP) ## Write Kubernetes' PrometheusRule anew, from deploy/prometheus/rules
	@PYTHONPATH=tests $(BIN)/python -m observability.write_rules

.PHONY: release-keep
release-keep: $(STAMP) ## Keep what this version says and migrates, for later versions to be held to
	@$(RELEASE) release.kept

.PHONY: lock
lock: $(BIN)/uv ## Write requirements.lock anew; UPGRADE=1 takes the newest versions
	@$(UV) pip compile $(PROJECTS) --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) \
	  $(foreach member,$(MEMBERS),--no-emit-package $(shell sed -n 's/^name = "\(.*\)"/\1/p' $(member)/pyproject.toml)) \
	  --custom-compile-command "make lock" --output-file requirements.lock > /dev/null
	@$(PYTHON) deploy/images/lock.py $(BIN)/uv
	@$(UV) pip compile deploy/checks/requirements.in --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) \
	  --custom-compile-command "make lock" --output-file deploy/checks/requirements.lock > /dev/null
	@echo "requirements.lock: $$(grep -c '==' requirements.lock) packages, deploy/images/locks and deploy/checks"

.PHONY: clean
clean: ## Remove .venv, caches and the local data in .sendonce
	@rm -rf $(VENV) .sendonce .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find services libs tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "sendonce needs Python 3.11 or newer; set PYTHON=/path/to/python" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make environments (on Debian: apt install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.lock
	@touch $@

$(STAMP): $(BIN)/uv requirements.lock $(PROJECTS)
	@echo "installing $$(grep -c '==' requirements.lock) locked packages and $(words $(MEMBERS)) of our own"
	@$(UV) pip sync --require-hashes requirements.lock
	@$(UV) pip install --no-deps --no-build-isolation $(addprefix --editable ,$(MEMBERS))
	@touch $@

$(CHECKS)/.ready: $(STAMP) deploy/checks/requirements.lock
	@$(PYTHON) -m venv --without-pip $(CHECKS)
	@$(BIN)/uv --quiet pip sync --python $(CHECKS)/bin/python --require-hashes deploy/checks/requirements.lock
	@touch $@
