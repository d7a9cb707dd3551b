"""Which calls a plan can draw, read the same from either database."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from qa.cases import service as cases
from qa.cases.types import Draft
from qa.months import day_bounds
from qa.people import service as people
from qa.sampling import frame_store
from qa.sampling import service as sampling
from qa.sampling.types import FrameCell, PlanRule, Risk
from qa.states import CaseKind, Phase
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow
from qa.tables.sampling import DrawnCallRow
from tests.conftest import add_call, people_of, words_of


@pytest.fixture
def centre(either):
    """Six calls of Sarah's of a day and one of a new hire's, each different in one thing."""
    cast = people_of(either)
    made = {
        "plain": add_call(either, cast, agent=cast.agent),
        "long": add_call(either, cast, agent=cast.agent, seconds=900),
        "sales": add_call(either, cast, agent=cast.agent, queue="sales", language=None),
        "angry": add_call(
            either,
            cast,
            agent=cast.agent,
            details={"after": {"the call's end": {'reclamo "sì"': "1"}}, "complaint": "yes"},
        ),
        "not angry": add_call(
            either, cast, agent=cast.agent, details={"complaint": "no", "工单": {"编号": "7"}}
        ),
        "flagged": add_call(either, cast, agent=cast.agent),
        "praised": add_call(either, cast, agent=cast.agent),
        "new": add_call(either, cast, agent=cast.stranger),
    }
    with either.database.write() as session:
        session.get(CallRow, made["flagged"]).is_flagged = True
        session.get(AgentRow, cast.stranger.agent_id).hired_on = (
            either.clock() - timedelta(days=10)
        ).date()
        for kind in (CaseKind.PRAISE, CaseKind.COMPLAINT):  # one customer may say both
            cases.write(
                session,
                Draft(
                    kind, "a customer wrote", agent_id=cast.agent.agent_id, call_id=made["praised"]
                ),
                by=cast.manager,
                at=either.clock(),
            )
    add_call(either, cast, agent=cast.agent, started_at=either.clock() - timedelta(days=3))
    return either, cast, made


def frame(centre, **rule):
    """The kinds with the names of their calls, without the agents' ids."""
    wiring, cast, made = centre
    begin, end = day_bounds((wiring.clock() - timedelta(days=1)).date(), wiring.settings.zone)
    with wiring.database.read() as session:
        found = frame_store.frame(
            session,
            PlanRule(**rule),
            begin=begin,
            end=end,
            received_until=wiring.clock(),
            new_hire_days=90,
        )
        names = {session.get(CallRow, i).external_id: name for name, i in made.items()}
    who = {cast.agent.agent_id: "sarah", cast.stranger.agent_id: "paolo"}
    return {
        kind._replace(agent_id=who[kind.agent_id]): {names[x] for x in ids}
        for kind, ids in found.items()
    }


SARAH, PAOLO = FrameCell("sarah"), FrameCell("paolo", is_new_hire=True)


def test_complaints_praise_and_flags_must_be_drawn_and_the_rest_is_alike(centre):
    assert frame(centre) == {
        SARAH: {"plain", "long", "sales", "not angry"},
        SARAH._replace(certainty_reason="complaint"): {"angry", "praised"},
        SARAH._replace(certainty_reason="critical"): {"flagged"},
        PAOLO: {"new"},
    }
    assert frame(centre, take_all=("praise",), verify_critical=False) == {
        SARAH: {"plain", "long", "sales", "not angry", "angry", "flagged"},
        SARAH._replace(certainty_reason="praise"): {"praised"},
        PAOLO: {"new"},
    }


def test_risk_is_length_or_a_field_however_it_is_called(centre):
    nothing = {"take_all": (), "verify_critical": False}

    def risky(**risk):
        return frame(centre, **nothing, risk=Risk(**risk)).get(SARAH._replace(is_risky=True))

    assert risky(min_duration_seconds=900) == {"long"} and risky(min_duration_seconds=901) is None
    assert risky(has="complaint") == {"angry"}, "who says no has no complaint"
    assert risky(has='after.the call\'s end.reclamo "sì"') == {"angry"}
    assert risky(has="工单.编号", min_duration_seconds=900) == {"long", "not angry"}


def test_filters_leave_calls_out(centre):
    def everything(**rule):
        return set().union(*frame(centre, take_all=(), verify_critical=False, **rule).values())

    assert everything(has="complaint") == {"angry"}
    assert everything(only_new_hires=True) == {"new"}
    assert everything(queue="sales") == {"sales"} and everything(min_duration_seconds=100) == {
        "long"
    }
    assert everything(max_duration_seconds=100, language="en") == {
        "plain",
        "angry",
        "not angry",
        "flagged",
        "praised",
        "new",
    }
    assert everything(project="nobody's") == set() and everything(first_day="2027-01-01") == set()


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("queue", {"service", "sales"}),
        ("direction", {"inbound"}),
        ("language", {"en", "?"}),
        ("duration", {"short", "long"}),
    ],
)
def test_strata_are_named_by_what_they_are_made_by(centre, by, parts):
    found = frame(centre, stratify_by=by, take_all=(), verify_critical=False)
    assert {kind.part for kind in found} == parts
    assert sum(map(len, found.values())) == 8


@pytest.mark.parametrize("by", ["", "queue"])
def test_a_draw_is_made_again_the_same_after_somebody_has_corrected_when_an_agent_came(centre, by):
    wiring, cast, _made = centre
    day, zone = (wiring.clock() - timedelta(days=1)).date(), wiring.settings.zone
    for _ in range(6):
        add_call(wiring, cast, agent=cast.stranger)
    with wiring.database.write() as session:
        plan = sampling.add_plan(
            session,
            code="some",
            phase=Phase.HUMAN,
            rule=PlanRule(floor_probability=0.5, stratify_by=by),
            at=wiring.clock(),
            seed="s",
        )
        made = sampling.draw_day(
            session, plan=plan, day=day, zone=zone, new_hire_days=90, at=wiring.clock()
        )
    assert any(":new" in s.name and s.drawn for s in made.strata)
    with wiring.database.write() as session:
        people.change_agent(
            session,
            agent_id=cast.stranger.agent_id,
            team_id=session.get(AgentRow, cast.stranger.agent_id).team_id,
            hired_on=date(2020, 1, 1),
            left_on=None,
            by=cast.administrator.id,
            at=wiring.clock(),
        )
        people.change_agent(
            session,
            agent_id=cast.agent.agent_id,
            team_id=session.get(AgentRow, cast.agent.agent_id).team_id,
            hired_on=day,
            left_on=None,
            by=cast.administrator.id,
            at=wiring.clock(),
        )
    with wiring.database.read() as session:
        recorded, again = sampling.replay(session, draw_id=made.id, zone=zone, new_hire_days=90)
    assert (
        recorded.calls == again.calls
        and recorded.strata == again.strata
        and recorded.frame_sha256 == again.frame_sha256
    )


def test_a_day_without_calls_is_an_empty_frame(either):
    people_of(either)
    begin, end = day_bounds(either.clock().date(), either.settings.zone)
    with either.database.read() as session:
        assert (
            frame_store.frame(
                session,
                PlanRule(),
                begin=begin,
                end=end,
                received_until=either.clock(),
                new_hire_days=90,
            )
            == {}
        )


def test_many_calls_are_read_with_as_many_queries_as_one(wiring, cast):
    from sqlalchemy import event

    count = []
    begin, end = day_bounds((wiring.clock() - timedelta(days=1)).date(), wiring.settings.zone)

    def queries():
        count.clear()
        with wiring.database.read() as session:
            frame_store.frame(
                session,
                PlanRule(),
                begin=begin,
                end=end,
                received_until=wiring.clock(),
                new_hire_days=90,
            )
        return len(count)

    event.listen(wiring.database.engine, "before_cursor_execute", lambda *_: count.append(1))
    add_call(wiring, cast, agent=cast.agent, details={"complaint": "1"})
    few = queries()
    for _ in range(50):
        add_call(wiring, cast, agent=cast.agent, details={"complaint": "1"})
    assert queries() == few <= 7


def test_a_call_that_several_plans_could_have_drawn_is_weighed_by_the_probability_that_any_did(
    either,
):
    """Whichever plan drew first; and a card opened for it is weighed so."""
    cast = people_of(either)
    for queue in ("service", "sales"):
        for _ in range(30):
            add_call(either, cast, agent=cast.agent, queue=queue)
    day, ways = (
        (either.clock() - timedelta(days=1)).date(),
        {"zone": either.settings.zone, "new_hire_days": 0, "at": either.clock()},
    )
    with either.database.write() as session:
        plans = [
            sampling.add_plan(
                session,
                code=code,
                phase=Phase.HUMAN,
                rule=PlanRule(floor_probability=share, **rule),
                at=either.clock(),
                seed=f"s{code}",
            )
            for code, share, rule in (
                ("all-of-it", 0.5, {}),
                ("sales-too", 0.5, {"queue": "sales"}),
                ("other-project", 0.5, {"project": "elsewhere"}),
            )
        ]
        alone = sampling.draw_day(session, plan=plans[0], day=day, **ways)
        assert {c.any_probability for c in rows(session)} == {None}, "nobody else has drawn yet"
        assert sampling.draw_day(session, plan=plans[2], day=day, **ways).calls == ()
        more = sampling.draw_day(session, plan=plans[1], day=day, **ways)
        found = rows(session)
        assert (len(alone.calls), len(more.calls), len(found)) == (30, 15, 45)
        queues = {c.call_id: session.get(CallRow, c.call_id).queue for c in found}
        assert {c.any_probability for c in found if queues[c.call_id] == "service"} == {None}
        assert [c.any_probability for c in found if queues[c.call_id] == "sales"] == pytest.approx(
            [0.75] * sum(q == "sales" for c in found for q in [queues[c.call_id]])
        )
        assert {round(c.probability, 6) for c in found} == {0.5}, "each draw keeps its own"
        for made in (alone, more):
            recorded, again = sampling.replay(
                session, draw_id=made.id, zone=either.settings.zone, new_hire_days=0
            )
            assert recorded.calls == again.calls


def test_a_card_is_weighed_by_the_probability_that_any_plan_drew_its_call(either):
    from qa.tables.scoring import AssignmentRow, ScorecardRow
    from tests.integration.test_life_of_a_card import enqueue, open_card

    cast = people_of(either)
    enqueue(either, cast)
    with either.database.write() as session:
        row = session.get(DrawnCallRow, session.scalars(select(AssignmentRow.drawn_call_id)).one())
        row.probability, row.any_probability = 0.25, 0.4
    card = open_card(either, cast.evaluator)
    with either.database.read() as session:
        assert session.get(ScorecardRow, card.id).probability == 0.4


def rows(session):
    return session.scalars(select(DrawnCallRow).order_by(DrawnCallRow.id)).all()


@pytest.mark.parametrize("stratify_by", ["", "queue"])
def test_a_draw_says_whose_calls_its_strata_are(centre, visit_either, stratify_by):
    wiring, cast, _made = centre
    with wiring.database.write() as session:
        plan = sampling.add_plan(
            session,
            code="named",
            phase=Phase.HUMAN,
            rule=PlanRule(stratify_by=stratify_by),
            at=wiring.clock(),
        )
        day = (wiring.clock() - timedelta(days=1)).date()
        drawn = sampling.draw_day(
            session,
            plan=plan,
            day=day,
            zone=wiring.settings.zone,
            new_hire_days=90,
            at=wiring.clock(),
        )
    manager, part = visit_either(cast.manager), " · service" if stratify_by else ""
    for path in (f"/sampling/draws/{drawn.id}", f"/sampling/plans/named/preview?day={day}"):
        said = words_of(manager.get(path))
        assert f"Paolo Neri · new hire{part}" in said and f"Sarah Miles{part}" in said
        assert "all complaints" in said and "all critical flags" in said and "agent:" not in said


def test_draws_survive_the_way_down_to_the_older_version_and_up_again(centre):
    from qa.tables.migrate import downgrade, upgrade

    wiring, _cast, _made = centre
    day, ways = (
        (wiring.clock() - timedelta(days=1)).date(),
        {"zone": wiring.settings.zone, "new_hire_days": 0, "at": wiring.clock()},
    )
    with wiring.database.write() as session:
        for code in ("one", "two"):
            plan = sampling.add_plan(
                session,
                code=code,
                phase=Phase.HUMAN,
                rule=PlanRule(floor_probability=0.6),
                at=wiring.clock(),
            )
            sampling.draw_day(session, plan=plan, day=day, **ways)
        before = [(r.id, r.call_id, r.probability) for r in rows(session)]
        assert any(r.any_probability for r in rows(session))
    downgrade(wiring.database, "0006")
    upgrade(wiring.database)
    with wiring.database.read() as session:
        assert [(r.id, r.call_id, r.probability) for r in rows(session)] == before
        assert {r.any_probability for r in rows(session)} == {None}, (
            "the older version knew nothing of it"
        )


def test_a_promise_counts_the_calls_that_a_plan_can_draw_of_whom_it_draws(centre):
    """On either database: by a field of the data, with a risk, of new hires only; whoever has
    ceased to be new within the four weeks is not promised.
    """
    wiring, cast, _made = centre

    def promised(**rule):
        with wiring.database.read() as session:
            return sampling.precision(
                session, rule=PlanRule(**rule), new_hire_days=90, at=wiring.clock()
            )

    asked = promised(has="complaint", take_all=(), verify_critical=False)
    assert (asked.agents, asked.calls) == (1, 1)
    risky = promised(
        risk=Risk(min_duration_seconds=900), take_all=(), verify_critical=False, quota_per_agent=2
    )
    assert (risky.agents, risky.calls) == (2, 9) and risky.worth_each < risky.per_agent
    with wiring.database.write() as session:
        session.get(AgentRow, cast.agent.agent_id).hired_on = (
            wiring.clock() - timedelta(days=100)
        ).date()
    new = promised(only_new_hires=True, risk=Risk(min_duration_seconds=900))
    assert (new.agents, new.calls) == (1, 1)
