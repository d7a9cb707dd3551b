"""The arithmetic of a scorecard: exact, pure, one function for page, report, export and command
line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from qa.forms.types import NOT_APPLICABLE, Criterion, Form, Section, as_fraction, phrases_in


class AnswersRefused(Exception):
    """Answers that do not fit the form.

    `faults` maps a criterion to what is wrong: missing, unknown_criterion, unknown_option,
    na_not_allowed.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{c}: {p}" for c, p in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True)
class CriterionScore:
    """`share` is the criterion's part of the total after N/A; the shares of the counted ones sum to
    1. Bonus criteria have share 0.
    """

    id: str
    answer: str | None
    points: Fraction | None
    max: Fraction
    share: Fraction
    counted: bool
    is_open: bool
    failed: bool


@dataclass(frozen=True)
class SectionScore:
    id: str
    score: Fraction | None
    weight: Fraction


@dataclass(frozen=True)
class ScoreBreakdown:
    """Scores are 0–100, or None where nothing was applicable ("not assessable")."""

    score: Fraction | None
    score_without_fails: Fraction | None
    critical_score: Fraction | None
    passed: bool | None
    sections: tuple[SectionScore, ...]
    criteria: tuple[CriterionScore, ...]

    def document(self) -> dict[str, object]:
        """The score document of the command-line contract; figures rounded half-up to 2 decimals,
        shares to 6.
        """
        return {
            "score": round_half_up(self.score),
            "score_without_fails": round_half_up(self.score_without_fails),
            "critical_score": round_half_up(self.critical_score),
            "passed": self.passed,
            "sections": [
                {"id": s.id, "score": round_half_up(s.score), "weight": plain(s.weight)}
                for s in self.sections
            ],
            "criteria": [
                {
                    "id": c.id,
                    "points": plain(c.points),
                    "max": plain(c.max),
                    "share": round(float(c.share), 6),
                    "counted": c.counted,
                }
                for c in self.criteria
            ],
        }


@dataclass
class WeightedSum:
    """A weighted mean being built: regular parts above and below, bonus parts above only."""

    numerator: Fraction = Fraction(0)
    denominator: Fraction = Fraction(0)
    bonus_below: Fraction = field(default=Fraction(0))

    def add(self, weight: Fraction, value: Fraction, *, bonus: bool = False) -> None:
        self.numerator += weight * value
        if bonus:
            self.bonus_below += weight
        else:
            self.denominator += weight

    @property
    def value(self) -> Fraction | None:
        return self.numerator / self.denominator if self.denominator else None


def open_criteria(form: Form, answers: Mapping[str, str]) -> dict[str, bool]:
    """For each criterion whether it is shown: a conditional one is, when its driver is open and has
    one of the named answers.
    """
    shown_now: dict[str, bool] = {}
    for c in form.criteria():
        shown_now[c.id] = c.when is None or (
            shown_now[c.when.criterion] and answers.get(c.when.criterion) in c.when.is_
        )
    return shown_now


def faults_in(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """What keeps these answers from being scored, per criterion; empty when nothing does."""
    known = {c.id: c for c in form.criteria()}
    faults = {a: "unknown_criterion" for a in answers if a not in known}
    is_open = open_criteria(form, answers)
    for c in known.values():
        answer = answers.get(c.id)
        if answer is None:
            if is_open[c.id]:
                faults[c.id] = "missing"
        elif answer == NOT_APPLICABLE:
            if not c.na:
                faults[c.id] = "na_not_allowed"
        elif c.option(answer) is None:
            faults[c.id] = "unknown_option"
    return faults


def score(form: Form, answers: Mapping[str, str]) -> ScoreBreakdown:
    """The score of a filled form (design/SCORING.md, part A).

    Raises AnswersRefused, which names every criterion that is missing, unknown, or answered with an
    unknown option.
    """
    faults = faults_in(form, answers)
    if faults:
        raise AnswersRefused(faults)
    return partial_score(form, answers)


def partial_score(form: Form, answers: Mapping[str, str]) -> ScoreBreakdown:
    """The running score of what is answered so far: an open criterion without an answer is left
    out, as if it were not applicable.
    """
    is_open = open_criteria(form, answers)
    counted = {
        c.id: c for c in form.criteria() if is_open[c.id] and _counts(form, c, answers.get(c.id))
    }
    if all(answers[i] == NOT_APPLICABLE for i in counted):
        counted = {}  # full credit for everything would be a score made of nothing
    points = {i: _points(c, answers[i]) for i, c in counted.items()}
    failed = {i: o.fail for i, c in counted.items() if (o := c.option(answers[i])) and o.fail}
    total = _total(form, counted, points, failed)
    shares = _shares(form, counted)
    rows = tuple(
        CriterionScore(
            c.id,
            answers.get(c.id),
            points.get(c.id),
            c.maximum,
            shares.get(c.id, Fraction(0)),
            c.id in counted,
            is_open[c.id],
            c.id in failed,
        )
        for c in form.criteria()
    )
    critical = {i: c for i, c in counted.items() if c.is_critical}
    return ScoreBreakdown(
        score=total,
        score_without_fails=_total(form, counted, points, {}),
        critical_score=_total(form, critical, points, {}),
        passed=None
        if total is None
        else (form.pass_mark is None or total >= as_fraction(form.pass_mark))
        and "form" not in failed.values(),
        sections=tuple(
            SectionScore(s.id, _section(form, s, counted, points, failed), as_fraction(s.weight))
            for s in form.sections
        ),
        criteria=rows,
    )


def script_lines(form: Form, language: str) -> list[str]:
    """The first wording of every step of the form's scripts: what should be said word for word."""
    rules = [r for c in form.criteria() if c.check for r in c.check.with_inner() if r.script]
    steps = [
        phrases_in(step.any, language)
        for r in rules
        for step in (r.script.steps if r.script else ())
    ]
    return [phrases[0] for phrases in steps if phrases]


def round_half_up(value: Fraction | None) -> float | None:
    """Rounded half-up to 2 decimals, as every page and export shows it."""
    if value is None:
        return None
    exact_quotient = Decimal(value.numerator) / Decimal(value.denominator)
    return float(exact_quotient.quantize(Decimal("0.01"), ROUND_HALF_UP))


def plain(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def alignment(points: float, other_points: float, maximum: float) -> Fraction:
    """How near two scorings of one call are: 1 − |a − b| ÷ maximum, 0–1."""
    return 1 - abs(as_fraction(points) - as_fraction(other_points)) / as_fraction(maximum)


def _counts(form: Form, criterion: Criterion, answer: str | None) -> bool:
    if answer == NOT_APPLICABLE:
        return form.na_policy == "full_credit" and not criterion.bonus
    return answer is not None and criterion.option(answer) is not None


def _points(criterion: Criterion, answer: str) -> Fraction:
    option = criterion.option(answer)
    return (
        as_fraction(option.points) if option else criterion.maximum
    )  # not applicable under full credit


def _total(
    form: Form,
    counted: Mapping[str, Criterion],
    points: Mapping[str, Fraction],
    failed: Mapping[str, str],
) -> Fraction | None:
    regular = [i for i, c in counted.items() if not c.bonus]
    if not regular:
        return None
    if "form" in failed.values():
        return Fraction(0)
    mean = WeightedSum()
    for section in form.sections:
        _add_section(form, mean, section, as_fraction(section.weight), counted, points, failed)
    value = mean.value
    if value is None:
        return None
    value = max(Fraction(0), value * 100)
    return min(value, Fraction(100)) if form.cap_at_100 else value


def _section(
    form: Form,
    section: Section,
    counted: Mapping[str, Criterion],
    points: Mapping[str, Fraction],
    failed: Mapping[str, str],
) -> Fraction | None:
    mean = WeightedSum()
    _add_section(form, mean, section, Fraction(1), counted, points, failed)
    return None if mean.value is None else mean.value * 100


def _add_section(
    form: Form,
    mean: WeightedSum,
    section: Section,
    weight: Fraction,
    counted: Mapping[str, Criterion],
    points: Mapping[str, Fraction],
    failed: Mapping[str, str],
) -> None:
    """Add a section to a mean: as one part (weighting: sections) or criterion by criterion
    (weighting: criteria).
    """
    inner = WeightedSum()
    has_failed = any(failed.get(c.id) in ("section", "form") for c in section.criteria)
    for c in section.criteria:
        if c.id in counted:
            part = points[c.id] if form.weighting == "criteria" else points[c.id] / (c.maximum or 1)
            scale = as_fraction(c.weight)
            inner.numerator += scale * part
            if not c.bonus:
                inner.denominator += scale * (c.maximum if form.weighting == "criteria" else 1)
            else:
                inner.bonus_below += scale
    for child in section.sections:
        _add_section(form, inner, child, as_fraction(child.weight), counted, points, failed)
    if has_failed:
        inner.numerator = Fraction(0)
    if form.weighting == "criteria":
        mean.numerator += weight * inner.numerator
        mean.denominator += weight * inner.denominator
    elif inner.denominator:
        mean.add(weight, inner.numerator / inner.denominator)
    elif inner.bonus_below:
        mean.add(weight, inner.numerator / inner.bonus_below, bonus=True)


def _shares(form: Form, counted: Mapping[str, Criterion]) -> dict[str, Fraction]:
    """Each counted criterion's part of the total; they sum to 1."""
    raw: dict[str, Fraction] = {}

    def walk(section: Section, weight: Fraction) -> None:
        regular = [c for c in section.criteria if c.id in counted and not c.bonus]
        children = [
            s
            for s in section.sections
            if any(c.id in counted and not c.bonus for c in s.all_criteria())
        ]
        if form.weighting == "criteria":
            parts = {c.id: weight * as_fraction(c.weight) * c.maximum for c in regular}
            factor = weight
        else:
            below = sum((as_fraction(c.weight) for c in regular), Fraction(0)) + sum(
                (as_fraction(s.weight) for s in children), Fraction(0)
            )
            parts = {c.id: weight * as_fraction(c.weight) / below for c in regular}
            factor = weight / below if below else weight
        raw.update(parts)
        for s in children:
            walk(s, factor * as_fraction(s.weight))

    for section in form.sections:
        if any(c.id in counted and not c.bonus for c in section.all_criteria()):
            walk(section, as_fraction(section.weight))
    whole = sum(raw.values(), Fraction(0))
    return {i: part / whole for i, part in raw.items()} if whole else {}
