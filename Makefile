# The commands people and CI run. `make` alone prints them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-down test test-tmux crash-random faults mutants soak chaos-gateway test-providers check bench schemas docs lock clean

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from requirements.lock; does nothing the second time

# setuptools builds the editable install and is then taken out: its start-up hook would cost every command a millisecond.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make setup PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip uninstall --quiet --yes setuptools
	$(BIN)/python -m compileall -q reconciler
	@touch $@

demo: ## bring up the fleet of examples/houmao in tmux
	@tools/demo.sh need-tmux
	@$(MAKE) --no-print-directory setup
	@tools/demo.sh up

demo-down: setup ## take that fleet down again
	@tools/demo.sh down

test: setup ## every test that can run here (without tmux: all but the tmux tier)
	@$(PYTEST) -n 3 --dist worksteal -m "not providers and not chaos and not faults"

test-tmux: setup ## the tests that need a real tmux, alone
	@$(PYTEST) -m tmux

crash-random: setup ## kill an apply of thirty agents at twenty random moments, and look at what is left
	@$(PYTEST) -m "tmux and slow" tests/crash/test_real_kills.py

faults: setup ## every scenario with every fault, then the state machine; prints counts (FAULTS_SEED=7)
	@$(PYTEST) -n 2 --dist worksteal --timeout 1800 -m faults tests/crash tests/stale tests/machine tests/operations

mutants: setup ## make the program worse in one way after the other, and see that the tests notice (MUTANTS="name …")
	@$(BIN)/python tools/mutants.py $(MUTANTS)

soak: setup ## half an hour of bad luck on real tmux; prints a report (SOAK_MINUTES=30, SOAK_SEED=7)
	@$(BIN)/python tools/soak.py

chaos-gateway: setup ## kill gateways under a thousand prompts, and count what arrived (CHAOS_SEED=7)
	@$(PYTEST) -s -m chaos tests/gateway/test_chaos.py

test-providers: setup ## the real vendor programs against the loopback model server (installs npm packages)
	@if command -v npm >/dev/null; then \
	  $(BIN)/python -m tests.loopback.install && $(PYTEST) -n 2 -m providers; \
	else \
	  echo "npm is not on PATH, so the tests with the vendors' own programs are not run: install Node.js 20 or newer"; \
	fi

check: setup ## lint, format, types, import contracts, generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@for script in tools/schemas.py tools/docs.py; do \
	  if [ -f $$script ]; then echo "$$script --check"; $(BIN)/python $$script --check || exit 1; fi; \
	done

bench: setup ## measure each operation beside its floor; prints JSON lines (BENCH=apply, answers, gateway, watch or peer for one)
	@case "$(BENCH)" in gateway|answers|watch|peer) ;; *) $(BIN)/python -m bench $(BENCH) ;; esac
	@case "$(BENCH)" in ""|answers) $(BIN)/python -m bench.answers ;; esac
	@case "$(BENCH)" in ""|gateway) $(BIN)/python -m bench.gateway ;; esac
	@case "$(BENCH)" in ""|watch) $(BIN)/python -m bench.watch_simulated && $(BIN)/python -m bench.watch 10 30 ;; esac
	@case "$(BENCH)" in ""|peer) $(BIN)/python -m bench.peer ;; esac

schemas: setup ## write schemas/ from the kinds
	$(BIN)/python tools/schemas.py

docs: setup ## write the generated reference pages and help texts
	$(BIN)/python tools/docs.py

lock: ## resolve the newest dependencies and pin them in requirements.lock
	PYTHON=$(PYTHON) tools/lock.sh requirements.lock

clean: ## remove .venv and caches; running agents and .houmao stay
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
