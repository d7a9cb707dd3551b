"""Define the cells and blocks of a report, and the small pieces that blocks are made of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from qa.localization import NO_FIGURE, Localizer
from qa.publishing.charts import escape

Document = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    `links` are (words, endpoint, arguments), `svg` is a small drawing; both are left out on paper.
    """

    text: str = ""
    is_figure: bool = False
    is_quiet: bool = False
    is_strong: bool = False
    note: str = ""  # in small letters behind the text
    svg: str = ""
    links: tuple[tuple[str, str, dict[str, Any]], ...] = ()


@dataclass(frozen=True)
class Block:
    """A part of a report; `kind` is heading, text, list, facts, chart or table."""

    kind: str
    text: str = ""
    is_quiet: bool = False
    items: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    svg: str = ""
    head: tuple[tuple[str, bool], ...] = ()  # words, and whether the column holds figures
    rows: tuple[tuple[Cell, ...], ...] = field(default=())


def heading(text: str) -> Block:
    return Block("heading", text)


def paragraph(text: str, *, quiet: bool = False) -> Block:
    return Block("text", text, quiet)


def chart(svg: str, title: str) -> Iterator[Block]:
    if svg:
        yield Block("chart", title, svg=svg)


def table(title: str, head: Sequence[tuple[str, bool]], rows: Sequence[Sequence[Cell]]) -> Block:
    return Block("table", title, head=tuple(head), rows=tuple(tuple(row) for row in rows))


def verdict_word(verdict: str | None, localizer: Localizer) -> str:
    """Name a verdict on a target; a dash where there is none."""
    _ = localizer.gettext
    words = {
        "met": _("met"),
        "not_met": _("not met"),
        "cannot_tell": _("cannot be told from these cards"),
        "no_figure": _("no figure"),
    }
    return words.get(verdict or "", NO_FIGURE)


def interval(estimate: Document, name: str, localizer: Localizer) -> str:
    """Draw a small interval on a scale of 0–100."""
    if estimate["value"] is None:
        return ""
    label = localizer.gettext(
        "%(name)s: %(value)s, between %(low)s and %(high)s",
        name=name,
        value=localizer.number(estimate["value"]),
        low=localizer.number(estimate["low"]),
        high=localizer.number(estimate["high"]),
    )
    ticks = "".join(
        f'<line x1="{tick}" x2="{tick}" y1="5" y2="11" stroke="currentColor" stroke-opacity=".35"/>'
        for tick in (0, 70, 140)
    )
    low, high, value = (1.4 * estimate[key] for key in ("low", "high", "value"))
    bar = (
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="8" y2="8" stroke="currentColor"'
        f' stroke-width="2.5"/><rect x="{value - 2:.1f}" y="3" width="4" height="10"'
        ' fill="currentColor"/>'
    )
    axis = '<line x1="0" x2="140" y1="8" y2="8" stroke="currentColor" stroke-opacity=".35"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="interval" viewBox="-3 0 146 16"'
        ' width="146" height="16" role="img"'
        f' aria-label="{escape(label, quote=True)}">{axis}{ticks}{bar}</svg>'
    )


def missing_reason(estimate: Document, localizer: Localizer) -> str:
    """Write why there is no figure; empty where there is one."""
    _ = localizer.gettext
    reasons = {"too_few": _("too little data"), "no_cards": _("no scorecards yet")}
    return reasons.get(estimate["basis"], "")


def format_interval(estimate: Document, localizer: Localizer) -> str:
    """Write the ends of an interval; empty where there is no figure."""
    if estimate["value"] is None:
        return ""
    return f"{localizer.number(estimate['low'])}–{localizer.number(estimate['high'])}"


def numeric_cell(text: str) -> Cell:
    return Cell(text, is_figure=True)


def percents(low: float | None, high: float | None, format_value: Callable[[float], str]) -> str:
    """Write an interval of shares as a note behind its share."""
    if low is None or high is None:
        return ""
    return f"{format_value(low)}–{format_value(high)}"


def format_day(text: str | None, localizer: Localizer) -> str:
    """Write a date of a report's document; a dash where there is none."""
    return localizer.day(date.fromisoformat(text)) if text else NO_FIGURE
