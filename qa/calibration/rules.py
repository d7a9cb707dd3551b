"""Figures of a calibration session: agreement, and each rater's distance to it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from qa.calibration.types import CalibrationSession, Item, RaterAnswers, RaterReport, SessionReport
from qa.forms.rules import partial_score
from qa.forms.types import NOT_APPLICABLE, Criterion, Form, as_fraction
from qa.statistics.agreement import Table, ac1, alpha, icc, mean_kappa, percent, with_interval

UNUSUAL_NA = 0.15  # more than this share above the session's mean
AUTOMATIC = None


def report(
    session: CalibrationSession, form: Form, fillings: Sequence[RaterAnswers]
) -> SessionReport:
    """Compute the figures of a session.

    The automatic checks stand beside the people and never enter the people's agreement.
    """
    people = [m.user_id for m in session.members]
    by = {(f.rater_id, f.call_id): f for f in fillings}
    calls = [c.call_id for c in session.calls]
    agreed = {
        c.call_id: agreed_or_unanimous(
            c.agreed, [by[p, c.call_id] for p in people if (p, c.call_id) in by]
        )
        for c in session.calls
    }
    items = tuple(_item(c, calls, people, by, agreed) for c in form.criteria())
    table = [
        [_option(by, p, call, c.id) for p in people] for c in form.criteria() for call in calls
    ]
    scores = [[by[p, call].score for p in people if (p, call) in by] for call in calls]
    complete = [row for row in scores if len(row) == len(people) and None not in row]
    na = _na_share([f for f in fillings if f.rater_id is not AUTOMATIC])
    raters: list[tuple[int | None, str]] = [(m.user_id, m.name) for m in session.members]
    raters += [(AUTOMATIC, "")] if any(f.rater_id is AUTOMATIC for f in fillings) else []
    return SessionReport(
        items=items,
        raters=tuple(
            _rater(r, name, form, [f for f in fillings if f.rater_id == r], agreed, na)
            for r, name in raters
        ),
        overall=with_interval(table, alpha),
        pairs=percent(table),
        # no None is left
        scores=icc(complete) if len(people) > 1 else None,  # type: ignore[arg-type]
        unresolved=sum(i.unresolved for i in items),
    )


def agreed_or_unanimous(
    agreed: Mapping[str, str], fillings: Sequence[RaterAnswers]
) -> dict[str, str]:
    """Complete the agreed answers of a call with those that everybody gave.

    Where people differ and wrote nothing down, the criterion stays unresolved.
    """
    answers = dict(agreed)
    for criterion in {c for filling in fillings for c in filling.options} - set(answers):
        options = {filling.options.get(criterion) for filling in fillings}
        if len(options) == 1 and len(fillings) > 1:
            answers[criterion] = str(options.pop())
    return answers


def order_of(criterion: Criterion) -> list[str]:
    """Order the options of a criterion from fewest points to most."""
    return [o.id for o in sorted(criterion.choices, key=lambda o: as_fraction(o.points))]


def _item(
    criterion: Criterion,
    calls: Sequence[int],
    people: Sequence[int],
    by: Mapping[tuple[int | None, int], RaterAnswers],
    agreed: Mapping[int, Mapping[str, str]],
) -> Item:
    table: Table = [[_option(by, p, call, criterion.id) for p in people] for call in calls]
    spread = Counter(str(v) for row in table for v in row if v is not None)
    unresolved = sum(
        len({v for v in row if v is not None}) > 1 and criterion.id not in agreed[call]
        for row, call in zip(table, calls, strict=True)
    )
    choices = [*order_of(criterion), *([NOT_APPLICABLE] if criterion.na else [])]
    kappa = mean_kappa(table, order_of(criterion))
    return Item(
        criterion.id,
        dict(spread),
        percent(table),
        with_interval(table, alpha),
        ac1(table, choices),
        kappa,
        unresolved,
    )


def _option(
    by: Mapping[tuple[int | None, int], RaterAnswers],
    rater: int | None,
    call_id: int,
    criterion: str,
) -> str | None:
    filling = by.get((rater, call_id))
    return filling.options.get(criterion) if filling else None


def _rater(
    rater_id: int | None,
    name: str,
    form: Form,
    fillings: Sequence[RaterAnswers],
    agreed: Mapping[int, Mapping[str, str]],
    session_na: float | None,
) -> RaterReport:
    answers = [(f.call_id, c, o) for f in fillings for c, o in f.options.items()]
    differing = [agreed[call].get(c) != o for call, c, o in answers]
    distances = [
        f.score - agreed_score
        for f in fillings
        if f.score is not None
        and (agreed_score := _agreed_score(form, agreed[f.call_id])) is not None
    ]
    na = _na_share(fillings)
    return RaterReport(
        rater_id=rater_id,
        name=name,
        answers=len(answers),
        differing=sum(differing) / len(differing) if differing else None,
        score_distance=sum(map(abs, distances)) / len(distances) if distances else None,
        severity=sum(distances) / len(distances) if distances else None,
        na_share=na,
        is_na_unusual=na is not None and session_na is not None and na > session_na + UNUSUAL_NA,
    )


def _agreed_score(form: Form, agreed: Mapping[str, str]) -> float | None:
    """Score the agreed answers; None while criteria that apply are unresolved."""
    options = {c: o for c, o in agreed.items() if form.criterion(c) is not None}
    breakdown = partial_score(form, options)
    if (
        any(part.is_open and part.answer is None for part in breakdown.criteria)
        or breakdown.score is None
    ):
        return None
    return float(breakdown.score)


def _na_share(fillings: Sequence[RaterAnswers]) -> float | None:
    options = [o for f in fillings for o in f.options.values()]
    return sum(o == NOT_APPLICABLE for o in options) / len(options) if options else None
