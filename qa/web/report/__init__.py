"""The monthly report as a list of blocks: said once, shown as a page, as a file that stands alone,
and on paper, with the same figures.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from qa.reporting import charts
from qa.reporting.types.estimate import Estimate
from qa.reporting.workbook import CONTROL
from qa.states import Audience
from qa.web.language import current_language
from qa.web.report import background, figures
from qa.web.report.figures import headline
from qa.web.report.parts import Block, Cell, Document, axis, local, moment, number

__all__ = ["agent_chart", "blocks", "headline", "local", "moment", "paper", "spark_of"]
INK = "#1b2733"  # on paper


def blocks(r: Document, audience: Audience) -> list[Block]:
    """Everything below the headline, for one kind of reader."""
    parts: list[Callable[[Document], Iterator[Block]]] = [
        figures.targets,
        figures.moved,
        figures.trend,
    ]
    parts += [figures.projects, figures.departments] if audience is not Audience.LEADER else []
    parts += [figures.teams] if audience is Audience.MANAGER and not r.get("agent") else []
    parts += [figures.agents] if audience is not Audience.BOARD else []
    parts += [
        figures.criteria,
        background.critical,
        background.agreement,
        background.satisfaction,
        background.measures,
        background.coverage,
        background.method,
    ]
    return [b for part in parts for b in part(r)]


def paper(title: str, r: Document, audience: Audience, made: str) -> tuple[str, dict[str, bytes]]:
    """The Typst source and its files: the same blocks, as data that the source sets.

    Texts are data, never source.
    """
    top = figures.headline(r)
    listed, files = [], {}
    for i, b in enumerate(blocks(r, audience)):
        one = asdict(b)
        if b.svg:
            files[f"chart{i}.svg"] = b.svg.replace("currentColor", INK).encode()
            one["svg"] = f"chart{i}.svg"
        # small drawings repeat what stands beside them
        kept = [j for j in range(len(b.head)) if not any(row[j].svg for row in b.rows)]
        one["head"] = [b.head[j] for j in kept]
        one["rows"] = [[_on_paper(row[j]) for j in kept] for row in b.rows]
        listed.append(one)
    e = top["estimate"]
    top["between"] = (
        _("between %(low)s and %(high)s", low=number(e["low"]), high=number(e["high"]))
        if e["basis"] == "estimated"
        else ""
    )
    fields = {
        "title": title,
        "lang": current_language(),
        "top": top,
        "blocks": listed,
        "made": made,
    }
    files["report.json"] = json.dumps(_clean(fields), ensure_ascii=False).encode()
    loader = current_app.jinja_env.loader
    assert loader is not None
    source = loader.get_source(current_app.jinja_env, "reporting/paper.typ")[0]
    return source, files


def _clean(value: Any) -> Any:
    """The same without control characters, which no paper shows."""
    if isinstance(value, str):
        return CONTROL.sub(" ", value)
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    return [_clean(v) for v in value] if isinstance(value, list | tuple) else value


def _on_paper(cell: Cell) -> dict[str, Any]:
    words = ", ".join(words for words, _endpoint, _arguments in cell.links) or cell.text
    return {
        "text": words,
        "note": cell.note,
        "is_quiet": cell.is_quiet,
        "is_figure": cell.is_figure,
        "is_strong": cell.is_strong,
    }


def spark_of(points: Sequence[tuple[str, Estimate]], name: str) -> str:
    """A small trend of somebody's months."""
    known = [
        (e.value or 0.0, e.low or 0.0, e.high or 0.0)
        for _month_, e in points
        if e.value is not None
    ]
    words = ", ".join(number(v[0]) for v in known)
    return charts.spark(known, title=_("%(name)s by month: %(values)s", name=name, values=words))


def agent_chart(points: Sequence[tuple[str, Estimate]]) -> str:
    """An agent's months as the agent sees them; empty where there are fewer than two."""
    return charts.trend(
        [(m, e, None, None, False) for m, e in points],
        title=_("My estimate by month with its interval"),
        number=axis,
    )
