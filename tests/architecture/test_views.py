"""Views are an edge: none imports another, and none writes the audit log itself."""

import ast

import pytest

from qa.settings import PROJECT_ROOT

VIEWS = {
    path.stem: path
    for path in sorted((PROJECT_ROOT / "qa" / "web").glob("*.py"))
    if "Blueprint(" in path.read_text()
}


def imports_of(path):
    """List every module and name that a file imports, as dotted paths."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_there_are_views_to_look_at():
    assert {"calls", "intake", "people", "scoring", "reporting"} <= set(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_imports_a_view(view):
    others = {f"qa.web.{name}" for name in VIEWS if name != view}
    imported = list(imports_of(VIEWS[view]))
    assert not [name for name in imported if name in others or name.rpartition(".")[0] in others]


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_writes_the_audit_log(view):
    assert "qa.audit.store.record_event" not in set(imports_of(VIEWS[view]))
    assert "record_event(" not in VIEWS[view].read_text()
