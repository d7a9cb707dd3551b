# Two commands on a fresh machine: `make run` and `make test`. Needs Python 3.11 or newer and make; nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format words clean
run: .venv/ready
	QA_DEMO=1 $(BIN)/qa up --demo

test: .venv/ready-test
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		printf '\n*** NO CHROMIUM ON PATH: the browser journeys will NOT run (Debian: apt install chromium) ***\n\n'
	$(BIN)/pytest -n auto

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

.venv/ready: pyproject.toml constraints.txt .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/ready-test: pyproject.toml constraints.txt .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,training]'
	touch $@ .venv/ready

.venv/ready-check: .venv/ready-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,training,check]'
	touch $@

clean:
	rm -rf .venv var artefacts build *.egg-info
