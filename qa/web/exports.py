"""Sort tables as the address says, and export them as CSV and XLSX."""

import csv
import enum
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from flask import Response

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
UPWARDS = ".up"
E = TypeVar("E", bound=enum.Enum)


def chosen_order(asked: str, orders: type[E], otherwise: E) -> tuple[E, bool]:
    """Read the order of a list, and whether the largest comes first; default where unknown."""
    name, is_up = asked.removesuffix(UPWARDS), asked.endswith(UPWARDS)
    by = next((o for o in orders if o.value == name), None)
    return (by, not is_up) if by else (otherwise, True)


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Export UTF-8 with the mark that spreadsheets need.

    Text that would be taken for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(v) for v in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = _plain(value)
    return (
        f"'{text}"
        if text.lstrip().startswith(STARTS_A_FORMULA) or text.startswith(STARTS_A_FORMULA)
        else text
    )


def as_xlsx(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Export a workbook with one sheet; text is always text."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    for c, word in enumerate(head):
        sheet.write_string(0, c, word, book.add_format({"bold": True}))
    for r, row in enumerate(rows, 1):
        for c, value in enumerate(row):
            if isinstance(value, bool) or value is None or not isinstance(value, int | float):
                sheet.write_string(r, c, "" if value is None else _plain(value)[:32_000])
            else:
                sheet.write_number(r, c, value)
    book.close()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(
        out.getvalue(),
        mimetype=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'},
    )


def _plain(value: Any) -> str:
    """Convert a value to text without control characters."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return "".join(c for c in text if c >= " " or c in "\n\t")
