# Two words are enough: `make run` and `make test`. `make` alone lists the rest.

PY := .venv/bin/python
ARGS ?=

# Run every program tests/bench/bench_*.py (or soak), all of them even where one fails.
each = status=0; for file in tests/$(1)/$(1)_*.py; do \
	[ -e "$$file" ] || { echo "There is no $(1) yet."; exit 1; }; \
	$(PY) -m tests.$(1).$$(basename $$file .py) $(ARGS) || status=1; done; exit $$status

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak docs clean

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up, and start the demo centre (PORT=8090 to move it)
	@tools/setup.sh run
	@exec .venv/bin/linli demo $(if $(PORT),--port $(PORT)) $(ARGS)

# The tests start Python hundreds of times: it reads the compiled modules instead of compiling again.
test: export PYTHONDONTWRITEBYTECODE =
test: ## set up, and run every test (ARGS="-k doors" for some)
	@tools/setup.sh dev tools
	@$(PY) -m pytest -n logical --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## style, types, and who may import whom
	@tools/setup.sh dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: ## measure, and name the needs that are missed; fails where work is missing
	@tools/setup.sh dev tools
	@$(call each,bench)

soak: ## what takes long: hours of load and faults
	@tools/setup.sh dev tools
	@$(call each,soak)

docs: ## write the generated parts of README.md and docs/
	@tools/setup.sh dev
	@$(PY) -m tools.write_docs

clean: ## remove what was built; history in data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf hub/web/vendor build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
