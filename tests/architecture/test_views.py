"""Views are a thin edge: they write no audit line and import no other view."""

import ast

from qa.settings import PROJECT_ROOT
from tests.architecture.house import imported_modules, parse

WEB = PROJECT_ROOT / "qa" / "web"
VIEWS = {path.stem: path for path in sorted(WEB.glob("*.py")) if "= Blueprint(" in path.read_text()}

# These remain; the tables only shrink.
AUDIT_LINES_TO_END = {"reporting", "schedules"}
VIEW_IMPORTS_TO_END = {
    ("fairness", "reporting"),
    ("sampling", "reporting"),
    ("schedules", "reporting"),
    ("targets", "reporting"),
    ("training", "reporting"),
}


def writes_audit_line(path):
    names = (getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(parse_file(path)))
    return "record_event" in names


def parse_file(path):
    return parse(path.read_text())


def imported_views(path):
    modules = {module for _line, module in imported_modules(path)}
    return {name for name in VIEWS if f"qa.web.{name}" in modules}


def test_the_views_are_found():
    assert {"scoring", "cards", "assignment", "disputes", "calibration", "cases"} <= set(VIEWS)


def test_no_view_writes_an_audit_line_itself():
    assert {name for name, path in VIEWS.items() if writes_audit_line(path)} <= AUDIT_LINES_TO_END


def test_no_view_imports_a_view():
    pairs = {(name, other) for name, path in VIEWS.items() for other in imported_views(path)}
    assert pairs <= VIEW_IMPORTS_TO_END
