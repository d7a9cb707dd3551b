"""What pages take from people, as WTForms."""

from collections.abc import Iterable
from typing import Any

from wtforms.fields.choices import SelectChoice


def options(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """List the options of a select field from pairs of value and label."""
    return [SelectChoice(value, label) for value, label in pairs]
