"""The figures of the month: headline, targets, what moved, trend, groups, criteria."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from qa.reporting import charts
from qa.reporting.trends import estimate_of
from qa.web.report.parts import (
    Block,
    Cell,
    Document,
    axis,
    chart,
    day,
    format_interval,
    heading,
    interval,
    joined,
    local,
    missing_reason,
    month_name,
    number,
    numeric_cell,
    paragraph,
    percent,
    percent_finely,
    percents,
    signed,
    table,
    verdict_word,
)

NAMES_SHOWN = 12  # in a sentence
SEEN = 0.05  # points: less is a nought on the page


def headline(r: Document) -> dict[str, Any]:
    """The first lines: the figure, what it rests on, against target and last month, in whole
    sentences.
    """
    e = r["whole"]["estimate"]
    sentences = [_basis(r)]
    if r.get("target") is not None and e["basis"] == "estimated":
        sentences.append(
            _(
                "Target %(target)s: %(verdict)s.",
                target=number(r["target"]),
                verdict=verdict_word(r["whole"]["verdict"]),
            )
        )
    return {
        "estimate": e,
        "sentences": sentences + _since(r),
        "title": _headline_title(e),
        "target": r.get("target"),
    }


def _basis(r: Document) -> str:
    e, v = r["whole"]["estimate"], r["coverage"]
    calls, cards, checked = number(e["calls"], 0), number(e["cards"], 0), number(v["checked"], 0)
    if e["basis"] == "estimated":
        return str(
            _(
                "Estimated mean score of all %(calls)s calls, from %(cards)s scorecards of drawn"
                " calls and the automatic scores of every checked call. In 95 of 100 such months"
                " the true mean lies inside the interval.",
                calls=calls,
                cards=cards,
            )
        )
    if e["basis"] == "too_few":
        return str(
            _(
                "%(cards)s scorecards so far. A figure needs several scorecards of several agents,"
                " or the interval would be wider than the scale.",
                cards=cards,
            )
        )
    return str(
        _(
            "%(calls)s calls, %(checked)s of them checked automatically. Figures appear when people"
            " have scored some of them.",
            calls=number(v["calls"], 0),
            checked=checked,
        )
    )


def _since(r: Document) -> list[str]:
    """What changed since the month before, or what that month was."""
    c, previous = r.get("change"), r["previous"]
    if c:
        said_of = {"change": signed(c["value"]), "low": signed(c["low"]), "high": signed(c["high"])}
        if c["is_sure"]:
            return [
                _(
                    "Since the month before: %(change)s points, between %(low)s and %(high)s.",
                    **said_of,
                )
            ]
        return [
            _(
                "Since the month before: %(change)s points, which may be chance (between %(low)s"
                " and %(high)s).",
                **said_of,
            )
        ]
    if previous["basis"] == "estimated":
        low, high = number(previous["low"]), number(previous["high"])
        return [
            _(
                "Month before: %(value)s, between %(low)s and %(high)s.",
                value=number(previous["value"]),
                low=low,
                high=high,
            )
        ]
    return []


def _headline_title(e: Document) -> str:
    if e["basis"] == "estimated":
        return f"{number(e['value'])}"
    return str(
        _("Too little data for a figure")
        if e["basis"] == "too_few"
        else _("No scorecards in this month")
    )


def targets(r: Document) -> Iterator[Block]:
    rows = r.get("targets") or []
    if not rows:
        return
    yield heading(_("Targets"))
    names = {
        "quality": _("Quality"),
        "critical": _("Critical breaches at most"),
        "criterion": _("Points kept"),
        "satisfaction": _("Customers’ ratings"),
    }
    scopes = {
        "whole": _("All"),
        "project": _("Project"),
        "department": _("Department"),
        "team": _("Team"),
        "agent": _("Agent"),
    }
    lines = []
    for t in rows:
        share = t["indicator"] in ("critical", "criterion")
        show = percent if share else number
        name = names[t["indicator"]] + (f": {local(t['title'])}" if t["criterion"] else "")
        of = scopes[t["scope"]] + (f" {t['name']}" if t["scope"] != "whole" else "")
        between = f"{show(t['low'])} – {show(t['high'])}" if t["low"] is not None else ""
        lines.append(
            [
                Cell(name),
                Cell(of),
                numeric_cell(show(t["target"])),
                numeric_cell(show(t["value"])),
                Cell(between, is_figure=True, is_quiet=True),
                Cell(verdict_word(t["verdict"]), is_strong=t["verdict"] == "not_met"),
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
        lines,
    )


def moved(r: Document) -> Iterator[Block]:
    criteria = [c for c in r["criteria"] if c.get("points_lost")]
    if not criteria:
        return
    yield heading(_("What moved, and why"))
    worst = criteria[:3]
    yield paragraph(
        _(
            "Of 100 points %(lost)s are lost on an average call. Most cost %(names)s.",
            lost=number(sum(c["points_lost"] for c in criteria)),
            names=joined([f"“{local(c['title'])}” ({number(c['points_lost'])})" for c in worst]),
        )
    )
    if (r.get("fails_cost") or 0) >= 0.05:
        yield paragraph(
            _(
                "Critical breaches set whole calls to 0 and cost a further %(points)s points.",
                points=number(r["fails_cost"]),
            )
        )
    movers = [c for c in criteria if c.get("moved") and abs(c["moved"]["value"]) >= SEEN]
    sure = [c for c in movers if c["moved"]["is_sure"]]
    if movers and not sure:
        yield paragraph(
            _(
                "No single criterion has surely moved since the month before; what changed lies"
                " within chance."
            ),
            quiet=True,
        )
    shown = (
        sorted(movers, key=lambda c: (not c["moved"]["is_sure"], -abs(c["moved"]["value"])))[:6]
        or worst
    )
    head = [
        (_("Criterion"), False),
        (_("Points lost a call"), True),
        (_("Change of the score"), True),
        (_("Between"), True),
        (_("Calls to hear"), False),
    ]
    rows = []
    for c in shown:
        m = c.get("moved")
        between = f"{signed(m['low'])} – {signed(m['high'])}" if m else ""
        links = tuple(
            (_("card %(n)s", n=e["card_id"]), "cards.card", {"card_id": e["card_id"]})
            for e in c["examples"]
        )
        rows.append(
            [
                Cell(local(c["title"])),
                numeric_cell(number(c["points_lost"])),
                Cell(
                    signed(m["value"]) if m else "–",
                    is_figure=True,
                    is_strong=bool(m and m["is_sure"]),
                ),
                Cell(between, is_figure=True, is_quiet=True),
                Cell(links=links),
            ]
        )
    yield table(_("What moved, and why"), head, rows)


def trend(r: Document) -> Iterator[Block]:
    points = [
        (t["month"], estimate_of(t["estimate"]), t["low_limit"], t["high_limit"], t["is_outside"])
        for t in r.get("trend") or []
    ]
    title = _("Estimate by month with its interval; dotted: where a month would lie by chance")
    svg = charts.trend(
        [(p[0], *p[1:]) for p in points], title=title, number=axis, target=r.get("target")
    )
    if svg:
        yield heading(_("Trend"))
        yield from chart(svg, title)
        outside = [t["month"] for t in r["trend"] if t["is_outside"]]
        if outside:
            yield paragraph(
                _(
                    "Outside the limits, so more than chance: %(months)s.",
                    months=joined([month_name(m) for m in outside]),
                )
            )
    if d := r.get("drift"):
        yield paragraph(_drifted(d))


def _drifted(d: Document) -> str:
    said_of = {
        "since": day(d["since"]),
        "noticed": day(d["noticed"]),
        "was": number(d["was"]),
        "now": number(d["now"]),
    }
    return str(
        _(
            "The daily automatic scores have moved away from those of the month before: %(now)s on"
            " average since %(since)s instead of %(was)s (noticed on %(noticed)s by cumulative"
            " sums). It may be the agents, the calls or the checks: let people hear some of these"
            " days. A sign, not a verdict.",
            **said_of,
        )
    )


def projects(r: Document) -> Iterator[Block]:
    if len(r.get("projects") or []) > 1:
        yield heading(_("Projects"))
        yield _groups(r["projects"], _("Project"), r)


def departments(r: Document) -> Iterator[Block]:
    if len(r["departments"]) > 1:
        yield heading(_("Departments"))
        yield _groups(r["departments"], _("Department"), r)


def teams(r: Document) -> Iterator[Block]:
    if not r["teams"]:
        return
    yield heading(_("Teams"))
    if len(r["teams"]) > 2 and r["whole"]["estimate"]["value"] is not None:
        title = _("Teams by how well they are known; inside the dotted lines they differ by chance")
        points = [(t["name"], estimate_of(t["estimate"])) for t in r["teams"]]
        yield from chart(
            charts.funnel(
                points,
                r["whole"]["estimate"]["value"],
                r.get("overdispersion") or 1.0,
                title=title,
                number=axis,
            ),
            title,
        )
    yield _groups(r["teams"], _("Team"), r)


def agents(r: Document) -> Iterator[Block]:
    if not r["agents"]:
        return
    yield heading(_("Agents"))
    title = _("Agents: estimate and interval, in alphabetical order")
    rows = [(g["name"], estimate_of(g["estimate"])) for g in r["agents"]]
    if 1 < len(rows) <= 40:
        yield from chart(
            charts.intervals(rows, title=title, number=axis, target=r.get("target")), title
        )
    standings = [g["standing"] for g in r["agents"] if g.get("standing")]
    if (
        standings
        and all(s["apart"] in ("=", "") for s in standings)
        and any(s["apart"] for s in standings)
    ):
        yield paragraph(
            _(
                "No two of these agents can be told apart by this month’s cards. Any order of them"
                " would be chance."
            )
        )
    elif any(s["apart"] not in ("=", "") for s in standings):
        yield paragraph(_("Agents who share a letter cannot be told apart."))
    yield _groups(r["agents"], _("Agent"), r)
    biased = [g for g in r["agents"] if g.get("standing") and g["standing"]["is_bias_sure"]]
    if biased:
        named = [
            f"{g['name']} ({signed(g['standing']['bias'])})"
            for g in sorted(biased, key=lambda g: -abs(g["standing"]["bias"]))[:NAMES_SHOWN]
        ]
        more = [_("%(n)s more", n=len(biased) - NAMES_SHOWN)] if len(biased) > NAMES_SHOWN else []
        names = joined(named + more)
        yield paragraph(
            _(
                "The checks rate the calls of %(names)s otherwise than people do, by so many"
                " points. The estimates are corrected for it; the automatic means are not.",
                names=names,
            )
        )


def _name(g: Document, r: Document) -> Cell:
    """A group's name, leading to the report about it alone."""
    note = (
        f"{g['parent']} · {_('left on %(day)s', day=day(g['left_on']))}"
        if g.get("left_on")
        else g["parent"]
    )
    if g["kind"] not in ("department", "team", "agent") or r.get("agent") or g["id"] is None:
        return Cell(g["name"], note=note)
    arguments = {
        "month": r["month"],
        "project": r["project"] or None,
        g["kind"]: g["id"] if g["kind"] == "agent" else g["name"],
    }
    return Cell(note=note, links=((g["name"], "reporting.month", arguments),))


@dataclass(frozen=True)
class Column:
    """A column of a table of groups: its words, what it shows of a group, and whether it does at
    all.
    """

    header: str
    cell: Callable[[Document], Cell]
    is_figure: bool = True
    is_shown: bool = True


def _groups(rows: Sequence[Document], name: str, r: Document) -> Block:
    columns = [c for c in _columns(rows, name, r) if c.is_shown]
    return table(
        name,
        [(c.header, c.is_figure) for c in columns],
        [[c.cell(g) for c in columns] for g in rows],
    )


def _columns(rows: Sequence[Document], name: str, r: Document) -> list[Column]:
    def any_has(part: str) -> bool:
        return any(g.get(part) is not None for g in rows)

    is_agents = bool(rows) and rows[0]["kind"] == "agent"
    has_letters = any(_standing(g).get("apart") not in (None, "", "=") for g in rows)
    return [
        Column(name, lambda g: _name(g, r), is_figure=False),
        Column(_("Calls"), lambda g: numeric_cell(number(g["estimate"]["calls"], 0))),
        Column(_("Scorecards"), lambda g: numeric_cell(number(g["estimate"]["cards"], 0))),
        Column(
            _("Estimate"),
            lambda g: Cell(
                number(g["estimate"]["value"]),
                is_figure=True,
                is_strong=True,
                note=format_interval(g["estimate"]),
            ),
        ),
        Column(
            _("Interval"),
            lambda g: Cell(
                svg=interval(g["estimate"], g["name"]), text=missing_reason(g["estimate"])
            ),
            is_figure=False,
        ),
        Column(
            _("Groups"),
            lambda g: Cell(_standing(g).get("apart", "")),
            is_figure=False,
            is_shown=has_letters,
        ),
        Column(_("Shrunken"), lambda g: _beside(_standing(g).get("shrunken")), is_shown=is_agents),
        Column(_("Target"), _against_target, is_figure=False, is_shown=any_has("target")),
        Column(
            _("Uncorrected"),
            lambda g: _beside((g.get("raw") or {}).get("value")),
            is_shown=any_has("raw"),
        ),
        Column(_("Plain mean of scorecards"), lambda g: _beside(g["estimate"]["human_mean"])),
        Column(_("Automatic mean"), lambda g: _beside(g["estimate"]["automatic_mean"])),
        Column(_("Critical breaches"), _breaches),
        Column(_("Customers’ ratings"), _ratings, is_shown=any_has("satisfaction")),
    ]


def _standing(g: Document) -> Document:
    return g.get("standing") or {}


def _beside(value: float | None) -> Cell:
    return Cell(number(value), is_figure=True, is_quiet=True)


def _against_target(g: Document) -> Cell:
    return Cell(
        f"{number(g['target'])}: {verdict_word(g['verdict'])}"
        if g.get("target") is not None
        else ""
    )


def _breaches(g: Document) -> Cell:
    """The share of all calls that is likely, not that of the scored ones: flagged calls are all
    heard.
    """
    k = g["critical"]
    return Cell(
        percent_finely(k["share"]),
        is_figure=True,
        note=percents(k["low"], k["high"], percent_finely),
    )


def _ratings(g: Document) -> Cell:
    y = g.get("satisfaction")
    return Cell(
        number(y["mean"]) if y else "–", is_figure=True, note=f"({y['count']})" if y else ""
    )


def criteria(r: Document) -> Iterator[Block]:
    if not r["criteria"]:
        return
    yield heading(_("Criteria lost most"))
    title = _("Points lost on an average call, by criterion; dashed: all of them added up")
    yield from chart(
        charts.pareto(
            [(local(c["title"]), c["points_lost"] or 0.0) for c in r["criteria"]],
            title=title,
            number=number,
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
    for c in r["criteria"]:
        lost, kept = c["lost"], c["automatic_agrees"]
        rows.append(
            [
                Cell(local(c["title"])),
                numeric_cell(number(c.get("points_lost"), 2)),
                numeric_cell(f"{lost['count']} / {lost['of']}"),
                Cell(
                    percent(lost["share"]),
                    is_figure=True,
                    note=percents(lost["low"], lost["high"], percent),
                ),
                numeric_cell(str(c["not_applicable"])),
                numeric_cell(str(c["fails"])),
                numeric_cell(f"{kept['count']} / {kept['of']}" if kept["of"] else "–"),
            ]
        )
    yield table(_("Criteria lost most"), head, rows)
