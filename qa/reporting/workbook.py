"""The report as an XLSX workbook, from the same document as the page: the same figures to the last digit."""

import io
import re
from typing import Any

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST = 32_000


def workbook(document: dict[str, Any], words: dict[str, str], language: str) -> bytes:
    """`words` are the headings in the reader's language. Text is written as text: never a formula, never a link."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    groups = [document["whole"] | {"name": words["whole"]}, *document.get("projects", []), *document["departments"], *document["teams"], *document["agents"]]
    columns = ["level", "name", "parent", "calls", "checked", "cards", "value", "low", "high", "human_mean", "automatic_mean", "critical", "of_cards"]
    rows = [
        [words[g["kind"]], g["name"], g["parent"], g["estimate"]["calls"], g["checked"], g["estimate"]["cards"]]
        + [g["estimate"][k] for k in ("value", "low", "high", "human_mean", "automatic_mean")]
        + [g["critical"]["count"], g["critical"]["of"]]
        for g in groups
    ]
    _sheet(book, words["scores"], [words[c] for c in columns], rows, head)
    columns = ["criterion", "title", "answered", "not_applicable", "lost", "counted", "lost_share", "low", "high", "automatic_agrees", "automatic_of", "fails"]
    rows = [
        [c["criterion"], c["title"].get(language) or c["title"].get("en", ""), c["answered"], c["not_applicable"], c["lost"]["count"], c["lost"]["of"]]
        + [c["lost"]["share"], c["lost"]["low"], c["lost"]["high"], c["automatic_agrees"]["count"], c["automatic_agrees"]["of"], c["fails"]]
        for c in document["criteria"]
    ]
    _sheet(book, words["criteria"], [words[c] for c in columns], rows, head)
    facts = [[words["month"], document["month"]], [words["time_zone"], document["time_zone"]], [words["made_at"], document["made_at"]]]
    facts += [[words[k], v] for k, v in document["coverage"].items()]
    _sheet(book, words["facts"], ["", ""], facts, head)
    book.close()
    return out.getvalue()


def _sheet(book: Any, name: str, columns: list[str], rows: list[list[Any]], head: Any) -> None:
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:31])
    widths = [len(c) for c in columns]
    for c, title in enumerate(columns):
        sheet.write_string(0, c, title, head)
    for r, row in enumerate(rows, start=1):
        for c, value in enumerate(row):
            if isinstance(value, bool) or value is None:
                sheet.write_blank(r, c, None)
            elif isinstance(value, int | float):
                sheet.write_number(r, c, value)
            else:
                text = CONTROL.sub(" ", str(value))[:LONGEST]
                sheet.write_string(r, c, text)
                widths[c] = max(widths[c], len(text))
    for c, width in enumerate(widths):
        sheet.set_column(c, c, min(48, width + 2))
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), max(0, len(columns) - 1))
