"""Training in a simulated centre: a trainer reads the list of needs, plans for the commonest topic,
and it helps a little.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from qa.forms.service import vocabulary
from qa.months import Month
from qa.simulation.staff import Staff
from qa.states import TrainingArm, TrainingPlanState
from qa.training import service
from qa.training.types import PlanDraft
from qa.wiring import Wiring

GAIN = 0.8  # log odds on the criteria of the topic, for good
MOST = 10  # in one plan


@dataclass(frozen=True)
class Lesson:
    """A lesson: agents, criterion, and the month from which it shows."""

    agent_ids: frozenset[int]
    criteria: frozenset[str]
    shows_in: str


def train(wiring: Wiring, session: Session, staff: Staff, *, month: Month) -> Lesson | None:
    """Plan a training for the topic that most agents need by the list of a month; None where nobody
    needs any. With many, half of them wait.
    """
    titles, topics = vocabulary(session)
    found = service.need_list(
        session, month=month, zone=wiring.settings.zone, titles=titles, topics=topics
    )
    own = {w.agent_id for w in staff.workers}
    by_topic: dict[str, dict[int, float]] = {}
    for n in found.needs:
        if n.agent_id in own:
            by_topic.setdefault(n.topic, {})[n.agent_id] = n.probability
    if not by_topic:
        return None
    topic, agents = max(by_topic.items(), key=lambda t: (len(t[1]), t[0]))
    chosen = sorted(agents, key=lambda a: -agents[a])[:MOST]
    starts = _day((month.next()).bounds(wiring.settings.zone)[0], 6)
    draft = PlanDraft(
        title=f"Simulated: {topic.replace('_', ' ')}",
        topic=topic,
        month=month,
        starts_on=starts,
        agent_ids=tuple(chosen),
        goal="simulated",
        seats=len(chosen) // 2 if len(chosen) >= 6 else None,
    )
    at = datetime(starts.year, starts.month, starts.day, 9, tzinfo=UTC)
    made = service.make_plan(
        session, draft, by=staff.trainer_id, at=at, seed=f"simulated {month} {topic}"
    )
    present = [m.agent_id for m in made.first]
    service.hold_session(
        session,
        plan_id=made.id,
        held_on=starts,
        minutes=60,
        notes="simulated",
        present=present,
        by=staff.trainer_id,
        at=at,
    )
    for agent_id in present:
        service.finish_member(
            session,
            plan_id=made.id,
            agent_id=agent_id,
            done_on=starts + timedelta(days=7),
            remark="",
            by=staff.trainer_id,
            at=at,
        )
    service.move_plan(
        session,
        plan_id=made.id,
        to=TrainingPlanState.DONE,
        on=starts + timedelta(days=7),
        by=staff.trainer_id,
        at=at + timedelta(days=7),
    )
    learners = frozenset(m.agent_id for m in made.members if m.arm is TrainingArm.FIRST)
    return Lesson(learners, frozenset(c for c, t in topics.items() if t == topic), month.next(2))


def learn(staff: Staff, lessons: list[Lesson], month: Month) -> None:
    """Apply the lessons from their month on."""
    for lesson in lessons:
        if lesson.shows_in == month:
            for w in staff.workers:
                if w.agent_id in lesson.agent_ids:
                    for i, c in enumerate(w.track.criteria):
                        w.odds[i] += GAIN if c.id in lesson.criteria else 0.0


def _day(begin: datetime, day: int) -> date:
    return begin.date() + timedelta(days=day - 1)
