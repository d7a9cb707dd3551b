"""Parse and validate the forms that pages post with WTForms: one file per stage."""

from collections.abc import Iterable
from typing import Any

from wtforms.fields.choices import SelectChoice


def options(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """List the options of a select field from pairs of value and label."""
    return [SelectChoice(value, label) for value, label in pairs]
