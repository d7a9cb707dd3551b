"""Write the figures of the month: headline, targets, changes, trend, groups, criteria."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qa.localization import Localizer
from qa.publishing import charts
from qa.publishing.blocks.parts import (
    Block,
    Cell,
    Document,
    chart,
    format_day,
    format_interval,
    heading,
    interval,
    missing_reason,
    numeric_cell,
    paragraph,
    percents,
    table,
    verdict_word,
)
from qa.reporting.trends import estimate_of

MAX_NAMES = 12  # in a sentence
VISIBLE_CHANGE = 0.05  # points: less is a nought on the page


def headline(document: Document, localizer: Localizer) -> dict[str, Any]:
    """Write the first lines: the figure, its basis, target and change, in whole sentences."""
    _ = localizer.gettext
    estimate = document["whole"]["estimate"]
    sentences = [_basis_sentence(document, localizer)]
    if document.get("target") is not None and estimate["basis"] == "estimated":
        sentences.append(
            _(
                "Target %(target)s: %(verdict)s.",
                target=localizer.number(document["target"]),
                verdict=verdict_word(document["whole"]["verdict"], localizer),
            )
        )
    return {
        "estimate": estimate,
        "sentences": sentences + _change_sentences(document, localizer),
        "title": _headline_title(estimate, localizer),
        "target": document.get("target"),
    }


def _basis_sentence(document: Document, localizer: Localizer) -> str:
    _ = localizer.gettext
    estimate, coverage = document["whole"]["estimate"], document["coverage"]
    calls = localizer.number(estimate["calls"], 0)
    cards = localizer.number(estimate["cards"], 0)
    checked = localizer.number(coverage["checked"], 0)
    if estimate["basis"] == "estimated":
        return _(
            "Estimated mean score of all %(calls)s calls, from %(cards)s scorecards of drawn"
            " calls and the automatic scores of every checked call. In 95 of 100 such months"
            " the true mean lies inside the interval.",
            calls=calls,
            cards=cards,
        )
    if estimate["basis"] == "too_few":
        return _(
            "%(cards)s scorecards so far. A figure needs several scorecards of several agents,"
            " or the interval would be wider than the scale.",
            cards=cards,
        )
    return _(
        "%(calls)s calls, %(checked)s of them checked automatically. Figures appear when people"
        " have scored some of them.",
        calls=localizer.number(coverage["calls"], 0),
        checked=checked,
    )


def _change_sentences(document: Document, localizer: Localizer) -> list[str]:
    """Write the change since the month before, or the figure of that month."""
    _ = localizer.gettext
    change, previous = document.get("change"), document["previous"]
    if change:
        figures = {
            "change": localizer.signed(change["value"]),
            "low": localizer.signed(change["low"]),
            "high": localizer.signed(change["high"]),
        }
        if change["is_sure"]:
            return [
                _(
                    "Since the month before: %(change)s points, between %(low)s and %(high)s.",
                    **figures,
                )
            ]
        return [
            _(
                "Since the month before: %(change)s points, which may be chance (between %(low)s"
                " and %(high)s).",
                **figures,
            )
        ]
    if previous["basis"] == "estimated":
        low, high = localizer.number(previous["low"]), localizer.number(previous["high"])
        return [
            _(
                "Month before: %(value)s, between %(low)s and %(high)s.",
                value=localizer.number(previous["value"]),
                low=low,
                high=high,
            )
        ]
    return []


def _headline_title(estimate: Document, localizer: Localizer) -> str:
    _ = localizer.gettext
    if estimate["basis"] == "estimated":
        return localizer.number(estimate["value"])
    if estimate["basis"] == "too_few":
        return _("Too little data for a figure")
    return _("No scorecards in this month")


def targets(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    targets = document.get("targets") or []
    if not targets:
        return
    yield heading(_("Targets"))
    indicator_names = {
        "quality": _("Quality"),
        "critical": _("Critical breaches at most"),
        "criterion": _("Points kept"),
        "satisfaction": _("Customers’ ratings"),
    }
    scope_names = {
        "whole": _("All"),
        "project": _("Project"),
        "department": _("Department"),
        "team": _("Team"),
        "agent": _("Agent"),
    }
    rows = []
    for target in targets:
        share = target["indicator"] in ("critical", "criterion")
        format_value = localizer.percent if share else localizer.number
        name = indicator_names[target["indicator"]]
        if target["criterion"]:
            name += f": {localizer.local(target['title'])}"
        scope = scope_names[target["scope"]]
        if target["scope"] != "whole":
            scope += f" {target['name']}"
        interval_text = ""
        if target["low"] is not None:
            interval_text = f"{format_value(target['low'])} – {format_value(target['high'])}"
        rows.append(
            [
                Cell(name),
                Cell(scope),
                numeric_cell(format_value(target["target"])),
                numeric_cell(format_value(target["value"])),
                Cell(interval_text, is_figure=True, is_quiet=True),
                Cell(
                    verdict_word(target["verdict"], localizer),
                    is_strong=target["verdict"] == "not_met",
                ),
            ]
        )
    yield table(
        _("Targets"),
        [
            (_("Indicator"), False),
            (_("For"), False),
            (_("Target"), True),
            (_("Estimate"), True),
            (_("Between"), True),
            (_("Met?"), False),
        ],
        rows,
    )


def moved(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    criteria = [criterion for criterion in document["criteria"] if criterion.get("points_lost")]
    if not criteria:
        return
    yield heading(_("What moved, and why"))
    worst = criteria[:3]
    costs = [
        f"“{localizer.local(criterion['title'])}” ({localizer.number(criterion['points_lost'])})"
        for criterion in worst
    ]
    yield paragraph(
        _(
            "Of 100 points %(lost)s are lost on an average call. Most cost %(names)s.",
            lost=localizer.number(sum(criterion["points_lost"] for criterion in criteria)),
            names=localizer.join(costs),
        )
    )
    if (document.get("fails_cost") or 0) >= 0.05:
        yield paragraph(
            _(
                "Critical breaches set whole calls to 0 and cost a further %(points)s points.",
                points=localizer.number(document["fails_cost"]),
            )
        )
    movers = [
        criterion
        for criterion in criteria
        if criterion.get("moved") and abs(criterion["moved"]["value"]) >= VISIBLE_CHANGE
    ]
    sure = [criterion for criterion in movers if criterion["moved"]["is_sure"]]
    if movers and not sure:
        yield paragraph(
            _(
                "No single criterion has surely moved since the month before; what changed lies"
                " within chance."
            ),
            quiet=True,
        )
    listed = sorted(movers, key=_by_certain_change)[:6] or worst
    head = [
        (_("Criterion"), False),
        (_("Points lost a call"), True),
        (_("Change of the score"), True),
        (_("Between"), True),
        (_("Calls to hear"), False),
    ]
    rows = []
    for criterion in listed:
        change = criterion.get("moved")
        interval_text = ""
        if change:
            low, high = localizer.signed(change["low"]), localizer.signed(change["high"])
            interval_text = f"{low} – {high}"
        links = tuple(
            (_("card %(n)s", n=example["card_id"]), "cards.card", {"card_id": example["card_id"]})
            for example in criterion["examples"]
        )
        rows.append(
            [
                Cell(localizer.local(criterion["title"])),
                numeric_cell(localizer.number(criterion["points_lost"])),
                Cell(
                    localizer.signed(change["value"]) if change else "–",
                    is_figure=True,
                    is_strong=bool(change and change["is_sure"]),
                ),
                Cell(interval_text, is_figure=True, is_quiet=True),
                Cell(links=links),
            ]
        )
    yield table(_("What moved, and why"), head, rows)


def _by_certain_change(criterion: Document) -> tuple[bool, float]:
    """Sort changes that are sure first, then the largest."""
    return not criterion["moved"]["is_sure"], -abs(criterion["moved"]["value"])


def trend(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    points = [
        (
            point["month"],
            estimate_of(point["estimate"]),
            point["low_limit"],
            point["high_limit"],
            point["is_outside"],
        )
        for point in document.get("trend") or []
    ]
    title = _("Estimate by month with its interval; dotted: where a month would lie by chance")
    svg = charts.trend(points, title=title, number=localizer.tick, target=document.get("target"))
    if svg:
        yield heading(_("Trend"))
        yield from chart(svg, title)
        outside = [point["month"] for point in document["trend"] if point["is_outside"]]
        if outside:
            yield paragraph(
                _(
                    "Outside the limits, so more than chance: %(months)s.",
                    months=localizer.join([localizer.month_name(month) for month in outside]),
                )
            )
    if drift := document.get("drift"):
        yield paragraph(_drift_sentence(drift, localizer))


def _drift_sentence(drift: Document, localizer: Localizer) -> str:
    _ = localizer.gettext
    figures = {
        "since": format_day(drift["since"], localizer),
        "noticed": format_day(drift["noticed"], localizer),
        "was": localizer.number(drift["was"]),
        "now": localizer.number(drift["now"]),
    }
    return _(
        "The daily automatic scores have moved away from those of the month before: %(now)s on"
        " average since %(since)s instead of %(was)s (noticed on %(noticed)s by cumulative"
        " sums). It may be the agents, the calls or the checks: let people hear some of these"
        " days. A sign, not a verdict.",
        **figures,
    )


def projects(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    if len(document.get("projects") or []) > 1:
        yield heading(_("Projects"))
        yield _group_table(document["projects"], _("Project"), document, localizer)


def departments(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    if len(document["departments"]) > 1:
        yield heading(_("Departments"))
        yield _group_table(document["departments"], _("Department"), document, localizer)


def teams(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    if not document["teams"]:
        return
    yield heading(_("Teams"))
    if len(document["teams"]) > 2 and document["whole"]["estimate"]["value"] is not None:
        title = _("Teams by how well they are known; inside the dotted lines they differ by chance")
        points = [(team["name"], estimate_of(team["estimate"])) for team in document["teams"]]
        yield from chart(
            charts.funnel(
                points,
                document["whole"]["estimate"]["value"],
                document.get("overdispersion") or 1.0,
                title=title,
                number=localizer.tick,
            ),
            title,
        )
    yield _group_table(document["teams"], _("Team"), document, localizer)


def agents(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    if not document["agents"]:
        return
    yield heading(_("Agents"))
    title = _("Agents: estimate and interval, in alphabetical order")
    rows = [(agent["name"], estimate_of(agent["estimate"])) for agent in document["agents"]]
    if 1 < len(rows) <= 40:
        yield from chart(
            charts.intervals(
                rows, title=title, number=localizer.tick, target=document.get("target")
            ),
            title,
        )
    standings = [agent["standing"] for agent in document["agents"] if agent.get("standing")]
    if (
        standings
        and all(standing["apart"] in ("=", "") for standing in standings)
        and any(standing["apart"] for standing in standings)
    ):
        yield paragraph(
            _(
                "No two of these agents can be told apart by this month’s cards. Any order of them"
                " would be chance."
            )
        )
    elif any(standing["apart"] not in ("=", "") for standing in standings):
        yield paragraph(_("Agents who share a letter cannot be told apart."))
    yield _group_table(document["agents"], _("Agent"), document, localizer)
    biased = [
        agent
        for agent in document["agents"]
        if agent.get("standing") and agent["standing"]["is_bias_sure"]
    ]
    if biased:
        named = [
            f"{agent['name']} ({localizer.signed(agent['standing']['bias'])})"
            for agent in sorted(biased, key=lambda agent: -abs(agent["standing"]["bias"]))[
                :MAX_NAMES
            ]
        ]
        more = [_("%(n)s more", n=len(biased) - MAX_NAMES)] if len(biased) > MAX_NAMES else []
        names = localizer.join(named + more)
        yield paragraph(
            _(
                "The checks rate the calls of %(names)s otherwise than people do, by so many"
                " points. The estimates are corrected for it; the automatic means are not.",
                names=names,
            )
        )


def _name(group: Document, document: Document, localizer: Localizer) -> Cell:
    """Write a group's name with a link to the report about it alone."""
    _ = localizer.gettext
    note = group["parent"]
    if group.get("left_on"):
        note += " · " + _("left on %(day)s", day=format_day(group["left_on"], localizer))
    has_report = group["kind"] in ("department", "team", "agent") and group["id"] is not None
    if not has_report or document.get("agent"):
        return Cell(group["name"], note=note)
    arguments = {
        "month": document["month"],
        "project": document["project"] or None,
        group["kind"]: group["id"] if group["kind"] == "agent" else group["name"],
    }
    return Cell(note=note, links=((group["name"], "reporting.month", arguments),))


@dataclass(frozen=True)
class Column:
    """A column of a table of groups: its header and the cell of each group."""

    header: str
    cell: Callable[[Document], Cell]
    is_figure: bool = True
    is_shown: bool = True


def _group_table(
    rows: Sequence[Document], name: str, document: Document, localizer: Localizer
) -> Block:
    columns = [column for column in _columns(rows, name, document, localizer) if column.is_shown]
    return table(
        name,
        [(column.header, column.is_figure) for column in columns],
        [[column.cell(group) for column in columns] for group in rows],
    )


def _columns(
    rows: Sequence[Document], name: str, document: Document, localizer: Localizer
) -> list[Column]:
    _ = localizer.gettext

    def any_has(part: str) -> bool:
        return any(group.get(part) is not None for group in rows)

    is_agents = bool(rows) and rows[0]["kind"] == "agent"
    has_letters = any(_standing(group).get("apart") not in (None, "", "=") for group in rows)
    return [
        Column(name, lambda group: _name(group, document, localizer), is_figure=False),
        Column(
            _("Calls"), lambda group: numeric_cell(localizer.number(group["estimate"]["calls"], 0))
        ),
        Column(
            _("Scorecards"),
            lambda group: numeric_cell(localizer.number(group["estimate"]["cards"], 0)),
        ),
        Column(
            _("Estimate"),
            lambda group: Cell(
                localizer.number(group["estimate"]["value"]),
                is_figure=True,
                is_strong=True,
                note=format_interval(group["estimate"], localizer),
            ),
        ),
        Column(
            _("Interval"),
            lambda group: Cell(
                svg=interval(group["estimate"], group["name"], localizer),
                text=missing_reason(group["estimate"], localizer),
            ),
            is_figure=False,
        ),
        Column(
            _("Groups"),
            lambda group: Cell(_standing(group).get("apart", "")),
            is_figure=False,
            is_shown=has_letters,
        ),
        Column(
            _("Shrunken"),
            lambda group: _quiet_figure(_standing(group).get("shrunken"), localizer),
            is_shown=is_agents,
        ),
        Column(
            _("Target"),
            lambda group: _against_target(group, localizer),
            is_figure=False,
            is_shown=any_has("target"),
        ),
        Column(
            _("Uncorrected"),
            lambda group: _quiet_figure((group.get("raw") or {}).get("value"), localizer),
            is_shown=any_has("raw"),
        ),
        Column(
            _("Plain mean of scorecards"),
            lambda group: _quiet_figure(group["estimate"]["human_mean"], localizer),
        ),
        Column(
            _("Automatic mean"),
            lambda group: _quiet_figure(group["estimate"]["automatic_mean"], localizer),
        ),
        Column(_("Critical breaches"), lambda group: _breaches(group, localizer)),
        Column(
            _("Customers’ ratings"),
            lambda group: _ratings(group, localizer),
            is_shown=any_has("satisfaction"),
        ),
    ]


def _standing(group: Document) -> Document:
    return group.get("standing") or {}


def _quiet_figure(value: float | None, localizer: Localizer) -> Cell:
    return Cell(localizer.number(value), is_figure=True, is_quiet=True)


def _against_target(group: Document, localizer: Localizer) -> Cell:
    if group.get("target") is None:
        return Cell()
    return Cell(f"{localizer.number(group['target'])}: {verdict_word(group['verdict'], localizer)}")


def _breaches(group: Document, localizer: Localizer) -> Cell:
    """Write the estimated share of all calls with a breach.

    Not that of the scored calls, since every flagged call is scored.
    """
    critical = group["critical"]
    return Cell(
        localizer.fine_percent(critical["share"]),
        is_figure=True,
        note=percents(critical["low"], critical["high"], localizer.fine_percent),
    )


def _ratings(group: Document, localizer: Localizer) -> Cell:
    satisfaction = group.get("satisfaction")
    if not satisfaction:
        return numeric_cell("–")
    mean = localizer.number(satisfaction["mean"])
    return Cell(mean, is_figure=True, note=f"({satisfaction['count']})")


def criteria(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    if not document["criteria"]:
        return
    yield heading(_("Criteria lost most"))
    title = _("Points lost on an average call, by criterion; dashed: all of them added up")
    yield from chart(
        charts.pareto(
            [
                (localizer.local(criterion["title"]), criterion["points_lost"] or 0.0)
                for criterion in document["criteria"]
            ],
            title=title,
            number=localizer.number,
        ),
        title,
    )
    head = [
        (_("Criterion"), False),
        (_("Points lost a call"), True),
        (_("Lost"), True),
        (_("Share lost"), True),
        (_("Not applicable"), True),
        (_("Critical fails"), True),
        (_("Automatic answer kept"), True),
    ]
    rows = []
    for criterion in document["criteria"]:
        lost, automatic = criterion["lost"], criterion["automatic_agrees"]
        rows.append(
            [
                Cell(localizer.local(criterion["title"])),
                numeric_cell(localizer.number(criterion.get("points_lost"), 2)),
                numeric_cell(f"{lost['count']} / {lost['of']}"),
                Cell(
                    localizer.percent(lost["share"]),
                    is_figure=True,
                    note=percents(lost["low"], lost["high"], localizer.percent),
                ),
                numeric_cell(str(criterion["not_applicable"])),
                numeric_cell(str(criterion["fails"])),
                numeric_cell(
                    f"{automatic['count']} / {automatic['of']}" if automatic["of"] else "–"
                ),
            ]
        )
    yield table(_("Criteria lost most"), head, rows)
