"""Migrations, translations, vendored files, settings: the house as it is shipped."""

import ast
import gettext
import hashlib
import io
import json
import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from qa.app import create_app
from qa.settings import PROJECT_ROOT, Settings
from qa.tables import Base
from qa.tables.migrate import downgrade, is_current, upgrade
from tests.conftest import Browser, fresh_database

TRANSLATIONS = PROJECT_ROOT / "qa" / "web" / "translations"


def test_the_newest_migration_is_the_tables_on_both_databases(either):
    with either.database.engine.connect() as connection:
        # the search's own
        options = {
            "include_name": lambda name, kind, _parents: (
                not (name or "").startswith(("spoken_index", "ix_spoken_words"))
            )
        }
        differences = compare_metadata(
            MigrationContext.configure(connection, opts=options), Base.metadata
        )
    assert differences == []


def test_migrations_run_down_and_up_again(tmp_path):
    database = fresh_database(tmp_path / "x.db")
    assert not is_current(database)
    upgrade(database)
    assert is_current(database)
    downgrade(database, "base")
    upgrade(database)
    assert is_current(database)


def marked_texts() -> set[str]:
    """Every text that pages and views mark for translation."""
    from babel.messages.extract import extract_from_dir

    methods = [
        ("**.py", "python"),
        ("web/templates/**.html", "jinja2"),
        ("publishing/templates/**.html", "jinja2"),
    ]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None}
    found = extract_from_dir(str(PROJECT_ROOT / "qa"), method_map=methods, keywords=keywords)
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


@pytest.mark.parametrize("locale", ["it", "zh_Hans_CN"])
def test_every_text_is_translated_with_the_same_placeholders(locale):
    folder = TRANSLATIONS / locale / "LC_MESSAGES"
    catalogue = gettext.GNUTranslations(io.BytesIO((folder / "messages.mo").read_bytes()))
    texts = marked_texts()
    assert len(texts) > 300
    missing = sorted(t for t in texts if t not in catalogue._catalog)
    assert not missing
    for text in texts:
        assert sorted(re.findall(r"%\(\w+\)s", catalogue.gettext(text))) == sorted(
            re.findall(r"%\(\w+\)s", text)
        ), text


@pytest.mark.parametrize("locale", ["it", "zh_Hans_CN"])
def test_the_compiled_catalogue_is_the_written_one(locale):
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import read_po

    folder = TRANSLATIONS / locale / "LC_MESSAGES"
    written = {m.id: m.string for m in read_po((folder / "messages.po").open("rb")) if m.id}
    compiled = {m.id: m.string for m in read_mo((folder / "messages.mo").open("rb")) if m.id}
    assert written == compiled


def test_every_chinese_text_is_chinese():
    catalogue = gettext.GNUTranslations(
        io.BytesIO((TRANSLATIONS / "zh_Hans_CN" / "LC_MESSAGES" / "messages.mo").read_bytes())
    )
    words = {text: said for text, said in catalogue._catalog.items() if text and len(said) > 3}
    assert [said for said in words.values() if not re.search("[\u4e00-\u9fff]", said)] == []


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("it-IT,it;q=0.9", "Accedi"),
        ("zh-CN", "登录"),
        ("zh-TW", "登录"),
        ("fr", "Sign in"),
        ("", "Sign in"),
    ],
)
def test_a_browser_is_greeted_in_its_language(visit, header, word):
    assert word in visit(None).get("/sign-in", headers={"Accept-Language": header}).text


def test_language_and_theme_are_kept_with_the_person_and_lead_back(visit, cast):
    browser: Browser = visit(cast.evaluator)
    answer = browser.post("/choose", {"language": "zh", "next": "/queue"})
    assert answer.location == "/queue"
    browser.post("/choose", {"theme": "dark", "next": "//evil.example"})
    page = browser.get("/queue").text
    assert 'lang="zh"' in page and 'data-bs-theme="dark"' in page and "我的队列" in page


def test_vendored_files_are_the_ones_that_were_fetched():
    folder, fonts = (
        PROJECT_ROOT / "qa" / "web" / "static" / "vendor",
        PROJECT_ROOT / "qa" / "engines" / "fonts",
    )
    hashes = json.loads((folder / "hashes.json").read_text())
    assert {p.name for p in fonts.iterdir()} <= set(hashes)
    for name, digest in hashes.items():
        if not name.endswith(".md"):
            assert (
                hashlib.sha256(
                    ((fonts if name.startswith("Noto") else folder) / name).read_bytes()
                ).hexdigest()
                == digest
            ), name


def test_every_setting_is_documented():
    page = (PROJECT_ROOT / "docs" / "operations.md").read_text()
    for name in Settings.model_fields:
        assert f"`QA_{name.upper()}`" in page, name


def test_only_settings_read_the_environment():
    offenders = []
    for path in (PROJECT_ROOT / "qa").rglob("*.py"):
        if path.name == "settings.py":
            continue
        tree = ast.parse(path.read_text())
        offenders += [
            f"{path.name}:{n.lineno}"
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute)
            and n.attr in ("environ", "getenv")
            and isinstance(n.value, ast.Name)
            and n.value.id == "os"
        ]
    assert offenders == []


def test_nothing_on_a_page_comes_from_elsewhere(visit, cast):
    for path in ("/sign-in", "/queue", "/reports/2026-11"):
        page = visit(cast.manager).get(path).text
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
        assert not re.findall(r'\sstyle="|\son\w+="', page), "nothing inline"


def test_sqlite_is_durable_and_a_read_modify_write_is_never_lost(wiring):
    import threading

    from sqlalchemy import text

    with wiring.database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    with wiring.database.write() as session:
        from qa.people import store

        store.ensure_project(session, "counter", company="0")

    def add():
        from qa.tables.people import ProjectRow

        for _ in range(25):
            with wiring.database.write() as session:
                row = session.query(ProjectRow).filter_by(code="counter").one()
                row.name = str(int(row.name) + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    with wiring.database.read() as session:
        assert (
            dict(__import__("qa.people.store", fromlist=["x"]).projects(session))["counter"]
            == "100"
        )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (1e-12, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.004, "0.4 %"),
        (0.0051, "1 %"),
        (0.5, "50 %"),
        (0.996, "99.6 %"),
        (0.9996, "> 99.9 %"),
        (1, "100 %"),
        (None, "–"),
    ],
)
def test_what_is_neither_never_nor_always_is_said_to_be_neither(wiring, share, said):
    app = create_app(wiring.settings, wiring=wiring)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert app.jinja_env.filters["percent"](share) == said


def test_figures_are_said_as_the_reader_writes_them_and_there_is_no_minus_nought(wiring):
    app = create_app(wiring.settings, wiring=wiring)
    said = {}
    for language in ("it", "en", "zh"):
        with app.test_request_context(headers={"Accept-Language": language}):
            number = app.jinja_env.filters["number"]
            said[language] = [
                number(-0.04),
                number(0.04),
                number(1234.56),
                number(1234.56, 0),
                number(2, 2),
                number(None),
            ]
    assert said["en"] == ["0.0", "0.0", "1,234.6", "1,235", "2.00", "–"]
    assert said["it"] == ["0,0", "0,0", "1.234,6", "1.235", "2,00", "–"]
    assert said["zh"] == said["en"]
