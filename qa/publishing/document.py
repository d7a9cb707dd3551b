"""Compose the monthly report as a list of blocks, the same for page, file and paper."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from qa.localization import Localizer
from qa.publishing import charts
from qa.publishing.blocks import basis, figures
from qa.publishing.blocks.figures import headline
from qa.publishing.blocks.parts import Block, Cell, Document
from qa.publishing.workbook import CONTROL
from qa.reporting.types.estimate import Estimate
from qa.states import Audience

__all__ = [
    "agent_chart",
    "agent_spark",
    "for_reader",
    "headline",
    "paper_files",
    "report_blocks",
    "report_title",
    "scope_names",
]
INK = "#1b2733"  # on paper
BlockBuilder = Callable[[Document, Localizer], Iterator[Block]]


def report_blocks(document: Document, audience: Audience, localizer: Localizer) -> list[Block]:
    """List everything below the headline, for one audience."""
    builders: list[BlockBuilder] = [figures.targets, figures.moved, figures.trend]
    if audience is not Audience.LEADER:
        builders += [figures.projects, figures.departments]
    if audience is Audience.MANAGER and not document.get("agent"):
        builders += [figures.teams]
    if audience is not Audience.BOARD:
        builders += [figures.agents]
    builders += [
        figures.criteria,
        basis.critical,
        basis.agreement,
        basis.satisfaction,
        basis.measures,
        basis.coverage,
        basis.method,
    ]
    return [block for builder in builders for block in builder(document, localizer)]


def for_reader(document: Document, audience: Audience) -> Document:
    """Return the document without what an audience may not read: the board sees no agent."""
    if audience is not Audience.BOARD:
        return document
    without_agents = {
        name: [line for line in document.get(name, []) if line["scope"] != "agent"]
        for name in ("targets", "measures")
    }
    between_agents = document.get("between_agents")
    if between_agents:
        between_agents = between_agents | {"points": []}
    return document | {"agents": [], "between_agents": between_agents or None} | without_agents


def scope_names(document: Document) -> list[str]:
    """Name what a report is about, from the largest to the smallest; empty for the whole centre."""
    kinds = ("project", "department", "team", "agent")
    return [document[kind] for kind in kinds if document.get(kind)]


def report_title(document: Document, localizer: Localizer) -> str:
    """Write the title of a report with its month and what it is about."""
    _ = localizer.gettext
    parts = [
        f"{_('Quality report')} {localizer.month_name(document['month'])}",
        *scope_names(document),
    ]
    if document["simulated"]:
        parts.append(_("simulated data"))
    return " · ".join(parts)


def paper_files(
    document: Document, audience: Audience, made_at: str, localizer: Localizer
) -> dict[str, bytes]:
    """Return the files that the Typst source of the report reads: its blocks and its charts.

    Texts are data, never source.
    """
    top = headline(document, localizer)
    estimate = top["estimate"]
    top["between"] = ""
    if estimate["basis"] == "estimated":
        top["between"] = localizer.gettext(
            "between %(low)s and %(high)s",
            low=localizer.number(estimate["low"]),
            high=localizer.number(estimate["high"]),
        )
    listed, files = [], {}
    for number, block in enumerate(report_blocks(document, audience, localizer)):
        fields = asdict(block)
        if block.svg:
            name = f"chart{number}.svg"
            files[name] = block.svg.replace("currentColor", INK).encode()
            fields["svg"] = name
        # small drawings repeat what stands beside them
        columns = [
            index
            for index in range(len(block.head))
            if not any(row[index].svg for row in block.rows)
        ]
        fields["head"] = [block.head[index] for index in columns]
        fields["rows"] = [[_on_paper(row[index]) for index in columns] for row in block.rows]
        listed.append(fields)
    report = {
        "title": report_title(document, localizer),
        "lang": localizer.language,
        "top": top,
        "blocks": listed,
        "made": made_at,
    }
    files["report.json"] = json.dumps(_printable(report), ensure_ascii=False).encode()
    return files


def _printable(value: Any) -> Any:
    """Return a value without control characters, which no paper shows."""
    if isinstance(value, str):
        return CONTROL.sub(" ", value)
    if isinstance(value, dict):
        return {key: _printable(part) for key, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list | tuple) else value


def _on_paper(cell: Cell) -> dict[str, Any]:
    return {
        "text": ", ".join(words for words, _endpoint, _arguments in cell.links) or cell.text,
        "note": cell.note,
        "is_quiet": cell.is_quiet,
        "is_figure": cell.is_figure,
        "is_strong": cell.is_strong,
    }


def agent_spark(points: Sequence[tuple[str, Estimate]], name: str, localizer: Localizer) -> str:
    """Draw a small trend of an agent's months."""
    estimates = [
        (estimate.value, estimate.low or 0.0, estimate.high or 0.0)
        for _month, estimate in points
        if estimate.value is not None
    ]
    values = ", ".join(localizer.number(value) for value, _low, _high in estimates)
    caption = localizer.gettext("%(name)s by month: %(values)s", name=name, values=values)
    return charts.spark(estimates, title=caption)


def agent_chart(points: Sequence[tuple[str, Estimate]], localizer: Localizer) -> str:
    """Draw an agent's months as the agent sees them; empty where there are fewer than two."""
    return charts.trend(
        [(month, estimate, None, None, False) for month, estimate in points],
        title=localizer.gettext("My estimate by month with its interval"),
        number=localizer.tick,
    )
