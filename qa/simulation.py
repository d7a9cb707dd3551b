"""A simulated centre for trials and benchmarks: agents of differing quality, automatic answers with realistic errors, severe and mild evaluators.

Everything it writes is marked as simulated. There are no recordings: a simulated call has call data, automatic answers and perhaps a scorecard.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from qa.calendar import day_bounds, month_before, month_bounds
from qa.forms import service as forms
from qa.forms.rules import CriterionScore, score, shown
from qa.forms.types import Form
from qa.people import service as people
from qa.people import store as people_store
from qa.people.types import Role
from qa.sampling import service as sampling
from qa.sampling import store as plans
from qa.sampling.types import Phase, PlanRule
from qa.tables.calls import CallRow, Direction
from qa.tables.results import CheckResultRow
from qa.tables.scoring import AnswerRow, AssignmentRow, AssignmentState, ScorecardRow, ScorecardState
from qa.wiring import Wiring

Tick = Callable[[str, int], None]
SENSITIVITY, SPECIFICITY = 0.93, 0.88  # of an automatic answer, for met and for not met
UNSURE = 0.06
CHUNK = 5000
TEAM_SIZE = 12


@dataclass(frozen=True)
class Simulated:
    calls: int
    cards: int
    first_month: str
    last_month: str


@dataclass(frozen=True)
class Centre:
    """The form's automatic criteria with their shares of the score, and each agent's chance to meet each criterion."""

    form: Form
    form_version_id: int
    project_id: int
    agent_ids: list[int]
    evaluator_ids: list[int]
    severity: list[float]
    criteria: list[str]
    shares: Any
    critical: Any
    rates: Any


def simulate_centre(wiring: Wiring, *, agents: int, calls: int, months: int, seed: int, tick: Tick) -> Simulated:
    """Write `calls` calls per agent and month for the `months` full months before this one, draw them, and score what is drawn.

    The same seed gives the same centre. Run once per database; a second run is refused by the agents' codes being taken.
    """
    rng = np.random.default_rng(seed)
    now = wiring.clock()
    last = month_before(now.astimezone(wiring.settings.zone).strftime("%Y-%m"))
    first = month_before(last, months - 1)
    with wiring.database.write() as session:
        centre = _centre(session, rng, agents=agents, seed=seed, at=now)
    total_cards = 0
    for m in reversed(range(months)):
        month = month_before(last, m)
        truth = _month_of_calls(wiring, centre, rng, month=month, calls=calls, tick=tick, left=m * agents)
        total_cards += _draw_and_score(wiring, centre, rng, month=month, truth=truth)
    return Simulated(agents * calls * months, total_cards, first, last)


def _centre(session: Session, rng: np.random.Generator, *, agents: int, seed: int, at: datetime) -> Centre:
    project_id = people_store.ensure_project(session, f"simulated-{seed}", company="Simulated Telecom", is_simulated=True)
    agent_ids = []
    for i in range(agents):
        team = people_store.ensure_team(session, f"Simulated team {i // TEAM_SIZE + 1}", f"Simulated department {i // (4 * TEAM_SIZE) + 1}")
        hired = at.date() - timedelta(days=int(rng.integers(20, 2500)))
        agent_ids.append(people_store.ensure_agent(session, f"sim{seed}-{i:04d}", name=f"Agent {i + 1:03d}", team_id=team, hired_on=hired, is_simulated=True))
    evaluators = max(2, min(12, agents // 8))
    names = {u.username: u.id for u in people_store.users(session)}
    evaluator_ids = []
    for i in range(evaluators):
        name = f"sim{seed}.evaluator{i + 1}"
        if name not in names:
            shown_name = f"Simulated evaluator {i + 1}"
            names[name] = people.add_user(session, username=name, display_name=shown_name, role=Role.EVALUATOR, password=None, at=at).id
        evaluator_ids.append(names[name])
    found = forms.form_for(session, project=f"simulated-{seed}", queue="service", direction="inbound", language="en", duration=200)
    if found is None:
        raise RuntimeError("no published form applies to simulated calls; run `qa init`")
    form_version_id, form = found
    if plans.plan(session, f"simulated-{seed}") is None:
        rule = PlanRule(project=f"simulated-{seed}", quota_per_agent=6, new_hire_factor=2)
        sampling.add_plan(session, code=f"simulated-{seed}", phase=Phase.HUMAN, rule=rule, at=at, seed=f"simulated-{seed}")
    criteria = [c.id for c in form.criteria() if c.check]
    breakdown = score(form, {c.id: c.choices[0].id for c in form.criteria()})
    shares = {c.id: float(c.share) for c in breakdown.criteria}
    base = np.clip(rng.normal(1.9, 0.6, len(criteria)), 1.3, 3.2)
    rates = 1 / (1 + np.exp(-(base + rng.normal(0, 0.45, (agents, 1)) + rng.normal(0, 0.7, (agents, len(criteria))))))
    critical = np.array([form.criterion(c).is_critical for c in criteria])  # type: ignore[union-attr]  # these ids are the form's
    rates[:, critical] = np.clip(rates[:, critical] * 0.05 + 0.945, 0, 0.999)
    severity = [float(s) for s in rng.normal(0, 0.03, evaluators)]
    return Centre(form, form_version_id, project_id, agent_ids, evaluator_ids, severity, criteria, np.array([shares[c] for c in criteria]), critical, rates)


def _month_of_calls(
    wiring: Wiring, centre: Centre, rng: np.random.Generator, *, month: str, calls: int, tick: Tick, left: int
) -> dict[int, tuple[int, Any, Any]]:
    """Insert the month's calls with their automatic scores. For each call id: the agent's place, what is true, what the checks say."""
    begin, end = month_bounds(month, wiring.settings.zone)
    days = [begin.date() + timedelta(days=i) for i in range((end.date() - begin.date()).days)]
    workdays = [d for d in days if d.weekday() < 5]
    with wiring.database.read() as session:
        next_id = (session.scalar(select(func.max(CallRow.id))) or 0) + 1
    received = wiring.clock()
    truth: dict[int, tuple[int, Any, Any]] = {}
    for a, agent_id in enumerate(centre.agent_ids):
        true = rng.random((calls, len(centre.criteria))) < centre.rates[a]
        right = rng.random(true.shape) < np.where(true, SENSITIVITY, SPECIFICITY)
        automatic = np.where(right, true, ~true)
        automatic[:, centre.critical] = true[:, centre.critical] | (rng.random((calls, int(centre.critical.sum()))) > 0.5)
        unsure = rng.random(true.shape) < UNSURE
        low = _scores(automatic & ~unsure, centre)
        high = _scores(automatic | unsure, centre)
        seconds = rng.lognormal(5.3, 0.6, calls)
        moments = zip(rng.integers(0, len(workdays), calls), rng.integers(8 * 3600, 19 * 3600, calls), strict=True)
        started = [_moment(workdays[int(k)], int(s), wiring) for k, s in moments]
        call_rows: list[dict[str, Any]] = []
        check_rows: list[dict[str, Any]] = []
        for i in range(calls):
            call_id = next_id + i
            truth[call_id] = (a, true[i], np.where(unsure[i], -1, automatic[i]))
            call_rows.append(_call_row(call_id, centre, agent_id, started[i], float(seconds[i]), month, received))
            check_rows.append(_check_row(call_id, centre, float(low[i]), float(high[i]), received))
        next_id += calls
        with wiring.database.write() as session:
            for k in range(0, calls, CHUNK):
                session.execute(insert(CallRow), call_rows[k : k + CHUNK])
                session.execute(insert(CheckResultRow), check_rows[k : k + CHUNK])
        tick(f"{month} agent {a + 1}", left + len(centre.agent_ids) - a - 1)
    return truth


def _scores(met: Any, centre: Centre) -> Any:
    """Scores of many calls at once: the form's shares times what is met; a critical breach sets 0."""
    return np.where((~met & centre.critical).any(axis=1), 0.0, 100 * met @ centre.shares)


def _moment(day: date, second: int, wiring: Wiring) -> datetime:
    return (day_bounds(day, wiring.settings.zone)[0] + timedelta(seconds=second)).astimezone(UTC)


def _call_row(call_id: int, centre: Centre, agent_id: int, started: datetime, seconds: float, month: str, received: datetime) -> dict[str, Any]:
    name = f"simulated-{month}-{call_id}"
    return {
        "id": call_id, "external_id": name, "content_sha256": name, "project_id": centre.project_id, "agent_id": agent_id, "queue": "service",
        "direction": Direction.INBOUND, "language": "en", "customer": "", "started_at": started, "duration_seconds": round(seconds, 1), "channels": 2,
        "lost_seconds": 0.0, "source_name": name, "media_type": "", "details": {}, "received_at": received, "is_simulated": True,
    }  # fmt: skip


def _check_row(call_id: int, centre: Centre, low: float, high: float, at: datetime) -> dict[str, Any]:
    figures = {"score": round((low + high) / 2, 2), "low": round(low, 2), "high": round(high, 2)}
    return {"call_id": call_id, "form_version_id": centre.form_version_id, "findings": [], "rules_version": "simulated", "created_at": at, **figures}


def _draw_and_score(wiring: Wiring, centre: Centre, rng: np.random.Generator, *, month: str, truth: dict[int, tuple[int, Any, Any]]) -> int:
    """Draw every working day by the plan, and write a scorecard for each drawn call."""
    begin, end = month_bounds(month, wiring.settings.zone)
    day, cards = begin.date(), 0
    settings = wiring.settings
    while day < end.date():
        with wiring.database.write() as session:
            plan = next(p for p in plans.plans(session) if p.rule.project and p.rule.project.startswith("simulated-") and p.code == p.rule.project)
            made = sampling.draw_day(session, plan=plan, day=day, zone=settings.zone, new_hire_days=settings.new_hire_days, at=wiring.clock())
            drawn_ids = plans.drawn_ids(session, made.id or 0)
            for call in made.calls:
                if call.call_id in truth:
                    drawn_id, true = drawn_ids[call.call_id], truth[call.call_id]
                    _write_card(session, centre, rng, call_id=call.call_id, drawn_id=drawn_id, probability=call.probability, truth=true)
                    cards += 1
        day += timedelta(days=1)
    return cards


def _write_card(
    session: Session, centre: Centre, rng: np.random.Generator, *, call_id: int, drawn_id: int, probability: float, truth: tuple[int, Any, Any]
) -> None:
    agent, true, automatic = truth
    who = int(rng.integers(0, len(centre.evaluator_ids)))
    flips = rng.random(len(true)) < np.where(true, 0.02 + max(0.0, -centre.severity[who]), 0.02 + max(0.0, centre.severity[who]))
    seen = np.where(flips & ~centre.critical, ~true, true)
    answers = {c: "met" if ok else "not_met" for c, ok in zip(centre.criteria, seen, strict=True)}
    answers |= {c.id: c.choices[0].id for c in centre.form.criteria() if c.id not in answers}
    breakdown = score(centre.form, answers)
    call = session.get_one(CallRow, call_id)
    result = session.scalars(select(CheckResultRow).where(CheckResultRow.call_id == call_id)).one()
    words = {1: "met", 0: "not_met", -1: "unsure"}
    verdicts = {c: words[int(v)] for c, v in zip(centre.criteria, automatic, strict=True)}
    sure = {"unsure": 0.5}
    result.findings = [{"criterion": c, "verdict": v, "confidence": sure.get(v, 0.9), "rule": "simulated", "evidence": []} for c, v in verdicts.items()]
    done = call.started_at + timedelta(days=2)
    assignment = AssignmentRow(
        call_id=call_id, form_version_id=centre.form_version_id, drawn_call_id=drawn_id, state=AssignmentState.SUBMITTED,
        evaluator_id=centre.evaluator_ids[who], due_at=done, created_at=call.started_at, finished_at=done,
    )  # fmt: skip
    session.add(assignment)
    session.flush()
    card = ScorecardRow(
        assignment_id=assignment.id, call_id=call_id, agent_id=call.agent_id, project_id=call.project_id, form_version_id=centre.form_version_id,
        evaluator_id=centre.evaluator_ids[who], state=ScorecardState.RELEASED, version=2, notes=[], summary="",
        answers={c: _typed(o, verdicts.get(c)) for c, o in answers.items()},
        score=shown(breakdown.score), score_without_fails=shown(breakdown.score_without_fails), critical_score=shown(breakdown.critical_score),
        passed=breakdown.passed, automatic_score=result.score, probability=probability, started_at=call.started_at,
        opened_at=done, submitted_at=done, released_at=done,
    )  # fmt: skip
    session.add(card)
    session.flush()
    shared = {"scorecard_id": card.id, "agent_id": call.agent_id, "called_at": call.started_at}
    session.execute(insert(AnswerRow), [shared | _counted(p, verdicts.get(p.id, "")) for p in breakdown.criteria])


def _counted(part: CriterionScore, automatic: str) -> dict[str, Any]:
    share = float(part.points / part.max) if part.counted and part.points is not None and part.max else None
    changed = automatic not in ("", "unsure", part.answer)
    row = {"criterion": part.id, "option": part.answer, "failed": part.failed, "share_of_points": share}
    return row | {"automatic": automatic, "was_changed": changed}


def _typed(option: str, automatic: str | None) -> dict[str, Any]:
    return {"option": option, "comment": "simulated" if option == "not_met" else "", "reason": "", "accepted": automatic == option}
