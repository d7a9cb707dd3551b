"""Compute the score of a filled form: exact and pure, for page, report, export and CLI."""

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
        super().__init__("; ".join(f"{criterion}: {fault}" for criterion, fault in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True)
class CriterionScore:
    """The points of one criterion and its share of the total.

    The shares of the counted criteria sum to 1 after N/A; bonus criteria have share 0.
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
        """Build the score document of the command-line contract.

        Figures are rounded half-up to 2 decimals, shares to 6.
        """
        return {
            "score": round_half_up(self.score),
            "score_without_fails": round_half_up(self.score_without_fails),
            "critical_score": round_half_up(self.critical_score),
            "passed": self.passed,
            "sections": [
                {
                    "id": section.id,
                    "score": round_half_up(section.score),
                    "weight": plain(section.weight),
                }
                for section in self.sections
            ],
            "criteria": [
                {
                    "id": criterion.id,
                    "points": plain(criterion.points),
                    "max": plain(criterion.max),
                    "share": round(float(criterion.share), 6),
                    "counted": criterion.counted,
                }
                for criterion in self.criteria
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
    """Tell for each criterion whether it is shown.

    A conditional one is, when its driver is open and has one of the named answers.
    """
    is_open: dict[str, bool] = {}
    for criterion in form.criteria():
        is_open[criterion.id] = criterion.when is None or (
            is_open[criterion.when.criterion]
            and answers.get(criterion.when.criterion) in criterion.when.is_
        )
    return is_open


def faults_in(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """Find what keeps these answers from being scored, per criterion; empty when nothing does."""
    criteria = {criterion.id: criterion for criterion in form.criteria()}
    faults = {
        criterion_id: "unknown_criterion"
        for criterion_id in answers
        if criterion_id not in criteria
    }
    is_open = open_criteria(form, answers)
    for criterion in criteria.values():
        answer = answers.get(criterion.id)
        if answer is None:
            if is_open[criterion.id]:
                faults[criterion.id] = "missing"
        elif answer == NOT_APPLICABLE:
            if not criterion.na:
                faults[criterion.id] = "na_not_allowed"
        elif criterion.option(answer) is None:
            faults[criterion.id] = "unknown_option"
    return faults


def score(form: Form, answers: Mapping[str, str]) -> ScoreBreakdown:
    """Compute the score of a completely filled form (design/SCORING.md, part A).

    Raises AnswersRefused, which names every criterion that is missing, unknown, or answered with an
    unknown option.
    """
    faults = faults_in(form, answers)
    if faults:
        raise AnswersRefused(faults)
    return partial_score(form, answers)


def partial_score(form: Form, answers: Mapping[str, str]) -> ScoreBreakdown:
    """Compute the running score of what is answered so far.

    An open criterion without an answer is left out, as if it were not applicable.
    """
    is_open = open_criteria(form, answers)
    counted = {
        criterion.id: criterion
        for criterion in form.criteria()
        if is_open[criterion.id] and _counts(form, criterion, answers.get(criterion.id))
    }
    if all(answers[criterion_id] == NOT_APPLICABLE for criterion_id in counted):
        counted = {}  # full credit for everything would be a score made of nothing
    points = {
        criterion_id: _points(criterion, answers[criterion_id])
        for criterion_id, criterion in counted.items()
    }
    failed = {
        criterion_id: option.fail
        for criterion_id, criterion in counted.items()
        if (option := criterion.option(answers[criterion_id])) and option.fail
    }
    total = _total(form, counted, points, failed)
    shares = _shares(form, counted)
    rows = tuple(
        CriterionScore(
            criterion.id,
            answers.get(criterion.id),
            points.get(criterion.id),
            criterion.maximum,
            shares.get(criterion.id, Fraction(0)),
            criterion.id in counted,
            is_open[criterion.id],
            criterion.id in failed,
        )
        for criterion in form.criteria()
    )
    critical = {
        criterion_id: criterion
        for criterion_id, criterion in counted.items()
        if criterion.is_critical
    }
    return ScoreBreakdown(
        score=total,
        score_without_fails=_total(form, counted, points, {}),
        critical_score=_total(form, critical, points, {}),
        passed=None
        if total is None
        else (form.pass_mark is None or total >= as_fraction(form.pass_mark))
        and "form" not in failed.values(),
        sections=tuple(
            SectionScore(
                section.id,
                _section(form, section, counted, points, failed),
                as_fraction(section.weight),
            )
            for section in form.sections
        ),
        criteria=rows,
    )


def script_lines(form: Form, language: str) -> list[str]:
    """List the first wording of every step of the form's scripts."""
    rules = [
        rule
        for criterion in form.criteria()
        if criterion.check
        for rule in criterion.check.with_inner()
        if rule.script
    ]
    steps = [
        phrases_in(step.any, language)
        for rule in rules
        for step in (rule.script.steps if rule.script else ())
    ]
    return [phrases[0] for phrases in steps if phrases]


def round_half_up(value: Fraction | None) -> float | None:
    """Round half-up to 2 decimals, as every page and export shows it."""
    if value is None:
        return None
    exact_quotient = Decimal(value.numerator) / Decimal(value.denominator)
    return float(exact_quotient.quantize(Decimal("0.01"), ROUND_HALF_UP))


def plain(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


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
    regular = [criterion_id for criterion_id, criterion in counted.items() if not criterion.bonus]
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
    """Add a section to a mean, as one part or criterion by criterion (the form's weighting)."""
    inner = WeightedSum()
    has_failed = any(
        failed.get(criterion.id) in ("section", "form") for criterion in section.criteria
    )
    for criterion in section.criteria:
        if criterion.id in counted:
            part = (
                points[criterion.id]
                if form.weighting == "criteria"
                else points[criterion.id] / (criterion.maximum or 1)
            )
            scale = as_fraction(criterion.weight)
            inner.numerator += scale * part
            if not criterion.bonus:
                inner.denominator += scale * (
                    criterion.maximum if form.weighting == "criteria" else 1
                )
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
    """Compute each counted criterion's part of the total; they sum to 1."""
    raw: dict[str, Fraction] = {}

    def walk(section: Section, weight: Fraction) -> None:
        regular = [
            criterion
            for criterion in section.criteria
            if criterion.id in counted and not criterion.bonus
        ]
        children = [
            child
            for child in section.sections
            if any(
                criterion.id in counted and not criterion.bonus
                for criterion in child.all_criteria()
            )
        ]
        if form.weighting == "criteria":
            parts = {
                criterion.id: weight * as_fraction(criterion.weight) * criterion.maximum
                for criterion in regular
            }
            factor = weight
        else:
            below = sum(
                (as_fraction(criterion.weight) for criterion in regular), Fraction(0)
            ) + sum((as_fraction(child.weight) for child in children), Fraction(0))
            parts = {
                criterion.id: weight * as_fraction(criterion.weight) / below
                for criterion in regular
            }
            factor = weight / below if below else weight
        raw.update(parts)
        for child in children:
            walk(child, factor * as_fraction(child.weight))

    for section in form.sections:
        if any(
            criterion.id in counted and not criterion.bonus for criterion in section.all_criteria()
        ):
            walk(section, as_fraction(section.weight))
    whole = sum(raw.values(), Fraction(0))
    return {criterion_id: part / whole for criterion_id, part in raw.items()} if whole else {}
