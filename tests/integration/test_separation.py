"""Client projects are strictly separate: who works for one sees no trace of another, on any page,
in any export, by any number in an address.
"""

import re

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from qa.app import create_app
from qa.cases import service as cases
from qa.cases.types import Draft
from qa.intake import store as calls
from qa.months import Month
from qa.people import service as people
from qa.people import store as people_store
from qa.states import CaseKind, Direction, Role
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow
from qa.tables.scoring import AnswerRow, AssignmentRow, ScorecardRow
from qa.training import service as training
from qa.training.types import PlanDraft
from tests.conftest import START, people_of, visits
from tests.integration.test_after_submission import dispute, submitted
from tests.integration.test_words import said

MARK = "SECRETCLIENT"


def hold(wiring, user, *codes):
    with wiring.database.write() as session:
        ids = {code: i for i, code, _ in people_store.project_ids(session)}
        people_store.set_projects(session, user.id, [ids[c] for c in codes])


@pytest.fixture
def two_clients(wiring, cast):
    """Work of every kind for the cast's project, all of it marked, and another project beside it
    with one call.
    """
    with wiring.database.write() as session:
        from qa.tables.people import ProjectRow

        session.get(ProjectRow, cast.project_id).name = f"{MARK} Ltd"
        session.get(AgentRow, cast.agent.agent_id).name = f"{MARK} Sarah"
        people_store.ensure_project(session, "other", company="Other")
        team = people_store.ensure_team(session, "Team Third", "Customer care")
        agent_id = people_store.ensure_agent(
            session, "third.agent", name="Third Agent", team_id=team
        )
        other = people_store.project_id(session, "other")
        facts = {
            "queue": "q",
            "customer": "",
            "duration_seconds": 60,
            "channels": 2,
            "lost_seconds": 0.0,
            "media_type": "audio/wav",
            "details": {},
            "language": "en",
        }
        calls.add_call(
            session,
            external_id="o1",
            content_sha256="f" * 64,
            project_id=other,
            agent_id=agent_id,
            direction=Direction.INBOUND,
            started_at=START,
            source_name="o",
            received_at=START,
            **facts,
        )
    card, form = submitted(wiring, cast)
    dispute(wiring, cast.agent, card, form, reason=f"{MARK} reason")
    said(wiring, cast, f"{MARK} words were spoken")
    with wiring.database.write() as session:
        cases.write(
            session,
            Draft(
                CaseKind.GUIDE, f"{MARK} guide", agent_id=cast.agent.agent_id, call_id=card.call_id
            ),
            by=cast.evaluator,
            at=wiring.clock(),
        )
        plan(session, f"{MARK} plan", cast.agent.agent_id, by=cast.trainer, at=wiring.clock())
    return card


def plan(session, title, *agents, by, at):
    draft = PlanDraft(
        title=title,
        topic="courtesy",
        month=Month("2026-10"),
        starts_on=at.date(),
        goal=f"goal of {title}",
        agent_ids=tuple(agents),
    )
    made = training.make_plan(session, draft, by=by.id, at=at)
    training.hold_session(
        session,
        plan_id=made.id,
        held_on=at.date(),
        minutes=30,
        notes=f"notes of {title}",
        present=list(agents),
        by=by.id,
        at=at,
    )
    return made.id


def pages(app):
    """Every page that is read, with small numbers in its address."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.endpoint not in ("static", "people.sign_in"):
            for n in (1, 2, 3) if "int:" in rule.rule else (1,):
                path = re.sub(r"<int:\w+>", str(n), rule.rule)
                yield (
                    path.replace("<month>", "2026-11")
                    .replace("<kind>", "json" if "export" in path else "guide")
                    .replace("<code>", "monthly-quality")
                )


@pytest.mark.slow
@pytest.mark.parametrize("role", ["evaluator", "team_leader", "qa_manager", "trainer", "director"])
def test_no_page_shows_a_trace_of_another_clients_work(wiring, cast, two_clients, role):
    app = create_app(wiring.settings, wiring=wiring)
    user = cast.by_role()[role]
    open_pages = visits(app, wiring)(user)
    marked = [p for p in pages(app) if MARK in open_pages.get(p).text]
    assert marked, "without being held to a project the role sees the work"
    hold(wiring, user, "other")
    browser = visits(app, wiring)(user)
    for path in [
        *pages(app),
        f"/calls?said={MARK}",
        "/calls?format=csv",
        "/calls?criterion=opening.greeting",
        "/reports/2026-11?project=acme",
        "/team?team=Team+Thames",
        "/reports/2026-11/export.json?project=acme",
    ]:
        answer = browser.get(path)
        text = answer.text.replace(f"said={MARK}", "").replace(f'value="{MARK}"', "")
        assert MARK not in text, path
        assert answer.status_code != 500, path


def test_a_plan_is_seen_by_who_works_for_all_its_agents_and_by_nobody_beside_them_but_its_trainer(
    wiring, cast, two_clients, visit
):
    """An agent who works for two clients may be in a plan that is about the other one."""
    with wiring.database.write() as session:
        third, other = (
            people_store.agent_by_code(session, "third.agent")[0],
            people_store.project_id(session, "other"),
        )
        plan(session, "for the third", third, by=cast.trainer, at=wiring.clock())
        plan(session, "for both", third, cast.agent.agent_id, by=cast.trainer, at=wiring.clock())
    hold(wiring, cast.trainer, "other")
    assert seen(visit, cast.trainer) == {"for the third"}
    with wiring.database.write() as session:
        # Sarah works for both now
        session.execute(
            update(CallRow)
            .where(CallRow.agent_id == third)
            .values(agent_id=cast.agent.agent_id, project_id=other)
        )
        session.execute(
            update(CallRow).where(CallRow.id == two_clients.call_id).values(agent_id=third)
        )
    with wiring.database.write() as session:
        both = plan(session, "about Sarah", cast.agent.agent_id, by=cast.manager, at=wiring.clock())
        plan(session, "my own about Sarah", cast.agent.agent_id, by=cast.trainer, at=wiring.clock())
    assert "about Sarah" not in {t for t in seen(visit, cast.trainer) if not t.startswith("my own")}
    assert "my own about Sarah" in seen(visit, cast.trainer)
    assert visit(cast.trainer).get(f"/training/plans/{both}").status_code == 404


def seen(visit, user):
    """The titles on the page of plans."""
    page = visit(user).get("/training/plans").text
    return {
        title
        for title in (
            f"{MARK} plan",
            "for the third",
            "for both",
            "about Sarah",
            "my own about Sarah",
        )
        if f">{title}<" in page
    }


def test_in_a_session_held_to_a_project_every_query_is_narrowed(either):
    """Counts, joins, subqueries, single rows, updates: nothing of the other project answers."""
    cast = people_of(either)
    card, _ = submitted(either, cast)
    with either.database.write() as session:
        people_store.ensure_project(session, "other", company=None)
    hold(either, cast.manager, "other")
    with either.database.write() as session:
        held = people_store.user(session, cast.manager.id)
        assert held.projects is not None
        people_store.hold_to_projects(session, held)
        assert session.scalar(select(func.count()).select_from(CallRow)) == 0
        assert (
            session.get(CallRow, card.call_id) is None
            and session.get(ScorecardRow, card.id) is None
        )
        assert (
            session.scalars(select(AnswerRow.option)).all() == []
            and session.scalars(select(AssignmentRow)).all() == []
        )
        assert (
            session.scalars(
                select(AgentRow.id).where(AgentRow.id.in_(select(CallRow.agent_id)))
            ).all()
            == []
        )
        assert people_store.projects(session) == [("other", "other")]
        assert session.execute(update(ScorecardRow).values(summary="changed")).rowcount == 0
    with either.database.read() as session:
        assert session.get(ScorecardRow, card.id).summary == ""


def test_who_is_held_to_a_project_does_nothing_that_concerns_the_whole_centre(wiring, cast, visit):
    hold(wiring, cast.manager, "acme")
    manager = visit(cast.manager)
    assert (
        manager.get("/cards").status_code == 200
        and manager.get("/queue/overview").status_code == 200
    )
    for path in ("/import", "/sampling", "/jobs", "/access-log", "/forms/1/try"):
        assert manager.get(path).status_code == 403, path
    assert manager.post("/reports/2026-11/close").status_code == 403


def test_an_administrator_says_who_works_for_which_project(wiring, cast, visit, monkeypatch):
    from qa.cli import main

    admin = visit(cast.administrator)
    admin.post(f"/people/{cast.evaluator.id}/projects", {"project": [cast.project_id, 999]})
    with wiring.database.read() as session:
        assert people_store.user(session, cast.evaluator.id).projects == (cast.project_id,)
    admin.post(f"/people/{cast.evaluator.id}/projects", {"all": "1"})
    with wiring.database.read() as session:
        assert people_store.user(session, cast.evaluator.id).projects is None
    assert (
        admin.post(f"/people/{cast.administrator.id}/projects", {"all": "1"}).status_code == 404
    ), "nobody for themselves"
    monkeypatch.setattr("qa.cli.terminal.load", lambda: wiring.settings)
    run = lambda *words: CliRunner().invoke(main, ["users", "projects", *words])  # noqa: E731
    assert run("elena", "acme").exit_code == 0 and run("elena", "--all").exit_code == 0
    assert (
        "there are: acme" in run("elena", "nonsense").stderr
        and run("nobody", "acme").exit_code == 1
        and run("elena").exit_code == 1
    )


@pytest.mark.slow
def test_a_new_user_of_no_project_sees_nothing_and_nothing_breaks(wiring, cast, two_clients):
    with wiring.database.write() as session:
        user = people.add_user(
            session,
            username="fresh",
            display_name="F",
            role=Role.QA_MANAGER,
            password=None,
            at=wiring.clock(),
        )
        people_store.set_projects(session, user.id, [])
    app = create_app(wiring.settings, wiring=wiring)
    browser = visits(app, wiring)(user)
    for path in pages(app):
        assert browser.get(path).status_code != 500, path
