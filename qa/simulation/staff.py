"""Make the staff of a simulated centre: agents, teams by language, evaluators, forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from qa.forms import service as forms
from qa.forms.types import Criterion, Form
from qa.people import service as people
from qa.people import store as people_store
from qa.sampling import service as sampling
from qa.sampling import store as plans
from qa.sampling.types import PlanRule
from qa.states import Phase, Role

TEAM_SIZE = 12
LANGUAGES = ("en", "it", "en", "zh")  # of one team after the other
QUEUES = {"en": "service", "it": "technical_support", "zh": "hotline"}
PROJECTS = {"en": "Simulated Telecom", "it": "Telecom simulata", "zh": "模拟电信"}
NAMES = {
    "en": (
        "Amy Clark",
        "Ben Howard",
        "Chloe Reed",
        "Daniel Moss",
        "Ella Grant",
        "Finn Walsh",
        "Grace Doyle",
        "Harry Lamb",
        "Isla Ford",
        "Jack Byrne",
        "Kate Nolan",
        "Liam Shaw",
    ),
    "it": (
        "Anna Bruni",
        "Bruno Riva",
        "Carla Fonti",
        "Dario Sala",
        "Elisa Monti",
        "Fabio Serra",
        "Gaia Rota",
        "Ivan Leone",
        "Livia Costa",
        "Marco Villa",
        "Nadia Orsi",
        "Piero Gatti",
    ),
    "zh": (
        "陈静",
        "刘洋",
        "赵磊",
        "孙丽",
        "周强",
        "吴敏",
        "郑浩",
        "冯雪",
        "蒋涛",
        "沈洁",
        "韩冰",
        "杨帆",
    ),
}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """One language's form as arrays over its criteria: weights for the arithmetic of many calls at
    once, and what is special about each.
    """

    language: str
    form: Form
    form_version_id: int
    project_id: int
    criteria: tuple[Criterion, ...]
    section: npt.NDArray[np.intp]
    weight: Floats
    section_weight: Floats
    critical: npt.NDArray[np.bool_]
    automatic: npt.NDArray[np.bool_]  # answered by a check
    not_applicable: Floats  # how often

    def scores(self, met: npt.NDArray[np.bool_], applicable: npt.NDArray[np.bool_]) -> Floats:
        """Compute the scores (0–100) of many calls.

        Sections by their weights over what is applicable; a critical breach sets 0. NaN where
        nothing applies.
        """
        groups = np.eye(len(self.section_weight))[self.section]
        below = (applicable * self.weight) @ groups
        above = (applicable * met * self.weight) @ groups
        share = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        whole = ((below > 0) * self.section_weight).sum(axis=1)
        total = np.divide(
            100 * (share * (below > 0) * self.section_weight).sum(axis=1),
            whole,
            out=np.full(len(whole), np.nan),
            where=whole > 0,
        )
        return np.where((~met & applicable & self.critical).any(axis=1), 0.0, total)


@dataclass
class Worker:
    """An agent: the track, the log odds of each criterion (they drift), and how far checks err."""

    agent_id: int
    name: str
    track: Track
    odds: Floats
    misheard: float


@dataclass(frozen=True)
class Staff:
    tracks: dict[str, Track]
    workers: list[Worker]
    evaluators: list[int]
    severity: list[float]  # more (+) or less (−) of the points seen, as a share
    trainer_id: int
    manager_id: int


def hire(
    session: Session,
    rng: np.random.Generator,
    *,
    agents: int,
    seed: int,
    at: datetime,
    quota: float,
) -> Staff:
    """Create the people, projects, forms and sampling plans of the centre."""
    size = max(3, min(TEAM_SIZE, agents // len(LANGUAGES)))
    tracks = {
        language: _track(session, language, seed)
        for language in sorted(
            {LANGUAGES[(position // size) % len(LANGUAGES)] for position in range(agents)}
        )
    }
    workers: list[Worker] = []
    for position in range(agents):
        number = position // size
        language = LANGUAGES[number % len(LANGUAGES)]
        team = people_store.ensure_team(
            session, f"Simulated team {number + 1}", f"Simulated department {number // 4 + 1}"
        )
        hired = at.date() - timedelta(days=int(rng.integers(20, 2500)))
        names, namesakes = (
            NAMES[language],
            sum(worker.track.language == language for worker in workers),
        )
        name = names[namesakes % len(names)] + (
            f" {namesakes // len(names) + 1}" if namesakes >= len(names) else ""
        )
        agent_id = people_store.ensure_agent(
            session,
            f"sim{seed}-{position:04d}",
            name=name,
            team_id=team,
            hired_on=hired,
            is_simulated=True,
        )
        track = tracks[language]
        odds = 2.5 + rng.normal(0, 0.45) + rng.normal(0, 0.7, len(track.criteria))
        odds[track.critical] = 5.0 + rng.normal(0, 0.5, int(track.critical.sum()))
        workers.append(
            Worker(agent_id, name, track, odds, float(np.clip(rng.normal(0, 0.03), -0.06, 0.1)))
        )
    count = max(2, min(12, agents // 8))
    evaluators = [
        _user(
            session,
            f"sim{seed}.evaluator{position + 1}",
            f"Simulated evaluator {position + 1}",
            Role.EVALUATOR,
            at,
        )
        for position in range(count)
    ]
    severity = [float(value) for value in rng.normal(0, 0.025, count)]
    trainer = _user(session, f"sim{seed}.trainer", "Simulated trainer", Role.TRAINER, at)
    manager = _user(session, f"sim{seed}.manager", "Simulated manager", Role.QA_MANAGER, at)
    for language in tracks:
        code = project_code(seed, language)
        if plans.plan(session, code) is None:
            rule = PlanRule(project=code, quota_per_agent=quota, new_hire_factor=2)
            sampling.add_plan(session, code=code, phase=Phase.HUMAN, rule=rule, at=at, seed=code)
    return Staff(tracks, workers, evaluators, severity, trainer, manager)


def project_code(seed: int, language: str) -> str:
    return f"simulated-{seed}-{language}"


def _user(session: Session, username: str, name: str, role: Role, at: datetime) -> int:
    user_id = {user.username: user.id for user in people_store.users(session)}.get(username)
    return (
        user_id
        if user_id is not None
        else people.add_user(
            session, username=username, display_name=name, role=role, password=None, at=at
        ).id
    )


def _track(session: Session, language: str, seed: int) -> Track:
    code = project_code(seed, language)
    project_id = people_store.ensure_project(
        session, code, company=PROJECTS[language], is_simulated=True
    )
    published = forms.form_for(
        session,
        project=code,
        queue=QUEUES[language],
        direction="inbound",
        language=language,
        duration=200,
    )
    if published is None:
        raise RuntimeError("no published form applies to simulated calls; run `qa init`")
    version_id, form = published
    criteria = tuple(criterion for criterion in form.criteria() if not criterion.bonus)
    sections = [section for section in form.sections if any(True for _ in section.all_criteria())]
    place = {
        criterion.id: position
        for position, section in enumerate(sections)
        for criterion in section.all_criteria()
    }
    return Track(
        language=language,
        form=form,
        form_version_id=version_id,
        project_id=project_id,
        criteria=criteria,
        section=np.array([place[criterion.id] for criterion in criteria]),
        weight=np.array([float(criterion.weight) for criterion in criteria]),
        section_weight=np.array([float(section.weight) for section in sections]),
        critical=np.array([criterion.is_critical for criterion in criteria]),
        automatic=np.array([criterion.check is not None for criterion in criteria]),
        not_applicable=_seldom(criteria),
    )


def _seldom(criteria: Sequence[Criterion]) -> Floats:
    """Estimate how often each criterion does not apply.

    Often where only some calls have the occasion, else hardly ever.
    """
    occasional = (
        "hold",
        "complaint",
        "slip",
        "reply_time",
        "no_contract",
        "closed",
        "assigned",
        "mail",
        "subject",
        "taken",
        "times",
    )
    shares = np.array(
        [0.45 if any(word in c.id for word in occasional) else 0.02 for c in criteria]
    )
    return np.where([c.na and not c.is_critical for c in criteria], shares, 0.0)
