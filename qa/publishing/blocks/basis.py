"""Write the basis of the figures: breaches, agreement, ratings, measures, coverage, method."""

from collections.abc import Iterator

from qa.localization import Localizer
from qa.publishing import charts
from qa.publishing.blocks.parts import (
    Block,
    Cell,
    Document,
    chart,
    format_day,
    heading,
    numeric_cell,
    paragraph,
    table,
)
from qa.reporting.types.estimate import Basis, Estimate


def critical(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    critical, coverage = document["whole"]["critical"], document["coverage"]
    if not critical["of"]:
        return
    yield heading(_("Critical breaches"))
    yield paragraph(
        _(
            "%(count)s of %(of)s scored calls. Of all calls probably %(share)s, between %(low)s and"
            " %(high)s.",
            count=critical["count"],
            of=critical["of"],
            share=localizer.fine_percent(critical["share"]),
            low=localizer.fine_percent(critical["low"]),
            high=localizer.fine_percent(critical["high"]),
        )
    )
    months = [month for month in document.get("breaches") or [] if month.get("share") is not None]
    title = _(
        "Calls with a critical breach by month, in percent of all calls, with the interval; dotted:"
        " where a month would lie by chance"
    )
    points = [
        (
            month["month"],
            in_percent(month),
            *in_hundreds(month, "low_limit", "high_limit"),
            month["is_outside"],
        )
        for month in months
    ]
    yield from chart(
        (
            charts.trend(points, title=title, number=localizer.tick)
            if any(month["high_limit"] is not None for month in months)
            else ""
        ),
        title,
    )
    if outside := [localizer.month_name(month["month"]) for month in months if month["is_outside"]]:
        yield paragraph(
            _(
                "Outside the limits, so more than chance: %(months)s.",
                months=localizer.join(outside),
            )
        )
    if coverage.get("flagged"):
        yield paragraph(
            _(
                "The checks flagged %(flagged)s calls; people heard %(heard)s of these and"
                " confirmed %(confirmed)s. A flag counts for nothing until somebody has heard the"
                " call.",
                flagged=localizer.number(coverage["flagged"], 0),
                heard=coverage["heard"],
                confirmed=coverage["confirmed"],
            ),
            quiet=True,
        )


def in_hundreds(month: Document, *keys: str) -> list[float | None]:
    """Turn shares of a month into percents."""
    return [None if month[key] is None else 100 * month[key] for key in keys]


def in_percent(month: Document) -> Estimate:
    """Turn a month's share of calls with a breach into an estimate in percent for the chart."""
    value, low, high = in_hundreds(month, "share", "low", "high")
    return Estimate(Basis.ESTIMATED, 0, 0, value, low, high)


def agreement(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    agreement = document.get("agreement")
    if not agreement or not (agreement["calls"] or agreement["automatic"]["of"]):
        return
    yield heading(_("Agreement"))
    if agreement["alpha"] is not None:
        yield paragraph(
            _(
                "On %(calls)s calls scored by two people the scores agree with α = %(alpha)s"
                " (between %(low)s and %(high)s; 0.8 is firm, 0.67 tentative); %(same)s of the"
                " single answers were the same.",
                calls=agreement["calls"],
                alpha=localizer.number(agreement["alpha"], 2),
                low=localizer.number(agreement["low"], 2),
                high=localizer.number(agreement["high"], 2),
                same=localizer.percent(agreement["same_answers"]),
            )
        )
    elif agreement["calls"]:
        yield paragraph(
            _(
                "%(calls)s calls were scored by two people: too few to say how far the scores"
                " agree.",
                calls=agreement["calls"],
            ),
            quiet=True,
        )
    else:
        yield paragraph(
            _("No call was scored by two people, so nobody can say how far evaluators agree."),
            quiet=True,
        )
    automatic = agreement["automatic"]
    if automatic["of"]:
        yield paragraph(
            _(
                "People kept %(share)s of the automatic answers that were sure (%(count)s of"
                " %(of)s).",
                share=localizer.percent(automatic["share"]),
                count=localizer.number(automatic["count"], 0),
                of=localizer.number(automatic["of"], 0),
            )
        )


def satisfaction(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    satisfaction = document.get("satisfaction")
    if not satisfaction or satisfaction["mean"] is None:
        return
    yield heading(_("Customers’ ratings"))
    if satisfaction["low"] is None:
        yield paragraph(
            _("One customer gave %(mean)s of 100.", mean=localizer.number(satisfaction["mean"]))
        )
        return
    yield paragraph(
        _(
            "%(count)s customers gave %(mean)s of 100 on average, between %(low)s and %(high)s. Who"
            " answers is not drawn by lot: this is what those say who answer.",
            count=localizer.number(satisfaction["count"], 0),
            mean=localizer.number(satisfaction["mean"]),
            low=localizer.number(satisfaction["low"]),
            high=localizer.number(satisfaction["high"]),
        )
    )
    if satisfaction["correlation"] is not None:
        yield paragraph(
            _(
                "With the automatic score of the same calls the ratings go together at r = %(r)s"
                " (between %(low)s and %(high)s).",
                r=localizer.number(satisfaction["correlation"], 2),
                low=localizer.number(satisfaction["correlation_low"], 2),
                high=localizer.number(satisfaction["correlation_high"], 2),
            ),
            quiet=True,
        )
    if between_agents := document.get("between_agents"):
        title = _("Each agent’s estimate and mean rating")
        yield from chart(
            charts.scatter(
                between_agents["points"],
                title=title,
                across=_("Estimate") + " →",
                up="↑ " + _("Customers’ ratings"),
                number=localizer.tick,
            ),
            title,
        )
        yield paragraph(_correlation_sentence(between_agents, localizer))


def _correlation_sentence(between_agents: Document, localizer: Localizer) -> str:
    """Write whether agents with high scores are those with high ratings."""
    _ = localizer.gettext
    figures = {
        "agents": between_agents["agents"],
        "r": localizer.number(between_agents["r"], 2),
        "low": localizer.number(between_agents["low"], 2),
        "high": localizer.number(between_agents["high"], 2),
    }
    if between_agents["low"] > 0:
        return _(
            "Among %(agents)s agents higher quality goes with higher ratings: r = %(r)s"
            " (between %(low)s and %(high)s).",
            **figures,
        )
    if between_agents["high"] < 0:
        return _(
            "Among %(agents)s agents higher quality goes with lower ratings: r = %(r)s (between"
            " %(low)s and %(high)s). Ask whether the form scores what customers need.",
            **figures,
        )
    return _(
        "Among %(agents)s agents quality and ratings cannot be said to go together: r = %(r)s"
        " (between %(low)s and %(high)s).",
        **figures,
    )


def measures(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    measures = document.get("measures") or []
    yield heading(_("Improvement measures"))
    if not measures:
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
        [_measure(measure, localizer) for measure in measures],
    )
    yield paragraph(
        _(
            "Seen since: how the figure moved since the month in which the weak point was found."
            " Other things moved it too; what a training brought by itself stands with the training"
            " plan."
        ),
        quiet=True,
    )


def _measure(measure: Document, localizer: Localizer) -> list[Cell]:
    _ = localizer.gettext
    change = measure["since"]
    states = {
        "proposed": _("proposed"),
        "agreed": _("agreed"),
        "done": _("done"),
        "dropped": _("dropped"),
    }
    state = states[measure["state"]]
    if measure["is_late"]:
        state += " · " + _("overdue")
    change_cells = [numeric_cell("–"), Cell()]
    if change:
        low, high = localizer.signed(change["low"]), localizer.signed(change["high"])
        change_cells = [
            numeric_cell(localizer.signed(change["value"])),
            Cell(f"{low} – {high}", is_figure=True, is_quiet=True),
        ]
    expected = "–"
    if measure["expected"] is not None:
        expected = localizer.signed(measure["expected"])
    return [
        Cell(measure["title"], note=measure["detail"][:120]),
        Cell(measure["name"] or _("All")),
        Cell(measure["owner"] or "–"),
        Cell(format_day(measure["due_on"], localizer)),
        Cell(state, is_strong=measure["is_late"]),
        numeric_cell(expected),
        *change_cells,
    ]


def coverage(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    coverage = document["coverage"]
    yield heading(_("Coverage and sampling"))
    facts = [
        (_("Calls"), coverage["calls"]),
        (_("Checked"), coverage["checked"]),
        (_("Drawn"), coverage["drawn"]),
        (_("Scored"), coverage["scored"]),
        (_("Waiting"), coverage["waiting"]),
        (_("Overdue"), coverage["overdue"]),
        (_("Skipped"), coverage["skipped"]),
        (_("Expired"), coverage.get("expired", 0)),
        (_("Taken out"), coverage.get("withdrawn", 0)),
    ]
    yield Block("facts", facts=tuple((name, localizer.number(count, 0)) for name, count in facts))
    if coverage["drawn"]:
        yield paragraph(
            _(
                "%(share)s of the drawn calls are scored. Skipped and expired ones are missing from"
                " the figures; if they were others than the scored ones, the figures would be off"
                " by that.",
                share=localizer.percent(coverage["scored"] / coverage["drawn"]),
            ),
            quiet=True,
        )


def method(document: Document, localizer: Localizer) -> Iterator[Block]:
    _ = localizer.gettext
    note_texts = {
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
    slope = document["method"]["slope"]
    items = [note_texts.get(note, note) for note in document["notes"]]
    items.append(
        _(
            "The estimate corrects the automatic mean of all calls by what people found on the"
            " drawn ones (difference estimator, one pooled slope%(slope)s).",
            slope=f" {localizer.number(slope, 2)}" if slope is not None else "",
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
    if document.get("corrected"):
        items.append(
            _(
                "Scores are corrected for the severity of their evaluators, as the manager decided;"
                " the uncorrected figure stands beside."
            )
        )
    items.append(_("Time zone %(zone)s.", zone=document["time_zone"]))
    yield heading(_("How to read this"))
    yield Block("list", items=tuple(items))
