"""The report as an XLSX workbook with live tables, from the same document as the page: the same
figures to the last digit.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST = 32_000
BREACHES = ["critical_share", "critical_low", "critical_high"]
FORMATS = {"lost_share": "0.0%", "under_target": "0%"} | dict.fromkeys(
    [*BREACHES, "critical_low_limit", "critical_high_limit"], "0.0%"
)
Row = list[Any]


def workbook(document: dict[str, Any], words: dict[str, Any], language: str) -> bytes:
    """`words` are the headings in the reader's language.

    Text is written as text: never a formula, never a link. Tables sort, filter and add up.
    """
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
    book.set_properties(
        {
            "title": f"{document['month']}",
            "comments": words["simulated"] if document["simulated"] else "",
        }
    )
    for number, (name, columns, rows) in enumerate(
        (
            _scores(document, words),
            _criteria(document, words, language),
            _trend(document, words),
            _targets(document, words, language),
            _measures(document, words),
        ),
        1,
    ):
        _sheet(book, f"Table{number}", words[name], [(c, words[c]) for c in columns], rows)
    facts: list[Row] = [
        [words["month"], document["month"]],
        [words["time_zone"], document["time_zone"]],
        [words["made_at"], document["made_at"]],
    ]
    facts += [[words[k], v] for k, v in document["coverage"].items()] + [
        [words["slope"], document["method"]["slope"]]
    ]
    if document["simulated"]:
        facts.append([words["simulated"], words["simulated"]])
    _sheet(
        book, "Facts", words["facts"], [("name", words["name"]), ("value", words["value"])], facts
    )
    book.close()
    return out.getvalue()


def _scores(document: dict[str, Any], words: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    groups = [
        document["whole"] | {"name": document["whole"]["name"] or words["whole"]},
        *document.get("projects", []),
        *document["departments"],
    ]
    groups += [*document["teams"], *document["agents"]]
    columns = [
        "level",
        "name",
        "parent",
        "calls",
        "checked",
        "cards",
        "value",
        "low",
        "high",
        "standard_error",
        "target",
        "verdict",
        "apart",
        "shrunken",
    ]
    columns += [
        "under_target",
        "bias",
        "raw",
        "human_mean",
        "automatic_mean",
        "critical",
        "of_cards",
        *BREACHES,
        "satisfaction",
        "ratings",
    ]
    rows = []
    for g in groups:
        e, s = g["estimate"], g.get("standing") or {}
        y, raw = g.get("satisfaction") or {}, g.get("raw") or {}
        rows.append(
            [
                words[g["kind"]],
                g["name"],
                g["parent"],
                e["calls"],
                g["checked"],
                e["cards"],
                e["value"],
                e["low"],
                e["high"],
                e.get("standard_error"),
                g.get("target"),
            ]
            + [
                words["verdicts"][g.get("verdict")],
                s.get("apart"),
                s.get("shrunken"),
                s.get("under_target"),
                s.get("bias"),
                raw.get("value"),
            ]
            + [e["human_mean"], e["automatic_mean"], g["critical"]["count"], g["critical"]["of"]]
            + [g["critical"][k] for k in ("share", "low", "high")]
            + [y.get("mean"), y.get("count")]
        )
    return "scores", columns, rows


def _criteria(
    document: dict[str, Any], words: dict[str, Any], language: str
) -> tuple[str, list[str], list[Row]]:
    columns = [
        "criterion",
        "title",
        "points_lost",
        "moved",
        "answered",
        "not_applicable",
        "lost",
        "counted",
        "lost_share",
        "low",
        "high",
        "automatic_agrees",
    ]
    rows = [
        [
            c["criterion"],
            _local(c["title"], language),
            c.get("points_lost"),
            (c.get("moved") or {}).get("value"),
            c["answered"],
            c["not_applicable"],
        ]
        + [
            c["lost"]["count"],
            c["lost"]["of"],
            c["lost"]["share"],
            c["lost"]["low"],
            c["lost"]["high"],
            c["automatic_agrees"]["count"],
        ]
        + [c["automatic_agrees"]["of"], c["fails"]]
        for c in document["criteria"]
    ]
    return "criteria", [*columns, "automatic_of", "fails"], rows


def _trend(document: dict[str, Any], words: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    breaches = {b["month"]: b for b in document.get("breaches", [])}
    rows = [
        [
            t["month"],
            *(t["estimate"][k] for k in ("value", "low", "high", "cards", "calls")),
            t["low_limit"],
            t["high_limit"],
        ]
        + [
            breaches.get(t["month"], {}).get(k)
            for k in ("share", "low", "high", "low_limit", "high_limit")
        ]
        for t in document.get("trend", [])
    ]
    columns = [
        "month",
        "value",
        "low",
        "high",
        "cards",
        "calls",
        "low_limit",
        "high_limit",
        *BREACHES,
        "critical_low_limit",
        "critical_high_limit",
    ]
    return "trend", columns, rows


def _targets(
    document: dict[str, Any], words: dict[str, Any], language: str
) -> tuple[str, list[str], list[Row]]:
    rows = [
        [
            words["indicators"][t["indicator"]],
            _local(t["title"], language),
            words[t["scope"]],
            t["name"],
            t["target"],
            t["value"],
            t["low"],
            t["high"],
        ]
        + [words["verdicts"][t["verdict"]]]
        for t in document.get("targets", [])
    ]
    return (
        "targets",
        ["indicator", "criterion", "scope", "name", "target", "value", "low", "high", "verdict"],
        rows,
    )


def _measures(document: dict[str, Any], words: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    rows = []
    for m in document.get("measures", []):
        since = m["since"] or {}
        rows.append(
            [
                m["title"],
                m["month"],
                words[m["scope"]],
                m["name"],
                m["owner"],
                m["due_on"],
                words["states"][m["state"]],
                m["expected"],
            ]
            + [since.get(k) for k in ("value", "low", "high")]
        )
    return (
        "measures",
        [
            "title",
            "month",
            "scope",
            "name",
            "owner",
            "due",
            "state",
            "expected",
            "since",
            "low",
            "high",
        ],
        rows,
    )


def _local(title: dict[str, str], language: str) -> str:
    return title.get(language) or title.get("en", "")


def _sheet(
    book: Any, table: str, name: str, columns: Sequence[tuple[str, str]], rows: list[Row]
) -> None:
    """One sheet with one live table; a table needs different headings and at least one row."""
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:31])
    seen: dict[str, int] = {}
    heads = []
    for key, word in columns:
        seen[word] = seen.get(word, 0) + 1
        cell: dict[str, Any] = {"header": word if seen[word] == 1 else f"{word} {seen[word]}"}
        if key in FORMATS:
            cell["format"] = book.add_format({"num_format": FORMATS[key]})
        heads.append(cell)
    sheet.add_table(
        0,
        0,
        max(1, len(rows)),
        len(columns) - 1,
        {"name": table, "columns": heads, "style": "Table Style Light 1"},
    )
    widths = [len(h["header"]) for h in heads]
    for r, row in enumerate(rows, start=1):
        for c, value in enumerate(row):
            if isinstance(value, bool) or value is None:
                sheet.write_blank(r, c, None)
            elif isinstance(value, int | float):
                sheet.write_number(r, c, value, heads[c].get("format"))
            else:
                text = CONTROL.sub(" ", str(value))[:LONGEST]
                sheet.write_string(r, c, text)
                widths[c] = max(widths[c], len(text))
    for c, width in enumerate(widths):
        sheet.set_column(c, c, min(48, width + 2))
    sheet.freeze_panes(1, 2 if len(columns) > 8 else 1)
