"""Set an installation up: schema, forms, the first plan; and the demo centre. Safe to repeat."""

import contextlib
import secrets
from pathlib import Path

from qa.forms import service as forms
from qa.people import service as people
from qa.people import store as people_store
from qa.sampling import service as sampling
from qa.sampling import store as plans
from qa.sampling.types import PlanRule
from qa.settings import PROJECT_ROOT, Settings
from qa.states import Phase, Role
from qa.tables.migrate import upgrade
from qa.wiring import Wiring

FIRST_PLAN = "monthly-quality"
DEMO_PLAN = "demo"


def initialise(wiring: Wiring) -> None:
    """Schema to the newest migration, the shipped forms published, a first sampling plan.

    What is there stays.
    """
    upgrade(wiring.database)
    secret_key(wiring.settings)  # made before any process could race for it
    at = wiring.clock()
    with wiring.database.write() as session:
        for path in sorted((PROJECT_ROOT / "scoring_forms").glob("*.yaml")):
            # the centre wrote a version of its own under this number: it stays
            with contextlib.suppress(forms.VersionIsPublished):
                forms.publish(session, source=path.read_text(), file=path.name, at=at)
        if not plans.plans(session, only_active=False):
            sampling.add_plan(session, code=FIRST_PLAN, phase=Phase.HUMAN, rule=PlanRule(), at=at)


def secret_key(settings: Settings) -> str:
    """The key that signs tokens: from the settings, else made once and kept, readable by this user
    alone.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # kept from the first start
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


DEMO_PEOPLE = (
    ("evaluator", "Elena Evaluator", Role.EVALUATOR, None, None),
    ("manager", "Marco Manager", Role.QA_MANAGER, None, None),
    ("leader", "Lea Leader", Role.TEAM_LEADER, "Team Thames", None),
    ("trainer", "Tina Trainer", Role.TRAINER, None, None),
    ("agent", "Sarah Miles", Role.AGENT, None, "sarah.miles"),
    ("tom", "Tom Baker", Role.AGENT, None, "tom.baker"),
    ("director", "Dora Director", Role.DIRECTOR, None, None),
    ("admin", "Ada Administrator", Role.ADMINISTRATOR, None, None),
)


def add_demo_people(wiring: Wiring) -> None:
    """One user per role without a password: only the demo's buttons sign them in, and only on
    loopback.
    """
    at = wiring.clock()
    with wiring.database.write() as session:
        known = {u.username for u in people_store.users(session)}
        team_ids = {t.name: t.id for t in people_store.teams(session)}
        for username, name, role, team, agent in DEMO_PEOPLE:
            if username in known:
                continue
            found = people_store.agent_by_code(session, agent) if agent else None
            team_id, agent_id = team_ids.get(team or ""), found[0] if found else None
            if (role is Role.AGENT and agent_id is None) or (
                role is Role.TEAM_LEADER and team_id is None
            ):
                continue
            people.add_user(
                session,
                username=username,
                display_name=name,
                role=role,
                password=None,
                at=at,
                team_id=team_id,
                agent_id=agent_id,
                is_demo=True,
            )


def demo_plan(wiring: Wiring) -> None:
    """A plan for a centre of twelve calls: three in four are drawn, with a seed that everybody
    knows.
    """
    with wiring.database.write() as session:
        if plans.plan(session, DEMO_PLAN) is None:
            plans.change_plan(session, FIRST_PLAN, is_active=False)
            rule = PlanRule(floor_probability=0.75)
            sampling.add_plan(
                session,
                code=DEMO_PLAN,
                phase=Phase.HUMAN,
                rule=rule,
                at=wiring.clock(),
                seed="demo-244",
            )


def demo_recordings() -> Path:
    return PROJECT_ROOT / "audio_samples" / "manifest.csv"
