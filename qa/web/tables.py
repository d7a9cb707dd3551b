"""A table as a file: CSV that a spreadsheet opens and never runs."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """UTF-8 with a mark that spreadsheets need; text that would be taken for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(v) for v in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    text = "".join(c for c in text if c >= " " or c in "\n\t")
    return f"'{text}" if text.lstrip().startswith(STARTS_A_FORMULA) or text.startswith(STARTS_A_FORMULA) else text
