"""What comes of scored calls: targets, measures, fairness, training plans and their effect,
scheduled reports, ratings, seeds; on a simulated centre.
"""

import io
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from qa.fairness import service as fairness
from qa.forms.service import vocabulary
from qa.months import Month
from qa.people import store as people
from qa.reporting import service as reporting
from qa.reporting import store as figures
from qa.reporting.types.scope import About, Scope
from qa.simulation import AlreadySimulated, simulate_centre
from qa.states import Indicator, ScopeKind, TrainingPlanState
from qa.tables.calls import CallRow
from qa.tables.scoring import AnswerRow
from qa.targets import service as targets
from qa.targets.types import TargetDraft
from qa.training import service as training
from qa.training import store as plans
from qa.training.types import PlanDraft
from tests.conftest import Clock, add_call, build_anew, people_of, visits

MONTH = Month("2026-10")


def quiet(step, left):
    pass


@pytest.fixture(scope="module")
def centre(simulate):
    """24 agents in three languages, four months, with plans that the simulated trainer made."""
    return simulate(agents=24, calls=100, months=4, seed=5)


def month_report(wiring, month=MONTH, **scope):
    with wiring.database.read() as session:
        titles, _ = vocabulary(session)
        return reporting.month_report(
            session,
            month=month,
            zone=wiring.settings.zone,
            minimum=3,
            titles=titles,
            at=wiring.clock(),
            about=About(**scope),
        )


# the simulated centre itself


def test_a_simulated_centre_is_marked_wherever_it_shows_and_is_made_once(centre):
    wiring, cast, app = centre
    browser = visits(app, wiring)(cast.manager)
    with wiring.database.read() as session:
        card = plans.evidence(
            session,
            [(a, c) for a in range(1, 99) for c in ("opening.greeting", "closing.farewell")],
            begin=wiring.clock() - timedelta(days=99),
            end=wiring.clock(),
        )
    one = next(iter(card.values()))[0]
    for path in (
        f"/reports/{MONTH}",
        "/team?team=Simulated+team+1",
        "/calls",
        f"/calls/{one.call_id}",
        f"/cards/{one.card_id}",
    ):
        assert "simulated data" in browser.get(path).text, path
    with pytest.raises(AlreadySimulated):
        simulate_centre(wiring, agents=2, calls=5, months=1, seed=5, tick=quiet)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_centre_also_where_a_lot_decides_who_learns_first(tmp_path):
    from qa.settings import Settings
    from qa.tables.scoring import ScorecardRow

    def simulated(name):
        wiring = build_anew(Settings(data_dir=tmp_path / name), Clock())
        simulate_centre(wiring, agents=24, calls=40, months=3, seed=5, tick=quiet)
        with wiring.database.read() as session:
            lots = [[(m.agent, m.arm) for m in p.members] for p in plans.plans(session)]
            return lots, session.execute(
                select(ScorecardRow.call_id, ScorecardRow.score).order_by(ScorecardRow.id)
            ).all()

    (lots, cards), again = simulated("a"), simulated("b")
    assert (lots, cards) == again and cards
    assert any(len({arm for _, arm in members}) == 2 for members in lots), "there was a lot"


def test_simulated_calls_are_conversations_in_three_languages_with_evidence(centre):
    from sqlalchemy import select

    from qa.checking.types import Finding
    from qa.tables.results import CheckResultRow, TranscriptRow

    wiring, _, _ = centre
    with wiring.database.read() as session:
        rows = session.execute(
            select(TranscriptRow.language, TranscriptRow.document, CheckResultRow.findings).join(
                CheckResultRow, CheckResultRow.call_id == TranscriptRow.call_id
            )
        ).all()
    assert {language for language, _, _ in rows} == {"en", "it", "zh"}
    for _, document, findings in rows[:50]:
        assert document["engine"]["name"] == "simulated"
        for f in map(Finding.from_document, findings):
            for e in f.evidence:
                assert document["utterances"][e.utterance]["text"] == e.text


# the report


def test_an_agent_has_the_same_figure_in_the_whole_report_and_in_the_teams(centre):
    wiring, _, _ = centre
    whole = {a.id: a.estimate for a in month_report(wiring).agents}
    own = month_report(wiring, team="Simulated team 1").agents
    assert own and all(whole[a.id] == a.estimate for a in own)


def test_the_points_lost_and_the_fails_add_up_to_what_is_missing(centre):
    """100 − weighted mean of the cards = points lost on the criteria + what critical fails cost."""
    wiring, _, _ = centre
    made = month_report(wiring)
    with wiring.database.read() as session:
        cards = figures.scored_calls(session, Scope(*MONTH.bounds(wiring.settings.zone)))
    weight = sum(1 / c.probability for c in cards)
    mean = sum(c.human / c.probability for c in cards) / weight
    assert sum(c.points_lost for c in made.criteria) + made.fails_cost == pytest.approx(
        100 - mean, abs=0.05
    )


def test_the_trend_has_the_months_before_with_limits_and_what_moved_has_calls_to_hear(centre):
    made = month_report(centre[0])
    assert [t.month for t in made.trend] == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert all(t.low_limit is not None for t in made.trend)
    assert made.change is not None and made.change.low < made.change.value < made.change.high
    assert any(c.examples for c in made.criteria)
    assert all(
        c.moved is None or c.moved.low <= c.moved.value <= c.moved.high for c in made.criteria
    )


@pytest.mark.parametrize("language", ["en", "it", "zh"])
def test_paper_has_the_figures_of_the_page_in_every_language(centre, language):
    from qa.publishing.files import report_files

    wiring, _, app = centre
    made = report_files(
        wiring, month=MONTH, about=About(), language=language, formats=["pdf", "json"]
    )
    pdf, document = (
        next(c for n, c in made.items() if n.endswith(kind)) for kind in (".pdf", ".json")
    )
    assert pdf.startswith(b"%PDF") and b"pdfuaid" in pdf
    assert len(pdf) > 20_000 and json.loads(document)["month"] == MONTH


def test_the_boards_report_names_no_agent_and_the_leaders_only_their_own(centre):
    wiring, cast, app = centre
    names = {a.name for a in month_report(wiring).agents}
    board = visits(app, wiring)(cast.director).get(f"/reports/{MONTH}").text
    assert not any(n in board for n in names)
    assert any(n in visits(app, wiring)(cast.manager).get(f"/reports/{MONTH}").text for n in names)


@pytest.mark.parametrize(
    "path",
    [
        "/reports/2026-03",
        "/fairness/2020-01",
        "/training/2020-01",
        "/reports/2020-01?audience=board",
        "/targets",
        "/training/plans",
        "/reports/scheduled",
    ],
)
def test_pages_without_data_say_so_in_a_sentence(wiring, cast, visit, path):
    page = visit(cast.manager).get(path)
    assert page.status_code == 200
    assert not [w for w in (">None<", ">nan<", "None %", "nan %") if w in page.text]


def test_one_evaluator_is_said_to_be_one(wiring, cast, clock):
    from qa.reporting.rules.estimates import report_notes
    from qa.reporting.types.estimate import ScoredCall

    assert "one_evaluator" in report_notes([ScoredCall(1, 80, 80, 0.1, evaluator_id=3)] * 5, None)


# targets and measures


def test_a_target_is_set_met_or_not_and_ended_and_bad_ones_are_refused(centre):
    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    good = {
        "indicator": "quality",
        "value": "5",
        "first_month": "2026-09",
        "last_month": "",
        "scope": "whole",
        "criterion": "",
    }
    assert manager.post("/targets", good).status_code == 302
    assert manager.post("/targets", good | {"value": "99.5"}).status_code == 302
    assert (
        manager.post("/targets", good | {"indicator": "critical", "value": "0,1"}).status_code
        == 302
    )
    for bad in (
        {"value": "101"},
        {"value": "much"},
        {"first_month": "soon"},
        {"last_month": "2026-01"},
        {"scope": "team:"},
        {"criterion": "opening.greeting"},
        {"indicator": "luck"},
    ):
        assert manager.post("/targets", good | bad).status_code == 422, bad
    verdicts = [t.verdict.value for t in month_report(wiring).targets]
    assert sorted(verdicts) == ["met", "not_met", "not_met"]
    assert month_report(wiring).target == 99.5, "the newest of equally specific ones"
    page = manager.get("/targets").text
    assert "cannot be told" in page or "not met" in page
    low, high, critical = sorted(t.id for t in month_report(wiring).targets)
    manager.post(f"/targets/{high}/end", {"last_month": "2026-09"})
    assert month_report(wiring).target == 5
    for target in (low, critical):
        manager.post(f"/targets/{target}/end", {"last_month": "2026-09"})


def test_a_teams_report_is_held_against_the_teams_own_target(centre):
    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    with wiring.database.read() as session:
        team = next(t for t in people.teams(session) if t.name == "Simulated team 1")
    august = {"indicator": "quality", "first_month": "2026-08", "last_month": "2026-08"}
    manager.post("/targets", august | {"value": "50", "scope": "whole"})
    manager.post("/targets", august | {"value": "60", "scope": f"team:{team.id}"})
    own, whole = (
        month_report(wiring, Month("2026-08"), team=team.name),
        month_report(wiring, Month("2026-08")),
    )
    assert (own.target, whole.target) == (60, 50)
    assert [t.scope for t in own.targets] == ["team"], (
        "the whole centre's target is not this team's"
    )
    assert {a.target for a in whole.agents} == {50, 60}


def test_a_measure_is_proposed_agreed_and_done_with_what_came_of_it(centre):
    wiring, cast, app = centre
    trainer, manager = visits(app, wiring)(cast.trainer), visits(app, wiring)(cast.manager)
    assert (
        trainer.post(
            "/measures",
            {
                "title": "Sharpen the guide",
                "month": "2026-09",
                "scope": "whole",
                "expected": "2",
                "agree": "1",
            },
        ).status_code
        == 302
    )
    measure = month_report(wiring).actions[0]
    assert measure.state == "proposed", "a trainer proposes, whatever the button"
    assert measure.since is not None and measure.since.low < measure.since.high
    assert (
        manager.post("/measures", {"title": " ", "month": "2026-09", "scope": "whole"}).status_code
        == 422
    )
    assert (
        manager.post(
            "/measures", {"title": "x", "month": "2026-09", "scope": "whole", "agree": "1"}
        ).status_code
        == 422
    ), "nobody owns it"
    manager.post(f"/measures/{measure.id}", {"to": "agreed"})
    assert month_report(wiring).actions[0].state == "proposed", "nobody owns it yet"
    manager.post(
        f"/measures/{measure.id}",
        {"to": "agreed", "owner": str(cast.trainer.id), "due_on": "2026-10-01"},
    )
    assert month_report(wiring).actions[0].is_late
    manager.post(f"/measures/{measure.id}", {"to": "done"})
    assert month_report(wiring).actions[0].state == "agreed", "what came of it is missing"
    manager.post(f"/measures/{measure.id}", {"to": "done", "result": "fewer misses"})
    assert month_report(wiring).actions[0].state == "done"
    manager.post(f"/measures/{measure.id}", {"to": "dropped", "result": "too late"})
    assert month_report(wiring).actions[0].state == "done"
    assert trainer.post(f"/measures/{measure.id}", {"to": "dropped"}).status_code == 403


# fairness


def test_severity_is_found_shown_and_corrected_only_when_the_manager_says_so(centre):
    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    with wiring.database.read() as session:
        model = fairness.severities(session, month=MONTH, zone=wiring.settings.zone)
    assert model.doubles > 5 and sum(model.points().values()) == pytest.approx(0, abs=1e-6)
    page = manager.get(f"/fairness/{MONTH}").text
    assert "Simulated evaluator 1" in page and "Correct reports for severity" in page
    before = month_report(wiring)
    manager.post("/fairness/correction", {"on": "1", "month": MONTH})
    after = month_report(wiring)
    assert after.corrected and after.whole.raw.value == pytest.approx(before.whole.estimate.value)
    assert any(
        abs(a.estimate.value - a.raw.value) > 0.01
        for a in after.agents
        if a.raw and a.estimate.value is not None
    )
    assert "corrected for the severity" in manager.get(f"/reports/{MONTH}").text
    manager.post("/fairness/correction", {"on": "0", "month": MONTH})
    assert not month_report(wiring).corrected
    assert (
        visits(app, wiring)(cast.evaluator).post("/fairness/correction", {"on": "1"}).status_code
        == 403
    )


def test_the_fairness_page_takes_the_same_number_of_queries_for_any_number_of_cards(
    centre, wiring, cast, visit
):
    from sqlalchemy import event

    def count(engine, get):
        seen = []
        event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        get()
        return len(seen)

    big, big_cast, app = centre
    many = count(
        big.database.engine, lambda: visits(app, big)(big_cast.manager).get(f"/fairness/{MONTH}")
    )
    assert many <= 60


def test_checks_are_compared_by_language_line_shift_and_queue():
    from qa.fairness.rules import checks, line_of, shift_of_day

    found = {
        (c.kind, c.value): c
        for c in checks(
            {"language": {"en": (1000, 930, 50), "it": (1000, 920, 50), "zh": (1000, 700, 50)}}
        )
    }
    assert found["language", "zh"].is_sure and found["language", "zh"].kept == 0.7
    even = checks({"shift": {"morning": (500, 450, 0), "night": (20, 17, 0)}})
    assert not any(c.is_sure for c in even)
    assert [shift_of_day(h) for h in (3, 9, 13, 20)] == ["night", "morning", "afternoon", "evening"]
    assert (line_of(-18, -50), line_of(-18, -40), line_of(-18, -30), line_of(None, None)) == (
        "good",
        "middling",
        "poor",
        "",
    )


def test_criteria_that_tell_nothing_are_named():
    from qa.fairness.rules import items

    cards = range(40)
    answers = {
        "always": dict.fromkeys(cards, 1.0),
        "never": {c: 1.0 if c == 0 else None for c in cards},
        "a": {c: float(c % 3 > 0) for c in cards},
        "twin": {c: float(c % 3 > 0) for c in cards},
        "b": {c: float(c % 2) for c in cards},
    }
    found = {i.criterion: i.faults for i in items(answers, (), {})}
    assert found == {
        "always": ("ceiling",),
        "never": ("seldom_applies",),
        "twin": ("redundant:a",),
        "a": (),
        "b": (),
    }


# training


def test_a_plan_with_fewer_seats_than_agents_draws_by_lot_who_goes_first(centre):
    wiring, cast, app = centre
    trainer = visits(app, wiring)(cast.trainer)
    with wiring.database.read() as session:
        ids = [
            a.agent_id
            for a in figures.agents(session, Scope(*MONTH.bounds(wiring.settings.zone)))
            if a.is_simulated
        ][:6]
    page = trainer.get(f"/training/plans/new?month={MONTH}").text
    assert "Seats" in page
    given = {
        "title": "Opening",
        "topic": "courtesy",
        "month": MONTH,
        "starts_on": "2026-11-12",
        "agent": [str(i) for i in ids],
        "seats": "3",
    }
    made = trainer.post("/training/plans/new", given)
    assert made.status_code == 302
    plan_id = int(made.location.rsplit("/", 1)[1])
    with wiring.database.read() as session:
        plan = plans.plans(session, plan_id=plan_id)[0]
    assert len(plan.first) == 3 and len(plan.members) == 6 and plan.seed
    from qa.training.rules import draw_lots

    assert {m.agent_id: m.arm for m in plan.members} == draw_lots(sorted(ids), 3, seed=plan.seed), (
        "anybody can draw the lot again"
    )
    assert "too early to tell" in trainer.get(f"/training/plans/{plan_id}").text
    for bad in ({"title": " "}, {"agent": []}, {"starts_on": "x"}, {"seats": "0"}):
        assert trainer.post("/training/plans/new", given | bad).status_code == 422, bad
    present = [str(m.agent_id) for m in plan.first]
    trainer.post(
        f"/training/plans/{plan_id}/sessions",
        {"held_on": "2026-11-12", "minutes": "45", "notes": "went well", "present": present},
    )
    trainer.post(f"/training/plans/{plan_id}/members/{present[0]}", {"remark": "got it"})
    page = trainer.get(f"/training/plans/{plan_id}").text
    assert "went well" in page and "got it" in page and "running" in page
    trainer.post(f"/training/plans/{plan_id}/move", {"to": "done"})
    trainer.post(f"/training/plans/{plan_id}/move", {"to": "running"})
    with wiring.database.read() as session:
        assert plans.plans(session, plan_id=plan_id)[0].state is TrainingPlanState.DONE, (
            "what is done does not run again"
        )
    assert visits(app, wiring)(cast.evaluator).get("/training/plans").status_code == 403
    assert visits(app, wiring)(cast.agent).get(f"/training/plans/{plan_id}").status_code == 404, (
        "not a member"
    )


def test_the_agent_sees_goal_and_own_calls_and_marks_them_studied(wiring, cast, visit, clock):
    calls = [add_call(wiring, cast, agent=who) for who in (cast.agent, cast.stranger)]
    with wiring.database.write() as session:
        draft = PlanDraft(
            title="Closing",
            topic="closing",
            month=Month("2026-10"),
            starts_on=date(2026, 11, 12),
            agent_ids=(cast.agent.agent_id,),
            goal="name the next step",
            call_ids=tuple(calls),
        )
        plan = training.make_plan(session, draft, by=cast.trainer.id, at=clock())
    browser = visit(cast.agent)
    assert "Closing" in browser.get("/my-training").text
    page = browser.get(f"/training/plans/{plan.id}").text
    assert "name the next step" in page and "Did it help" not in page
    assert f"/calls/{calls[0]}/studied" in page and f"/calls/{calls[1]}/studied" not in page, (
        "another agent's call is not theirs to open"
    )
    assert browser.post(f"/training/plans/{plan.id}/calls/{calls[0]}/studied").status_code == 302
    assert (
        visit(cast.stranger).post(f"/training/plans/{plan.id}/calls/{calls[0]}/studied").status_code
        == 404
    )
    assert "studied" in browser.get(f"/training/plans/{plan.id}").text
    assert "A training is planned for you" in browser.get("/notices").text


def test_the_proof_of_a_training_names_its_design_and_says_what_cannot_be_told(centre):
    wiring, _, _ = centre
    with wiring.database.read() as session:
        _, topics = vocabulary(session)
        found = plans.plans(session)
        proofs = [
            training.proof(
                session,
                p,
                criteria=[c for c, t in topics.items() if t == p.topic],
                last_month=MONTH,
                zone=wiring.settings.zone,
            )
            for p in found
            if p.title.startswith("Simulated")
        ]
    assert proofs
    for p in proofs:
        assert (p.effect is None) == (p.outcome.value in ("too_early", "too_few"))
        if p.effect:
            assert p.effect.low <= p.effect.value <= p.effect.high and p.months


def test_acting_needs_nine_cards_and_one_month_is_only_watched(centre):
    wiring, _, _ = centre
    with wiring.database.read() as session:
        titles, topics = vocabulary(session)
        found = training.need_list(
            session, month=MONTH, zone=wiring.settings.zone, titles=titles, topics=topics
        )
        first = training.need_list(
            session, month=Month("2026-07"), zone=wiring.settings.zone, titles=titles, topics=topics
        )
    assert all(n.rate < n.target for n in found.needs), "nobody is listed for what others do"
    assert found.needs and all(
        round(n.effective_cards) >= 9 for n in found.needs if n.urgency.value == "act"
    )
    assert not [n for n in first.needs if n.urgency.value == "act" and n.effective_cards < 8.5]
    assert found.document()["needs"] and all(len(g.agents) >= 2 for g in found.groups)


GREETING = AnswerRow.criterion == "opening.greeting"


def needs_in(session, wiring, month=MONTH):
    titles, topics = vocabulary(session)
    found = training.need_list(
        session, month=month, zone=wiring.settings.zone, titles=titles, topics=topics
    )
    return {(n.agent_id, n.criterion): n for n in found.needs}


def test_calls_that_were_drawn_more_readily_count_less_in_needs_targets_and_shares(centre):
    """Complaints and risky calls are heard more often; nobody is weak because of that."""
    wiring, cast, _ = centre
    with wiring.database.read() as session:
        month = {
            "month": MONTH,
            "zone": wiring.settings.zone,
            "minimum": 3,
            "titles": vocabulary(session)[0],
            "at": wiring.clock(),
        }
        targets.set_target(
            session,
            TargetDraft(
                Indicator.CRITERION, ScopeKind.WHOLE, None, 0.95, MONTH, MONTH, "opening.greeting"
            ),
            by=cast.manager.id,
            at=wiring.clock(),
        )

        def looked_at():
            report = reporting.month_report(session, **month)
            line = next(c for c in report.criteria if c.criterion == "opening.greeting")
            target = next(t for t in report.targets if t.criterion == "opening.greeting")
            return (
                line.lost,
                target,
                [n for (_, c), n in needs_in(session, wiring).items() if c == "opening.greeting"],
            )

        session.execute(update(AnswerRow).where(GREETING).values(weight=1.0))
        lost, target, needs = looked_at()
        assert (
            lost.share == pytest.approx(lost.count / lost.of)
            and target.verdict.value == "not_met"
            and needs
        )
        assert all(n.effective_cards == n.cards and n.target == 0.95 for n in needs), (
            "drawn alike, cards are worth their number"
        )
        session.execute(
            update(AnswerRow).where(GREETING, AnswerRow.share_of_points == 1).values(weight=60.0)
        )
        fairer, target, fewer = looked_at()
        assert (
            (fairer.count, fairer.of) == (lost.count, lost.of)
            and fairer.share < 0.05
            and target.value == pytest.approx(1 - fairer.share)
        )
        assert target.verdict.value == "met" and len(fewer) < len(needs)
        session.execute(update(AnswerRow).where(GREETING).values(weight=None))
        nothing, target, none = looked_at()
        assert (nothing.share, target.verdict.value, none) == (None, "no_figure", []), (
            "calls that nobody drew stand for no others"
        )


def test_a_need_is_held_against_the_target_that_is_set_for_the_agent(centre):
    wiring, cast, _ = centre
    with wiring.database.read() as session:
        before = needs_in(session, wiring)
        by_criterion = {}
        for n in before.values():
            by_criterion.setdefault(n.criterion, []).append(n)
        *_surer, other, need = next(rows for rows in by_criterion.values() if len(rows) > 1)
        agent, criterion = need.agent_id, need.criterion
        draft = TargetDraft(
            Indicator.CRITERION, ScopeKind.AGENT, agent, 0.98, MONTH, MONTH, criterion
        )
        targets.set_target(session, draft, by=cast.manager.id, at=wiring.clock())
        after = needs_in(session, wiring)
        assert (need.target, after[agent, criterion].target) == (0.8, 0.98) and after[
            agent, criterion
        ].probability > need.probability
        assert after[other.agent_id, criterion].probability == pytest.approx(other.probability), (
            "nobody else is held against it"
        )
        assert after[agent, criterion].document()["target"] == 0.98
        assert {n.target for n in needs_in(session, wiring, Month("2026-09")).values()} == {0.8}, (
            "nor is another month"
        )


def test_the_effect_of_a_training_is_seen_on_what_cards_stand_for(centre):
    wiring, _, _ = centre
    begin, end = MONTH.bounds(wiring.settings.zone)
    with wiring.database.read() as session:
        session.execute(update(AnswerRow).where(GREETING).values(weight=1.0))
        plain = plans.mean_points_kept(session, ["opening.greeting"], begin=begin, end=end)
        session.execute(
            update(AnswerRow).where(GREETING, AnswerRow.share_of_points == 1).values(weight=60.0)
        )
        weighted = plans.mean_points_kept(session, ["opening.greeting"], begin=begin, end=end)
    some = {a for a, kept in plain.items() if 0 < kept < 100}
    assert (
        some
        and all(weighted[a] > plain[a] for a in some)
        and all(weighted[a] == plain[a] for a in plain.keys() - some)
    )


# scheduled reports


@pytest.mark.parametrize(
    ("each", "least"), [("agent", 24), ("department", 1), ("project", 3), ("", 1)]
)
def test_a_schedule_makes_one_report_of_each(centre, each, least):
    from qa.publishing import delivery, store
    from qa.states import RunState

    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    given = {
        "name": f"One of each {each or 'all'}",
        "day": "2",
        "audience": "manager",
        "formats": ["json"],
        "language": "en",
        "each": each,
        "recipients": "",
    }
    assert manager.post("/reports/scheduled", given).status_code == 302
    assert delivery.publish(wiring) == 1
    with wiring.database.write() as session:
        run = next(r for r in store.runs(session) if r.name == given["name"])
        store.set_active(session, run.schedule_id, is_active=False)
    made = sorted(p.name for p in run.folder(wiring.settings.data_dir).iterdir())
    assert run.state is RunState.DONE and run.total == len(made) >= least, made


def test_a_scheduled_report_is_made_mailed_and_goes_on_where_it_was_cut(centre, monkeypatch):
    from qa.publishing import delivery, store
    from qa.states import RunState

    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    given = {
        "name": "Teams",
        "day": "3",
        "audience": "leader",
        "formats": ["pdf", "json"],
        "language": "it",
        "each": "team",
        "recipients": "boss@example.org",
    }
    for bad in (
        {"name": " "},
        {"day": "31"},
        {"formats": []},
        {"each": "floor"},
        {"recipients": "nobody"},
    ):
        assert manager.post("/reports/scheduled", given | bad).status_code == 422, bad
    assert manager.post("/reports/scheduled", given).status_code == 302
    assert manager.post("/reports/scheduled", given).status_code == 422, "the name is taken"
    real, made = delivery.files.report_files, []

    def breaks_once(wiring, **kwargs):
        made.append(kwargs["about"].team)
        if len(made) == 3:
            raise OSError("the disk is full")
        return real(wiring, **kwargs)

    monkeypatch.setattr(delivery.files, "report_files", breaks_once)
    assert delivery.publish(wiring) == 0
    with wiring.database.read() as session:
        run = store.runs(session)[0]
    assert run.state is RunState.FAILED and "disk is full" in run.error and len(run.made) == 2
    with wiring.database.write() as session:
        store.update_run(session, run.id, state=RunState.WAITING)
    assert delivery.publish(wiring) == 1
    with wiring.database.read() as session:
        teams = len(people.teams(session))
        run = store.runs(session)[0]
    assert run.state is RunState.DONE and len(run.made) == teams == run.total
    assert len(made) == teams + 1, "what was ready was not made again"
    assert delivery.publish(wiring) == 0, "once a month"
    mails = list(wiring.settings.outbox.glob("report-*.eml"))
    assert (
        len(mails) == 1
        and mails[0].read_bytes().count(b"Content-Disposition: attachment") == 2 * teams
    )
    page = manager.get(f"/reports/scheduled/{run.id}").text
    assert ".pdf" in page
    name = next(p.name for p in run.folder(wiring.settings.data_dir).glob("*.pdf"))
    assert manager.get(f"/reports/scheduled/{run.id}/{name}").data.startswith(b"%PDF")
    for path in ("../../earshot.db", ".hidden", "none.pdf"):
        assert manager.get(f"/reports/scheduled/{run.id}/{path}").status_code == 404
    assert manager.post("/reports/scheduled/1/run", {"month": "soon"}).status_code == 302
    assert "report “Teams”" in manager.get("/notices").text


def test_a_report_is_due_from_its_day_on_and_for_the_month_before():
    from dataclasses import replace

    from qa.publishing.rules import due_month
    from qa.publishing.types import Schedule
    from qa.states import Audience

    s = Schedule(1, "x", 3, "", "", Audience.MANAGER, ("pdf",), "en", (), True, 1)
    assert due_month(s, date(2026, 11, 2)) is None
    assert due_month(s, date(2026, 11, 3)) == due_month(s, date(2026, 11, 28)) == "2026-10"
    assert due_month(s, date(2027, 1, 5)) == "2026-12"
    assert due_month(replace(s, is_active=False), date(2026, 11, 3)) is None


def test_figures_for_trends_are_computed_once_and_refreshed_by_the_day(wiring, cast, clock):
    from qa.jobs.periodic import refresh_trend_figures

    add_call(wiring, cast, agent=cast.agent)
    assert refresh_trend_figures(wiring, most=9) >= 2, "the month, for all and for its project"
    assert refresh_trend_figures(wiring, most=9) == 0
    clock.move(days=2)
    assert refresh_trend_figures(wiring, most=9) >= 2
    month = Month.of(clock().astimezone(wiring.settings.zone))
    with wiring.database.read() as session:
        assert (
            figures.figures(session, months=[month, month.previous()], project="")[month][1]
            == clock()
        )


# ratings


def test_ratings_are_put_beside_their_calls_on_one_scale_and_bad_rows_are_named(
    wiring, cast, visit, tmp_path
):
    from qa.intake import store as calls
    from qa.intake.rules import rating

    call_id = add_call(wiring, cast, agent=cast.agent)
    with wiring.database.read() as session:
        name = calls.call(session, call_id).external_id
    assert (rating("4"), rating("10", "0-10"), rating("0", "0-100"), rating("3,5", "1–5")) == (
        75,
        100,
        0,
        62.5,
    )
    assert [
        rating(v, s)
        for v, s in (("9", "1-5"), ("good", None), ("1", "5-1"), ("nan", "1-5"), (None, None))
    ] == [None] * 5
    rows = f"external_id,rating,scale\n{name},4,1-5\nnone,3,1-5\n{name},nine,1-5\n"
    admin = visit(cast.administrator)
    admin.post(
        "/import/ratings",
        {"ratings": (io.BytesIO(rows.encode()), "sms.csv"), "source": "sms"},
        content_type="multipart/form-data",
    )
    page = admin.get("/import").text
    assert "1 ratings taken in, 2 refused" in page
    with wiring.database.read() as session:
        assert calls.rating_of(session, call_id) == (75.0, "4 of 1-5", "sms")
    assert "4 of 1-5, sms" in visit(cast.manager).get(f"/calls/{call_id}").text
    admin.post(
        "/import/ratings",
        {"ratings": (io.BytesIO(b"\xff\xfe\x00"), "x.csv")},
        content_type="multipart/form-data",
    )
    assert "cannot be read" in admin.get("/import").text


# sampling


def test_complaints_are_drawn_whole_also_when_they_come_late_and_the_draw_is_replayed(
    wiring, cast, clock
):
    from qa.cases import service as cases
    from qa.cases.types import Draft
    from qa.sampling import service
    from qa.sampling import store as draws
    from qa.states import CaseKind

    day = (clock() - timedelta(days=1)).date()
    angry = add_call(wiring, cast, agent=cast.agent, details={"complaint": "true"})
    for _ in range(5):
        add_call(wiring, cast, agent=cast.agent)
    late = add_call(wiring, cast, agent=cast.stranger, started_at=clock() - timedelta(days=3))
    with wiring.database.write() as session:
        kwargs = {
            "plan": draws.plans(session)[0],
            "zone": wiring.settings.zone,
            "new_hire_days": 90,
        }
        service.draw_day(
            session, day=day - timedelta(days=2), at=clock() - timedelta(days=2, hours=12), **kwargs
        )
        cases.write(
            session,
            Draft(CaseKind.COMPLAINT, "cut off", agent_id=cast.stranger.agent_id, call_id=late),
            by=cast.evaluator,
            at=clock() - timedelta(days=1),
        )
        made = service.draw_day(session, day=day, at=clock(), **kwargs)
    must = {
        c.call_id: (c.stratum, c.probability, c.reason)
        for c in made.calls
        if c.stratum == "all:complaint"
    }
    assert must == {
        angry: ("all:complaint", 1.0, "complaint"),
        late: ("all:complaint", 1.0, "complaint"),
    }
    with wiring.database.read() as session:
        recorded, again = service.replay(
            session, draw_id=made.id, zone=wiring.settings.zone, new_hire_days=90
        )
    assert recorded.calls == again.calls and recorded.frame_sha256 == again.frame_sha256


def test_a_seed_is_committed_to_before_the_month_and_told_after_it(wiring, cast, visit, clock):
    from qa.jobs.periodic import run_housekeeping
    from qa.sampling import service, store
    from qa.sampling.rules import commitment

    run_housekeeping(wiring)
    run_housekeeping(wiring)
    with wiring.database.read() as session:
        found = {
            c.month: c for c in service.commitments(session, zone=wiring.settings.zone, at=clock())
        }
        secret = store.plans(session)[0].seed
    assert set(found) == {"2026-11", "2026-12"} and all(c.seed is None for c in found.values())
    page = visit(cast.manager).get("/sampling").text
    assert found["2026-11"].sha256 in page and secret not in page
    assert "seed committed to" in visit(cast.manager).get("/access-log").text
    clock.move(days=30)
    with wiring.database.read() as session:
        told = {
            c.month: c for c in service.commitments(session, zone=wiring.settings.zone, at=clock())
        }
    assert commitment(told["2026-11"].seed) == found["2026-11"].sha256
    assert told["2026-12"].seed is None


def test_a_plan_says_what_it_would_give_before_it_is_kept(centre):
    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    given = {
        "code": "wide",
        "phase": "human",
        "quota_per_agent": "6",
        "new_hire_factor": "2",
        "floor_probability": "0.004",
        "allocation": "spread",
        "floor_per_agent": "2",
        "min_duration_seconds": "0",
        "risk_share": "0",
        "stratify_by": "queue",
        "factors": "service=2",
        "look": "1",
    }
    clock = wiring.clock
    clock.now, before = clock.now - timedelta(days=12), clock.now
    try:
        page = manager.post("/sampling/plans", given)
        assert page.status_code == 200 and "would be known to ±" in page.text
        more = manager.post("/sampling/plans", given | {"quota_per_agent": "24"}).text
        with wiring.database.read() as session:
            longest = session.scalars(
                select(CallRow.duration_seconds)
                .order_by(CallRow.duration_seconds.desc())
                .limit(1)
                .offset(900)
            ).one()
        even = {"factors": "", "stratify_by": ""}
        risky = manager.post(
            "/sampling/plans",
            given | even | {"risk_share": "0.6", "risk_seconds": f"{longest:.0f}"},
        ).text
        plain = manager.post("/sampling/plans", given | even).text
    finally:
        clock.now = before

    def half(text):
        return float(text.split("known to ±")[1].split(" ")[0])

    assert half(more) < half(page.text)
    assert (
        half(risky) > 1.05 * half(plain)
        and "drawn more readily than others" in risky
        and "drawn more readily" not in plain
    )
    assert manager.post("/sampling/plans", given | {"factors": "service"}).status_code == 422
    with wiring.database.read() as session:
        from qa.sampling import store

        assert store.plan(session, "wide") is None, "looking keeps nothing"


def test_a_kept_report_is_used_until_anything_it_rests_on_changes(wiring, cast, clock):
    from qa.result_cache import store as kept
    from qa.states import Indicator, ScopeKind
    from qa.targets import service as targets
    from qa.targets.types import TargetDraft

    call_id = add_call(wiring, cast, agent=cast.agent)

    def ask(keep=True):
        with wiring.database.read() as session:
            found, made = reporting.cached_report(
                session,
                month=Month("2026-11"),
                zone=wiring.settings.zone,
                minimum=3,
                titles={},
                at=clock(),
            )
        if made is not None and keep:
            with wiring.database.write() as session:
                reporting.save_figure(session, report=made, at=clock())
                kept.save(session, found.new)
        return found.document, made is not None

    assert ask()[1] and not ask()[1]
    add_call(wiring, cast, agent=cast.stranger)
    document, is_anew = ask()
    assert is_anew and document["coverage"]["calls"] == 2
    assert not ask()[1]
    with wiring.database.write() as session:
        from qa.checking import store as checks
        from qa.checking.types import Findings

        checks.save_result(
            session,
            call_id=call_id,
            form_version_id=2,
            findings=Findings("", 0, (), 70.0, 90.0, "x"),
            is_flagged=True,
            at=clock(),
        )
    document, is_anew = ask()
    assert is_anew and document["coverage"]["flagged"] == 1 and document["coverage"]["checked"] == 1
    with wiring.database.write() as session:
        targets.set_target(
            session,
            TargetDraft(Indicator.QUALITY, ScopeKind.WHOLE, None, 80.0, Month("2026-11")),
            by=cast.manager.id,
            at=clock(),
        )
    assert ask()[1] and not ask()[1]
    clock.move(days=1)
    assert ask()[1], "what is overdue is another thing every day"


def test_a_draw_of_an_older_version_is_replayed_as_it_was_made(wiring, cast, clock):
    from sqlalchemy import select, update

    from qa.sampling import service, store
    from qa.tables.sampling import DrawRow

    for _ in range(8):
        add_call(wiring, cast, agent=cast.agent)
    with wiring.database.write() as session:
        made = service.draw_day(
            session,
            plan=store.plans(session)[0],
            day=(clock() - timedelta(days=1)).date(),
            zone=wiring.settings.zone,
            new_hire_days=90,
            at=clock(),
        )
        assert store.draw_by_id(session, made.id)[1].method == 2
        rule = session.scalar(select(DrawRow.rule).where(DrawRow.id == made.id))
        old = {
            k: v
            for k, v in rule.items()
            if k in ("quota_per_agent", "new_hire_factor", "floor_probability", "project")
        }
        session.execute(update(DrawRow).where(DrawRow.id == made.id).values(rule=old))
        session.expire_all()
        assert store.draw_by_id(session, made.id)[1].method == 1


def test_the_boards_files_name_no_agent_either(centre):
    from qa.publishing.files import report_files
    from qa.states import Audience

    wiring, _, app = centre
    names = {a.name for a in month_report(wiring).agents}
    made = report_files(
        wiring,
        month=MONTH,
        about=About(),
        language="en",
        formats=["json", "html", "xlsx"],
        audience=Audience.BOARD,
    )
    document = json.loads(next(c for n, c in made.items() if n.endswith(".json")))
    assert document["agents"] == [] and not any(
        n in json.dumps(document, ensure_ascii=False) for n in names
    )
    import openpyxl

    book = openpyxl.load_workbook(
        io.BytesIO(next(c for n, c in made.items() if n.endswith(".xlsx")))
    )
    cells = {str(c) for sheet in book for row in sheet.iter_rows(values_only=True) for c in row}
    assert not cells & names and len(book.worksheets[0].tables) == 1


# a part of the centre alone


def test_an_agents_report_has_the_figure_that_stands_in_the_report_of_all(centre):
    from qa.publishing.files import report_files

    wiring, cast, app = centre
    whole = month_report(wiring)
    some = next(a for a in whole.agents if a.estimate.value is not None)
    with wiring.database.read() as session:
        code = figures.agent_code(session, some.id)
    own = month_report(wiring, agent=code)
    earlier = next(a for a in month_report(wiring, Month("2026-09")).agents if a.id == some.id)
    assert own.previous == earlier.estimate, "and beside it the one of the month before"
    assert (
        own.agent == some.name
        and own.whole.estimate == some.estimate
        and [a.id for a in own.agents] == [some.id]
    )
    assert own.coverage.calls == some.estimate.calls == 100 and own.teams[0].name == some.parent
    assert [t.month for t in own.trend] == ["2026-07", "2026-08", "2026-09", MONTH] or own.trend[
        -1
    ].month == MONTH
    made = report_files(
        wiring,
        month=MONTH,
        about=About(agent=code),
        language="it",
        formats=["json", "pdf", "xlsx", "html"],
    )
    assert {n.rsplit(".", 1)[1] for n in made} == {"json", "pdf", "xlsx", "html"} and all(
        some.name.replace(" ", "_") in n for n in made
    )
    others = {a.name for a in whole.agents} - {some.name}
    assert not any(
        n in next(c for name, c in made.items() if name.endswith(".html")).decode() for n in others
    )


def test_departments_teams_and_agents_are_read_one_at_a_time_on_the_page_and_as_files(centre):
    wiring, cast, app = centre
    manager, director = visits(app, wiring)(cast.manager), visits(app, wiring)(cast.director)
    whole = month_report(wiring)
    department, agent = whole.departments[0].name, whole.agents[0]
    own = month_report(wiring, department=department)
    assert own.whole.estimate == whole.departments[0].estimate and {t.name for t in own.teams} <= {
        t.name for t in whole.teams
    }
    page = manager.get(f"/reports/{MONTH}", query_string={"department": department}).text
    assert (
        department in page and "Close the month" not in page and "Back to the whole report" in page
    )
    assert f"/reports/{MONTH}?agent={agent.id}" in manager.get(f"/reports/{MONTH}").text
    assert agent.name in manager.get(f"/reports/{MONTH}?agent={agent.id}").text
    exported = manager.get(f"/reports/{MONTH}/export.json?agent={agent.id}")
    assert (
        exported.get_json()["agent"] == agent.name
        and agent.name.replace(" ", "_") in exported.headers["Content-Disposition"]
    )
    assert agent.name not in director.get(f"/reports/{MONTH}?agent={agent.id}").text, (
        "the board reads of no single agent"
    )
    for nothing in ("agent=99999", "team=Nobody", "department=Nowhere"):
        assert manager.get(f"/reports/{MONTH}?{nothing}").status_code == 404


def test_a_leader_reads_of_no_other_teams_agent(centre):
    wiring, cast, app = centre
    leader = visits(app, wiring)(cast.leader)
    other = month_report(wiring).agents[0]
    assert other.parent != "Team Thames"
    page = leader.get(f"/reports/{MONTH}?agent={other.id}")
    assert page.status_code == 404 and other.name not in page.text
    assert leader.get(f"/reports/{MONTH}/export.json?agent={other.id}").status_code == 404
    assert "Simulated team 1" not in leader.get(f"/reports/{MONTH}?team=Simulated+team+1").text


def test_a_criterions_target_for_a_team_is_held_against_the_teams_own_answers(centre):
    wiring, cast, app = centre
    manager = visits(app, wiring)(cast.manager)
    with wiring.database.read() as session:
        teams = {t.name: t.id for t in people.teams(session) if t.name.startswith("Simulated")}
    name = sorted(teams)[0]
    july = {
        "indicator": "criterion",
        "criterion": "opening.greeting",
        "value": "0,5",
        "first_month": "2026-07",
        "last_month": "2026-07",
    }
    for scope in ("whole", f"team:{teams[name]}"):
        assert manager.post("/targets", july | {"scope": scope}).status_code == 302
    lines = {t.scope: t for t in month_report(wiring, Month("2026-07")).targets}
    own = next(
        c
        for c in month_report(wiring, Month("2026-07"), team=name).criteria
        if c.criterion == "opening.greeting"
    )
    assert (
        lines["team"].value == pytest.approx(1 - own.lost.share)
        and lines["team"].value != lines["whole"].value
    )


def test_critical_breaches_stand_in_a_p_chart_over_the_kept_months(centre):
    wiring, cast, app = centre
    made = month_report(wiring)
    assert [b.month for b in made.breaches][-1] == MONTH and len(made.breaches) == 4
    assert all(b.high_limit is None or b.low_limit <= b.high_limit for b in made.breaches)
    assert month_report(wiring, team="Simulated team 1").breaches == ()


def test_daily_means_of_the_checks_are_cut_at_the_zones_midnight_on_both_databases(either, clock):
    from qa.months import day_bounds
    from qa.tables.calls import CallRow

    cast = people_of(either)
    zone = either.settings.zone
    # the 25th has 25 hours
    edges = [day_bounds(date(2026, 10, d), zone)[0] for d in (24, 25, 26, 27, 28)]
    moments = [
        (edges[0], 10),
        (edges[1] - timedelta(seconds=1), 30),
        (edges[1], 50),
        (edges[2] - timedelta(minutes=1), 70),
        (edges[2], None),
        (edges[4], 99),
    ]
    for begun, score in moments:
        call_id = add_call(either, cast, agent=cast.agent)
        with either.database.write() as session:
            row = session.get_one(CallRow, call_id)
            row.started_at, row.automatic_score = begun, score
    with either.database.read() as session:
        assert figures.automatic_means(session, Scope(edges[0], edges[-1]), edges) == [
            (2, 20.0),
            (2, 60.0),
            (0, 0.0),
            (0, 0.0),
        ]
        assert (
            figures.automatic_means(session, Scope(edges[0], edges[-1], project_id=99), edges)
            == [(0, 0.0)] * 4
        )


def test_a_cache_key_does_not_hang_on_the_order_in_which_scores_are_added(either, clock):
    from qa.tables.calls import CallRow

    cast = people_of(either)
    for score in (0.1, 0.2, 0.3, 1e15):
        call_id = add_call(either, cast, agent=cast.agent)
        with either.database.write() as session:
            session.get_one(CallRow, call_id).automatic_score = score
    scope = Scope(*Month("2026-11").bounds(either.settings.zone))
    with either.database.read() as session:
        prints = {
            figures.cache_key(session, scope, before=scope.begin, day=date(2026, 11, 30))
            for _ in range(3)
        }
        assert len(prints) == 1
    with either.database.write() as session:
        session.get_one(CallRow, call_id).automatic_score = 1e15 + 1
    with either.database.read() as session:
        assert (
            figures.cache_key(session, scope, before=scope.begin, day=date(2026, 11, 30))
            not in prints
        )
