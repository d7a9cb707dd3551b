# Two commands on a fresh machine: `make run` and `make test`. Needs Python 3.11 or newer and make; nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-fast coverage check format words hooks lock clean
# A file stays with one process, for what it builds; the files that take longest come first.
TEST := $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder
FAST := "not slow and not browser and not speech and not broker"

run: .venv/ready
	QA_DEMO=1 $(BIN)/qa up --demo

test: .venv/ready-test
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		printf '\n*** NO CHROMIUM ON PATH: the browser journeys will NOT run (Debian: apt install chromium) ***\n\n'
	$(TEST)

test-fast: .venv/ready-test
	$(TEST) -m $(FAST)

coverage: .venv/ready-test
	$(TEST) -m $(FAST) --cov --cov-report=term

PAGES := qa/web/templates qa/publishing/templates
SCRIPTS := qa/web/static

check: .venv/ready-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djangofmt --quiet --check $(PAGES)
	$(BIN)/oxfmt --check $(SCRIPTS)
	$(BIN)/oxlint --deny-warnings $(SCRIPTS)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready-check
	$(BIN)/ruff format .
	$(BIN)/djangofmt --quiet $(PAGES)
	$(BIN)/oxfmt $(SCRIPTS)

WORDS := qa/web/translations
words: .venv/ready-test
	$(BIN)/pybabel -q extract --no-location --sort-output -k lazy_gettext -F babel.cfg -o $(WORDS)/messages.pot .
	$(BIN)/pybabel -q update -N -w 120 --ignore-obsolete -i $(WORDS)/messages.pot -d $(WORDS)
	rm $(WORDS)/messages.pot
	$(BIN)/pybabel -q compile -d $(WORDS)

.venv/bin/python:
	$(PYTHON) -m venv .venv

# Every package is pinned with the hashes of its files; Earshot itself is built without fetching.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
EDITABLE := $(PIP) install --no-deps --no-build-isolation -e .

.venv/ready: pyproject.toml requirements/run.txt .venv/bin/python
	$(PIP) install --require-hashes -r requirements/run.txt
	$(EDITABLE)
	touch $@

.venv/ready-test: pyproject.toml requirements/test.txt .venv/bin/python
	$(PIP) install --require-hashes -r requirements/test.txt
	$(EDITABLE)
	touch $@ .venv/ready

.venv/ready-check: requirements/check.txt .venv/ready-test
	$(PIP) install --require-hashes -r requirements/check.txt
	touch $@

hooks: .venv/ready-check
	$(BIN)/pre-commit install

# Brings requirements/ up to pyproject.toml, keeping the versions that still fit.
# `make lock UPGRADE=--upgrade` takes the newest, `UPGRADE='-P flask'` that of one package.
LOCK := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate $(UPGRADE) pyproject.toml requirements/build.in
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(LOCK) -o requirements/run.txt
	$(LOCK) -c requirements/run.txt --extra test --extra training -o requirements/test.txt
	$(LOCK) -c requirements/test.txt --extra test --extra training --extra check --extra hooks \
		-o requirements/check.txt
	rm -r .venv-lock

clean:
	rm -rf .venv var artefacts build *.egg-info
