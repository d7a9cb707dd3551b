"""The glossary names things that exist, in order, with a word in every language."""

import ast
import re

import pytest

from qa.settings import PROJECT_ROOT
from tests.architecture import house

GLOSSARY = PROJECT_ROOT / "docs" / "glossary.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| term ")
]


@pytest.fixture(scope="module")
def defined_names() -> set[str]:
    """Collect modules, classes, functions, parameters and variables, `Class.NAME` for members."""
    names: set[str] = set()
    for path in house.sources(PROJECT_ROOT):
        names |= {path.stem, path.parent.name}
        for node in ast.walk(house.parse(path.read_text())):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {
                    f"{node.name}.{inner.id}"
                    for statement in node.body
                    for inner in ast.walk(statement)
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
                }
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            if isinstance(node, ast.arg):
                names.add(node.arg)
    return names


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_name_in_code_of_the_glossary_exists(row, defined_names):
    names = re.findall(r"`([^`]+)`", row[-1])
    assert names
    assert not set(names) - defined_names


def test_every_term_has_a_meaning_and_a_word_in_each_language():
    assert len(ROWS) >= 70
    assert all(len(row) == 5 and all(row) for row in ROWS)
    assert all(re.search(r"[\u4e00-\u9fff]", row[3]) for row in ROWS)


def test_terms_stand_in_alphabetical_order_and_only_once():
    terms = [row[0].lower() for row in ROWS]
    assert terms == sorted(set(terms))
