"""What the figures rest on: critical breaches, agreement, ratings, measures, coverage, how to read
them.
"""

from collections.abc import Iterator

from flask_babel import gettext as _

from qa.reporting import charts
from qa.reporting.types.estimate import Basis, Estimate
from qa.web.report.parts import (
    Block,
    Cell,
    Document,
    axis,
    chart,
    day,
    heading,
    joined,
    month_name,
    number,
    numeric_cell,
    paragraph,
    percent,
    percent_finely,
    signed,
    table,
)


def critical(r: Document) -> Iterator[Block]:
    k, v = r["whole"]["critical"], r["coverage"]
    if not k["of"]:
        return
    yield heading(_("Critical breaches"))
    yield paragraph(
        _(
            "%(count)s of %(of)s scored calls. Of all calls probably %(share)s, between %(low)s and"
            " %(high)s.",
            count=k["count"],
            of=k["of"],
            share=percent_finely(k["share"]),
            low=percent_finely(k["low"]),
            high=percent_finely(k["high"]),
        )
    )
    known = [b for b in r.get("breaches") or [] if b.get("share") is not None]
    title = _(
        "Calls with a critical breach by month, in percent of all calls, with the interval; dotted:"
        " where a month would lie by chance"
    )
    points = [
        (
            b["month"],
            in_percent(b),
            *(None if b[x] is None else 100 * b[x] for x in ("low_limit", "high_limit")),
            b["is_outside"],
        )
        for b in known
    ]
    yield from chart(
        (
            charts.trend(points, title=title, number=axis)
            if any(b["high_limit"] is not None for b in known)
            else ""
        ),
        title,
    )
    if outside := [month_name(b["month"]) for b in known if b["is_outside"]]:
        yield paragraph(
            _("Outside the limits, so more than chance: %(months)s.", months=joined(outside))
        )
    if v.get("flagged"):
        yield paragraph(
            _(
                "The checks flagged %(flagged)s calls; people heard %(heard)s of these and"
                " confirmed %(confirmed)s. A flag counts for nothing until somebody has heard the"
                " call.",
                flagged=number(v["flagged"], 0),
                heard=v["heard"],
                confirmed=v["confirmed"],
            ),
            quiet=True,
        )


def in_percent(b: Document) -> Estimate:
    """A month's share of calls with a breach, as the chart of a trend takes it."""
    value, low, high = (None if b[k] is None else 100 * b[k] for k in ("share", "low", "high"))
    return Estimate(Basis.ESTIMATED, 0, 0, value, low, high)


def agreement(r: Document) -> Iterator[Block]:
    a = r.get("agreement")
    if not a or not (a["calls"] or a["automatic"]["of"]):
        return
    yield heading(_("Agreement"))
    if a["alpha"] is not None:
        yield paragraph(
            _(
                "On %(calls)s calls scored by two people the scores agree with α = %(alpha)s"
                " (between %(low)s and %(high)s; 0.8 is firm, 0.67 tentative); %(same)s of the"
                " single answers were the same.",
                calls=a["calls"],
                alpha=number(a["alpha"], 2),
                low=number(a["low"], 2),
                high=number(a["high"], 2),
                same=percent(a["same_answers"]),
            )
        )
    elif a["calls"]:
        yield paragraph(
            _(
                "%(calls)s calls were scored by two people: too few to say how far the scores"
                " agree.",
                calls=a["calls"],
            ),
            quiet=True,
        )
    else:
        yield paragraph(
            _("No call was scored by two people, so nobody can say how far evaluators agree."),
            quiet=True,
        )
    k = a["automatic"]
    if k["of"]:
        yield paragraph(
            _(
                "People kept %(share)s of the automatic answers that were sure (%(count)s of"
                " %(of)s).",
                share=percent(k["share"]),
                count=number(k["count"], 0),
                of=number(k["of"], 0),
            )
        )


def satisfaction(r: Document) -> Iterator[Block]:
    s = r.get("satisfaction")
    if not s or s["mean"] is None:
        return
    yield heading(_("Customers’ ratings"))
    if s["low"] is None:
        yield paragraph(_("One customer gave %(mean)s of 100.", mean=number(s["mean"])))
        return
    yield paragraph(
        _(
            "%(count)s customers gave %(mean)s of 100 on average, between %(low)s and %(high)s. Who"
            " answers is not drawn by lot: this is what those say who answer.",
            count=number(s["count"], 0),
            mean=number(s["mean"]),
            low=number(s["low"]),
            high=number(s["high"]),
        )
    )
    if s["correlation"] is not None:
        yield paragraph(
            _(
                "With the automatic score of the same calls the ratings go together at r = %(r)s"
                " (between %(low)s and %(high)s).",
                r=number(s["correlation"], 2),
                low=number(s["correlation_low"], 2),
                high=number(s["correlation_high"], 2),
            ),
            quiet=True,
        )
    if b := r.get("between_agents"):
        title = _("Each agent’s estimate and mean rating")
        yield from chart(
            charts.scatter(
                b["points"],
                title=title,
                across=_("Estimate") + " →",
                up="↑ " + _("Customers’ ratings"),
                number=axis,
            ),
            title,
        )
        yield paragraph(_between(b))


def _between(b: Document) -> str:
    """Whether agents whom people score well are those whom customers rate well."""
    figures = {
        "agents": b["agents"],
        "r": number(b["r"], 2),
        "low": number(b["low"], 2),
        "high": number(b["high"], 2),
    }
    if b["low"] > 0:
        return str(
            _(
                "Among %(agents)s agents higher quality goes with higher ratings: r = %(r)s"
                " (between %(low)s and %(high)s).",
                **figures,
            )
        )
    if b["high"] < 0:
        return str(
            _(
                "Among %(agents)s agents higher quality goes with lower ratings: r = %(r)s (between"
                " %(low)s and %(high)s). Ask whether the form scores what customers need.",
                **figures,
            )
        )
    return str(
        _(
            "Among %(agents)s agents quality and ratings cannot be said to go together: r = %(r)s"
            " (between %(low)s and %(high)s).",
            **figures,
        )
    )


def measures(r: Document) -> Iterator[Block]:
    rows = r.get("measures") or []
    yield heading(_("Improvement measures"))
    if not rows:
        yield paragraph(
            _("None agreed so far. Write them down on the targets page, with an owner and a date."),
            quiet=True,
        )
        return
    head = [
        (_("Measure"), False),
        (_("For"), False),
        (_("Owner"), False),
        (_("Due"), False),
        (_("State"), False),
        (_("Expected"), True),
    ]
    yield table(
        _("Improvement measures"),
        [*head, (_("Seen since"), True), (_("Between"), True)],
        [_measure(m) for m in rows],
    )
    yield paragraph(
        _(
            "Seen since: how the figure moved since the month in which the weak point was found."
            " Other things moved it too; what a training brought by itself stands with the training"
            " plan."
        ),
        quiet=True,
    )


def _measure(m: Document) -> list[Cell]:
    c = m["since"]
    states = {
        "proposed": _("proposed"),
        "agreed": _("agreed"),
        "done": _("done"),
        "dropped": _("dropped"),
    }
    state = Cell(
        states[m["state"]] + (f" · {_('overdue')}" if m["is_late"] else ""), is_strong=m["is_late"]
    )
    seen = (
        [
            numeric_cell(signed(c["value"])),
            Cell(f"{signed(c['low'])} – {signed(c['high'])}", is_figure=True, is_quiet=True),
        ]
        if c
        else [numeric_cell("–"), Cell()]
    )
    expected = numeric_cell(signed(m["expected"]) if m["expected"] is not None else "–")
    return [
        Cell(m["title"], note=m["detail"][:120]),
        Cell(m["name"] or _("All")),
        Cell(m["owner"] or "–"),
        Cell(day(m["due_on"])),
        state,
        expected,
        *seen,
    ]


def coverage(r: Document) -> Iterator[Block]:
    v = r["coverage"]
    yield heading(_("Coverage and sampling"))
    facts = [
        (_("Calls"), v["calls"]),
        (_("Checked"), v["checked"]),
        (_("Drawn"), v["drawn"]),
        (_("Scored"), v["scored"]),
        (_("Waiting"), v["waiting"]),
        (_("Overdue"), v["overdue"]),
        (_("Skipped"), v["skipped"]),
        (_("Expired"), v.get("expired", 0)),
        (_("Taken out"), v.get("withdrawn", 0)),
    ]
    yield Block("facts", facts=tuple((k, number(n, 0)) for k, n in facts))
    if v["drawn"]:
        yield paragraph(
            _(
                "%(share)s of the drawn calls are scored. Skipped and expired ones are missing from"
                " the figures; if they were others than the scored ones, the figures would be off"
                " by that.",
                share=percent(v["scored"] / v["drawn"]),
            ),
            quiet=True,
        )


def method(r: Document) -> Iterator[Block]:
    words = {
        "too_few_cards": _(
            "There are too few scorecards to learn how far the automatic scores can be trusted, so"
            " nobody gets a figure yet."
        ),
        "human_only": _(
            "Some scored calls have no automatic score; the figures rest on scorecards alone."
        ),
        "some_unchecked": _(
            "Some scored calls have no automatic score; the automatic mean of their agent stands in"
            " for it."
        ),
        "no_spread": _(
            "All scored calls have the same score; the interval says how many others could have"
            " been missed."
        ),
        "one_evaluator": _(
            "One person scored all calls: how severe they are is in every figure and cannot be told"
            " from quality."
        ),
        "unequal_probabilities": _(
            "Calls were drawn with different probabilities; the estimate weighs each by one over"
            " its probability."
        ),
    }
    slope = r["method"]["slope"]
    items = [words.get(n, n) for n in r["notes"]]
    items.append(
        _(
            "The estimate corrects the automatic mean of all calls by what people found on the"
            " drawn ones (difference estimator, one pooled slope%(slope)s).",
            slope=f" {number(slope, 2)}" if slope is not None else "",
        )
    )
    items.append(
        _(
            "Checks learn from people only up to the month before: no figure was taught by the"
            " cards it is held against."
        )
    )
    items.append(
        _(
            "Shrunken: what an agent’s figure would most likely be in view of all the others. For"
            " deciding where to listen, never for consequences."
        )
    )
    if r.get("corrected"):
        items.append(
            _(
                "Scores are corrected for the severity of their evaluators, as the manager decided;"
                " the uncorrected figure stands beside."
            )
        )
    items.append(_("Time zone %(zone)s.", zone=r["time_zone"]))
    yield heading(_("How to read this"))
    yield Block("list", items=tuple(items))
