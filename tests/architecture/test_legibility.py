"""Legibility is measured; each test is a goal for the whole of qa/."""

import pytest

from qa.settings import PROJECT_ROOT
from tests.architecture.legibility import Legibility, measure, quantile


@pytest.fixture(scope="module")
def tree() -> Legibility:
    return measure(PROJECT_ROOT)


def test_no_python_line_is_longer_than_100_characters(tree):
    assert tree.widths[-1] <= 100


def test_stored_names_say_what_they_hold(tree):
    assert tree.vague_share <= 0.012


def test_names_of_one_or_two_letters_are_rare(tree):
    assert tree.short_names_per_1000 <= 60


def test_conditional_expressions_are_not_nested(tree):
    nested = tree.nested_conditionals
    assert len(nested) <= 5, nested


def test_docstrings_begin_with_what_the_thing_does(tree):
    assert tree.weak_docstring_share <= 0.02


def test_functions_are_short_enough_to_read_at_once(tree):
    assert quantile(tree.function_sizes, 0.95) <= 45
    assert tree.function_sizes[-1] <= 90


def test_files_are_short_enough_to_find_ones_way(tree):
    assert tree.file_sizes[-1] <= 700
