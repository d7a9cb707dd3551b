"""Make the months of a simulated centre one after the other: calls and automatic answers, draws,
scorecards, disputes, training, closing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, insert, select

from qa.checking.types import Verdict
from qa.jobs.periodic import refresh_trend_figures
from qa.months import Month, day_bounds
from qa.sampling import service as sampling
from qa.sampling import store as plans
from qa.simulation.coaching import Lesson, learn, train
from qa.simulation.staff import QUEUES, Staff, Track, Worker, hire, project_code
from qa.simulation.work import VERDICTS, Scorer, Truth
from qa.states import Direction
from qa.tables.calls import CallRow, RatingRow
from qa.tables.results import CheckResultRow, VerdictRow
from qa.wiring import Wiring

Tick = Callable[[str, int], None]
SENSITIVITY, SPECIFICITY = 0.94, 0.90  # of an automatic answer, for met and for not met
UNSURE, NOT_ASKED = 0.06, -2
DRIFT = 0.10  # log odds a month
COMPLAINTS, PRAISE, RATED = 0.004, 0.003, 0.12  # of the calls
CHUNK = 5000


class AlreadySimulated(Exception):
    """A centre of this seed is in the database."""


@dataclass(frozen=True)
class Simulated:
    calls: int
    cards: int
    first_month: Month
    last_month: str


def simulate_centre(
    wiring: Wiring, *, agents: int, calls: int, months: int, seed: int, tick: Tick, quota: float = 6
) -> Simulated:
    """Write `calls` calls per agent and month for the `months` full months before this one, draw
    them, score what is drawn, train who needs it.

    The same seed gives the same centre. Run once per database and seed; a second run is refused by
    the calls being there.
    """
    rng = np.random.default_rng(seed)
    now = wiring.clock()
    last = Month.containing(now, wiring.settings.zone).previous()
    first = last.previous(months - 1)
    with wiring.database.write() as session:
        if (
            session.scalar(
                select(CallRow.id).where(CallRow.external_id.like(f"simulated-{seed}-%")).limit(1)
            )
            is not None
        ):
            raise AlreadySimulated(seed)
        staff = hire(session, rng, agents=agents, seed=seed, at=now, quota=quota)
    total_cards = 0
    lessons: list[Lesson] = []
    for m in reversed(range(months)):
        month = last.previous(m)
        learn(staff, lessons, month)
        truth = _month_of_calls(
            wiring, staff, rng, month=month, calls=calls, seed=seed, tick=tick, left=m * agents
        )
        scorer = Scorer(staff=staff, rng=rng, truth=truth, seed=seed)
        total_cards += _draw_and_score(wiring, scorer, month=month, seed=seed)
        for worker in staff.workers:
            worker.odds += np.where(
                worker.track.critical, 0.0, rng.normal(0.01, DRIFT, len(worker.odds))
            )
        if m:
            with wiring.database.write() as session:
                lesson = train(wiring, session, staff, month=month)
            lessons += [lesson] if lesson else []
    refresh_trend_figures(wiring, most=12 * (1 + len(staff.tracks)))
    return Simulated(agents * calls * months, total_cards, first, last)


def _month_of_calls(
    wiring: Wiring,
    staff: Staff,
    rng: np.random.Generator,
    *,
    month: Month,
    calls: int,
    seed: int,
    tick: Tick,
    left: int,
) -> Truth:
    """Insert the month's calls with their automatic scores,
    and keep in mind what is true of each.
    """
    begin, end = month.bounds(wiring.settings.zone)
    days = [
        begin.date() + timedelta(days=offset) for offset in range((end.date() - begin.date()).days)
    ]
    workdays = [day for day in days if day.weekday() < 5]
    with wiring.database.read() as session:
        first_id = (session.scalar(select(func.max(CallRow.id))) or 0) + 1
    truth = Truth(first_id, calls, [])
    received = wiring.clock()
    for number, worker in enumerate(staff.workers):
        month_of = _Month.of(worker, calls, rng)
        truth.workers.append((month_of.met, month_of.applicable, month_of.automatic))
        moments = zip(
            rng.integers(0, len(workdays), calls),
            rng.integers(8 * 3600, 19 * 3600, calls),
            strict=True,
        )
        started = [_moment(workdays[int(start)], int(second), wiring) for start, second in moments]
        next_id = first_id + number * calls
        with wiring.database.write() as session:
            for start in range(0, calls, CHUNK):
                chunk = range(start, min(start + CHUNK, calls))
                session.execute(
                    insert(CallRow),
                    [
                        _call_row(
                            next_id + offset,
                            worker,
                            started[offset],
                            month_of,
                            offset,
                            f"{seed}-{month}",
                            received,
                        )
                        for offset in chunk
                    ],
                )
                session.execute(
                    insert(CheckResultRow),
                    [
                        _check_row(next_id + offset, worker.track, month_of, offset, received)
                        for offset in chunk
                    ],
                )
                session.execute(
                    insert(VerdictRow),
                    [
                        row
                        for offset in chunk
                        for row in _verdict_rows(next_id + offset, worker.track, month_of, offset)
                    ],
                )
                ratings = [
                    _rating_row(next_id + offset, month_of, offset, received)
                    for offset in chunk
                    if month_of.rated[offset]
                ]
                if ratings:
                    session.execute(insert(RatingRow), ratings)
        tick(f"{month} agent {number + 1}", left + len(staff.workers) - number - 1)
    return truth


@dataclass(frozen=True)
class _Month:
    """An agent's calls of a month as arrays: what is true, what the checks say (1 met, 0 not met,
    −1 unsure, −2 not asked), figures.
    """

    met: npt.NDArray[np.bool_]
    applicable: npt.NDArray[np.bool_]
    automatic: npt.NDArray[np.int8]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]
    seconds: npt.NDArray[np.float64]
    complaint: npt.NDArray[np.bool_]
    praise: npt.NDArray[np.bool_]
    rated: npt.NDArray[np.bool_]
    rating: npt.NDArray[np.intp]

    @classmethod
    def of(cls, worker: Worker, calls: int, rng: np.random.Generator) -> "_Month":
        track = worker.track
        shape = (calls, len(track.criteria))
        ease = rng.normal(0, 0.5, (calls, 1))  # a difficult call is difficult in everything
        met = rng.random(shape) < 1 / (
            1 + np.exp(-(worker.odds + np.where(track.critical, 0, ease)))
        )
        applicable = rng.random(shape) >= track.not_applicable
        right = rng.random(shape) < np.where(met, SENSITIVITY - worker.misheard, SPECIFICITY)
        says_met = np.where(right, met, ~met)
        # of the breaches most are noticed; a false alarm is rare
        says_met = np.where(track.critical, met | (rng.random(shape) < 0.4), says_met)
        says_met &= ~(track.critical & (rng.random(shape) < 0.001))
        unsure = (rng.random(shape) < UNSURE) & ~track.critical
        automatic = np.where(track.automatic, np.where(unsure, -1, says_met), -2).astype(np.int8)
        judged = applicable & track.automatic
        low, high = track.scores((automatic == 1), judged), track.scores((automatic != 0), judged)
        quality = met.mean(axis=1)
        complaint, praise = (
            rng.random(calls) < COMPLAINTS * 4 * (1 - quality),
            rng.random(calls) < PRAISE * quality,
        )
        stars = np.clip(np.round(1 + 4 * quality + rng.normal(0, 0.9, calls)), 1, 5).astype(int)
        flagged = ((automatic == 0) & track.critical & applicable).any(axis=1)
        seconds = rng.lognormal(5.3, 0.6, calls)
        return cls(
            met,
            applicable,
            automatic,
            low,
            high,
            flagged,
            seconds,
            complaint,
            praise & ~complaint,
            rng.random(calls) < RATED,
            stars,
        )


def _moment(day: date, second: int, wiring: Wiring) -> datetime:
    return (day_bounds(day, wiring.settings.zone)[0] + timedelta(seconds=second)).astimezone(UTC)


def _middle(low: float, high: float) -> float | None:
    return None if np.isnan(low) or np.isnan(high) else round((low + high) / 2, 2)


def _call_row(
    call_id: int,
    worker: Worker,
    started: datetime,
    month: _Month,
    position: int,
    name: str,
    received: datetime,
) -> dict[str, Any]:
    code = f"simulated-{name}-{call_id}"
    details = {"praise": "true"} if month.praise[position] else {}
    if month.complaint[position]:
        details = {"complaint": "true"}
    return {
        "id": call_id,
        "external_id": code,
        "content_sha256": code,
        "project_id": worker.track.project_id,
        "agent_id": worker.agent_id,
        "queue": QUEUES[worker.track.language],
        "direction": Direction.INBOUND,
        "language": worker.track.language,
        "customer": "",
        "started_at": started,
        "duration_seconds": round(float(month.seconds[position]), 1),
        "channels": 2,
        "lost_seconds": 0.0,
        "source_name": code,
        "media_type": "",
        "details": details,
        "received_at": received,
        "is_simulated": True,
        "automatic_score": _middle(float(month.low[position]), float(month.high[position])),
        "is_flagged": bool(month.flagged[position]),
    }


def _check_row(
    call_id: int, track: Track, month: _Month, position: int, at: datetime
) -> dict[str, Any]:
    low, high = (
        None if np.isnan(values[position]) else round(float(values[position]), 2)
        for values in (month.low, month.high)
    )
    figures = {
        "score": _middle(float(month.low[position]), float(month.high[position])),
        "low": low,
        "high": high,
    }
    return {
        "call_id": call_id,
        "form_version_id": track.form_version_id,
        "findings": [],
        "rules_version": "simulated",
        "created_at": at,
        **figures,
    }


def _verdict_rows(call_id: int, track: Track, month: _Month, position: int) -> list[dict[str, Any]]:
    answers = zip(
        track.criteria,
        month.automatic[position].tolist(),
        month.applicable[position].tolist(),
        strict=True,
    )
    verdicts = {
        criterion.id: VERDICTS[verdict] if is_asked else Verdict.NOT_APPLICABLE
        for criterion, verdict, is_asked in answers
        if verdict != NOT_ASKED
    }
    return [
        {"call_id": call_id, "criterion": criterion, "verdict": verdict.value}
        for criterion, verdict in verdicts.items()
    ]


def _rating_row(call_id: int, month: _Month, position: int, at: datetime) -> dict[str, Any]:
    stars = int(month.rating[position])
    return {
        "call_id": call_id,
        "value": (stars - 1) * 25.0,
        "given": f"{stars}/5",
        "source": "simulated",
        "received_at": at,
    }


def _draw_and_score(wiring: Wiring, scorer: Scorer, *, month: Month, seed: int) -> int:
    """Draw every day by the plans, and write what people made of the drawn calls."""
    begin, end = month.bounds(wiring.settings.zone)
    day, cards = begin.date(), 0
    settings = wiring.settings
    while day < end.date():
        with wiring.database.write() as session:
            for language in scorer.staff.tracks:
                plan = plans.plan(session, project_code(seed, language))
                assert plan is not None  # made with the staff
                drawn = sampling.draw_day(
                    session,
                    plan=plan,
                    day=day,
                    zone=settings.zone,
                    new_hire_days=settings.new_hire_days,
                    at=wiring.clock(),
                )
                drawn_ids = plans.drawn_ids(session, drawn.id or 0)
                for call in drawn.calls:
                    if scorer.truth.knows(call.call_id):
                        scorer.score(
                            session,
                            call_id=call.call_id,
                            drawn_id=drawn_ids[call.call_id],
                            probability=call.probability,
                        )
                        cards += 1
            scorer.flush(session)
        day += timedelta(days=1)
    return cards
