"""What the report is put together from: cells, blocks,
and figures said in the reader's language.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from qa.forms.types import in_language
from qa.months import Month
from qa.reporting.charts import escape
from qa.web.language import current_language

Document = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """`links` are (words, endpoint, arguments), `svg` a small drawing; both are left out on paper
    where they make no sense.
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
    """`kind` is heading, text, list, facts, chart or table."""

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
    return Block("table", title, head=tuple(head), rows=tuple(tuple(r) for r in rows))


def verdict_word(verdict: str | None) -> str:
    words = {
        "met": _("met"),
        "not_met": _("not met"),
        "cannot_tell": _("cannot be told from these cards"),
        "no_figure": _("no figure"),
    }
    return str(words.get(verdict or "", "–"))


def interval(e: Document, name: str) -> str:
    """A small interval on a scale of 0–100."""
    if e["value"] is None:
        return ""
    label = _(
        "%(name)s: %(value)s, between %(low)s and %(high)s",
        name=name,
        value=number(e["value"]),
        low=number(e["low"]),
        high=number(e["high"]),
    )
    ticks = "".join(
        f'<line x1="{t}" x2="{t}" y1="5" y2="11" stroke="currentColor" stroke-opacity=".35"/>'
        for t in (0, 70, 140)
    )
    low, high, value = (1.4 * e[k] for k in ("low", "high", "value"))
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


def missing_reason(e: Document) -> str:
    words: dict[str, str] = {"too_few": _("too little data"), "no_cards": _("no scorecards yet")}
    return words.get(e["basis"], "")


def format_interval(e: Document) -> str:
    return f"{number(e['low'])}–{number(e['high'])}" if e["value"] is not None else ""


def numeric_cell(text: str) -> Cell:
    return Cell(text, is_figure=True)


def _filter(name: str) -> Any:
    return current_app.jinja_env.filters[name]


def number(value: float | None, digits: int = 1) -> str:
    return str(_filter("number")(value, digits))


def axis(value: float) -> str:
    return number(value, 0 if float(value).is_integer() else 1)


def signed(value: float) -> str:
    value = round(value, 1)
    shown = number(abs(value))
    return f"+{shown}" if value > 0 else f"−{shown}" if value < 0 else shown


def percent(value: float | None) -> str:
    return str(_filter("percent")(value))


def percent_finely(value: float | None) -> str:
    """With a decimal under ten percent; what is not never is not said to be 0 %."""
    return (
        f"{number(100 * value)} %"
        if value is not None and 0.0005 <= value < 0.1
        else percent(value)
    )


def percents(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """An interval of shares, as a note behind its share."""
    return "" if low is None or high is None else f"{show(low)}–{show(high)}"


def month_name(month: Month) -> str:
    return str(_filter("month_name")(month))


def day(text: str | None) -> str:
    return str(_filter("day")(date.fromisoformat(text))) if text else "–"


def moment(text: str) -> str:
    return str(_filter("moment")(datetime.fromisoformat(text)))


def local(title: Any) -> str:
    """A text of a form in the reader's language."""
    return in_language(title, current_language())


def joined(names: Sequence[str]) -> str:
    return ", ".join(names) if current_language() != "zh" else "、".join(names)
