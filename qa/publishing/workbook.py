"""Write the report as an XLSX workbook with live tables, from the same document as the page."""

import io
import re
from collections.abc import Sequence
from typing import Any

from qa.localization import Localizer

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MAX_TEXT = 32_000
BREACHES = ["critical_share", "critical_low", "critical_high"]
FORMATS = {"lost_share": "0.0%", "under_target": "0%"} | dict.fromkeys(
    [*BREACHES, "critical_low_limit", "critical_high_limit"], "0.0%"
)
Row = list[Any]


def workbook(document: dict[str, Any], localizer: Localizer) -> bytes:
    """Write the workbook of a report, with its headings in the reader's language.

    Text is written as text: never a formula, never a link. Tables sort, filter and add up.
    """
    import xlsxwriter

    words, language = _headings(localizer), localizer.language
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
        _sheet(
            book,
            f"Table{number}",
            words[name],
            [(column, words[column]) for column in columns],
            rows,
        )
    facts: list[Row] = [
        [words["month"], document["month"]],
        [words["time_zone"], document["time_zone"]],
        [words["made_at"], document["made_at"]],
    ]
    facts += [[words[key], value] for key, value in document["coverage"].items()] + [
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
    for group in groups:
        estimate, standing = group["estimate"], group.get("standing") or {}
        satisfaction, raw = group.get("satisfaction") or {}, group.get("raw") or {}
        rows.append(
            [
                words[group["kind"]],
                group["name"],
                group["parent"],
                estimate["calls"],
                group["checked"],
                estimate["cards"],
                estimate["value"],
                estimate["low"],
                estimate["high"],
                estimate.get("standard_error"),
                group.get("target"),
            ]
            + [
                words["verdicts"][group.get("verdict")],
                standing.get("apart"),
                standing.get("shrunken"),
                standing.get("under_target"),
                standing.get("bias"),
                raw.get("value"),
            ]
            + [
                estimate["human_mean"],
                estimate["automatic_mean"],
                group["critical"]["count"],
                group["critical"]["of"],
            ]
            + [group["critical"][key] for key in ("share", "low", "high")]
            + [satisfaction.get("mean"), satisfaction.get("count")]
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
            criterion["criterion"],
            _local(criterion["title"], language),
            criterion.get("points_lost"),
            (criterion.get("moved") or {}).get("value"),
            criterion["answered"],
            criterion["not_applicable"],
        ]
        + [
            criterion["lost"]["count"],
            criterion["lost"]["of"],
            criterion["lost"]["share"],
            criterion["lost"]["low"],
            criterion["lost"]["high"],
            criterion["automatic_agrees"]["count"],
        ]
        + [criterion["automatic_agrees"]["of"], criterion["fails"]]
        for criterion in document["criteria"]
    ]
    return "criteria", [*columns, "automatic_of", "fails"], rows


def _trend(document: dict[str, Any], words: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    breaches = {breach["month"]: breach for breach in document.get("breaches", [])}
    rows = [
        [
            point["month"],
            *(point["estimate"][key] for key in ("value", "low", "high", "cards", "calls")),
            point["low_limit"],
            point["high_limit"],
        ]
        + [
            breaches.get(point["month"], {}).get(key)
            for key in ("share", "low", "high", "low_limit", "high_limit")
        ]
        for point in document.get("trend", [])
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
            words["indicators"][target["indicator"]],
            _local(target["title"], language),
            words[target["scope"]],
            target["name"],
            target["target"],
            target["value"],
            target["low"],
            target["high"],
        ]
        + [words["verdicts"][target["verdict"]]]
        for target in document.get("targets", [])
    ]
    return (
        "targets",
        ["indicator", "criterion", "scope", "name", "target", "value", "low", "high", "verdict"],
        rows,
    )


def _measures(document: dict[str, Any], words: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    rows = []
    for measure in document.get("measures", []):
        since = measure["since"] or {}
        rows.append(
            [
                measure["title"],
                measure["month"],
                words[measure["scope"]],
                measure["name"],
                measure["owner"],
                measure["due_on"],
                words["states"][measure["state"]],
                measure["expected"],
            ]
            + [since.get(key) for key in ("value", "low", "high")]
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
    """Add a sheet with one live table, which needs different headings and at least one row."""
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:31])
    uses: dict[str, int] = {}
    heads = []
    for key, word in columns:
        uses[word] = uses.get(word, 0) + 1
        cell: dict[str, Any] = {"header": word if uses[word] == 1 else f"{word} {uses[word]}"}
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
    widths = [len(head["header"]) for head in heads]
    for row_number, row in enumerate(rows, start=1):
        for column_number, value in enumerate(row):
            if isinstance(value, bool) or value is None:
                sheet.write_blank(row_number, column_number, None)
            elif isinstance(value, int | float):
                sheet.write_number(
                    row_number, column_number, value, heads[column_number].get("format")
                )
            else:
                text = CONTROL.sub(" ", str(value))[:MAX_TEXT]
                sheet.write_string(row_number, column_number, text)
                widths[column_number] = max(widths[column_number], len(text))
    for column_number, width in enumerate(widths):
        sheet.set_column(column_number, column_number, min(48, width + 2))
    sheet.freeze_panes(1, 2 if len(columns) > 8 else 1)


def _headings(localizer: Localizer) -> dict[str, Any]:
    """Name the columns and sheets in the reader's language."""
    _ = localizer.gettext
    return {
        "whole": _("All"),
        "project": _("Project"),
        "department": _("Department"),
        "team": _("Team"),
        "agent": _("Agent"),
        "scores": _("Scores"),
        "criteria": _("Criteria"),
        "facts": _("Facts"),
        "level": _("Level"),
        "name": _("Name"),
        "parent": _("Belongs to"),
        "calls": _("Calls"),
        "checked": _("Checked"),
        "cards": _("Scorecards"),
        "value": _("Estimate"),
        "low": _("From"),
        "high": _("To"),
        "human_mean": _("Plain mean of scorecards"),
        "automatic_mean": _("Automatic mean"),
        "critical": _("Critical breaches"),
        "of_cards": _("Of scorecards"),
        "critical_share": _("Share of calls with a critical breach"),
        "critical_low": _("From"),
        "critical_high": _("To"),
        "critical_low_limit": _("Lower limit"),
        "critical_high_limit": _("Upper limit"),
        "criterion": _("Criterion"),
        "title": _("Title"),
        "answered": _("Answered"),
        "not_applicable": _("Not applicable"),
        "lost": _("Lost"),
        "counted": _("Counted"),
        "lost_share": _("Share lost"),
        "automatic_agrees": _("Automatic answer kept"),
        "automatic_of": _("Of automatic answers"),
        "fails": _("Critical fails"),
        "month": _("Month"),
        "time_zone": _("Time zone"),
        "made_at": _("Made at"),
        "drawn": _("Drawn"),
        "scored": _("Scored"),
        "skipped": _("Skipped"),
        "waiting": _("Waiting"),
        "overdue": _("Overdue"),
        "expired": _("Expired"),
        "withdrawn": _("Taken out"),
        "flagged": _("Flagged by checks"),
        "heard": _("Flagged and heard"),
        "confirmed": _("Confirmed breaches"),
        "shrunken": _("Shrunken"),
        "under_target": _("Probability under the target"),
        "apart": _("Groups"),
        "bias": _("Bias of the checks"),
        "target": _("Target"),
        "verdict": _("Met?"),
        "raw": _("Uncorrected"),
        "satisfaction": _("Customers’ ratings"),
        "ratings": _("Ratings"),
        "points_lost": _("Points lost a call"),
        "moved": _("Change of the score"),
        "trend": _("Trend"),
        "targets": _("Targets"),
        "measures": _("Improvement measures"),
        "indicator": _("Indicator"),
        "scope": _("For"),
        "owner": _("Owner"),
        "due": _("Due"),
        "state": _("State"),
        "expected": _("Expected"),
        "since": _("Seen since"),
        "low_limit": _("Lower limit"),
        "high_limit": _("Upper limit"),
        "slope": _("Slope"),
        "simulated": _("simulated data"),
        "standard_error": _("Standard error"),
        **_state_names(localizer),
    }


def _state_names(localizer: Localizer) -> dict[str, dict[str | None, str]]:
    """Name verdicts, states and indicators in the reader's language."""
    _ = localizer.gettext
    return {
        "verdicts": {
            "met": _("met"),
            "not_met": _("not met"),
            "cannot_tell": _("cannot be told from these cards"),
            "no_figure": _("no figure"),
            None: "",
        },
        "states": {
            "proposed": _("proposed"),
            "agreed": _("agreed"),
            "done": _("done"),
            "dropped": _("dropped"),
        },
        "indicators": {
            "quality": _("Quality"),
            "critical": _("Critical breaches"),
            "criterion": _("Points kept"),
            "satisfaction": _("Customers’ ratings"),
        },
    }
