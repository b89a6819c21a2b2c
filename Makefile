# Everything runs from .venv, made here; `make test` also installs the servers that the tests talk to, when root.
PYTHON ?= python3
BIN := .venv/bin

# An empty word is none: what is compiled once is not compiled by each of a thousand processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: audit test check dev golden schema man bundle demo bench clean

.venv/.made: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

.venv/.kerberos: .venv/.made
	$(BIN)/python -m pip install --quiet --editable '.[kerberos-tests]'
	@touch $@

dev: .venv/.made

audit: .venv/.made
	@$(BIN)/auditor run -f text=- -f junit=audit.xml; code=$$?; \
	case $$code in 0|1|3) echo "JUnit report: audit.xml (exit code $$code)" >&2;; *) exit $$code;; esac

test: .venv/.made
	@sh tests/servers.sh
	@! command -v krb5-config >/dev/null || $(MAKE) --no-print-directory .venv/.kerberos
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: .venv/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell auditor tools docs benchmarks README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md

schema: .venv/.made
	$(BIN)/auditor schema policy > auditor/schemas/policy.schema.json

# The page goes into every wheel by itself; this is to look at it: man -l build/auditor.1
man: .venv/.made
	@mkdir -p build
	$(BIN)/python tools/manual.py > build/auditor.1

# One archive that installs without network: for the Python, machine and C library that it is made with
bundle: .venv/.made
	$(BIN)/python tools/bundle.py dist

golden: .venv/.made
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/test_reporters.py tests/test_html.py tests/test_monitoring.py

# The demonstration, of its recorded answers: again whenever a policy or the estate of the demonstration changed
demo: .venv/.made
	$(BIN)/python tools/record.py tests/data/demo/answers.yaml -i inventories/demo inventories/demo.auditor
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/test_demo.py

bench: .venv/.made
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python benchmarks/fleet.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/host.py
	$(BIN)/python benchmarks/size.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/silent.py
	$(BIN)/python benchmarks/winrm.py
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/trees.py
	$(BIN)/python benchmarks/decisions.py

clean:
	rm -rf .venv build dist audit.xml
