# Everything runs from .venv, made here; `make test` also installs the servers that the tests talk to, when root.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: audit test check dev golden schema bench clean

.venv/.made: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

dev: .venv/.made

audit: .venv/.made
	@$(BIN)/auditor run -f text=- -f junit=audit.xml; code=$$?; \
	case $$code in 0|1|3) echo "JUnit report: audit.xml (exit code $$code)" >&2;; *) exit $$code;; esac

test: .venv/.made
	@sh tests/servers.sh
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: .venv/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell auditor docs benchmarks README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md

schema: .venv/.made
	$(BIN)/auditor schema policy > auditor/schemas/policy.schema.json

golden: .venv/.made
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/test_reporters.py tests/test_html.py

bench: .venv/.made
	$(BIN)/python benchmarks/fleet.py
	$(BIN)/python benchmarks/startup.py

clean:
	rm -rf .venv audit.xml
