"""The queue as evaluators and the manager meet it: fair mixing, own lists, doubles, blind cards,
goals, expiry, self-evaluation.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from qa.assignment import rules, service
from qa.assignment.types import Candidate, NothingWaiting
from qa.checking import store as findings
from qa.checking.types import Finding, Findings, Verdict
from qa.forms import service as forms
from qa.jobs import periodic
from qa.notices import store as notices
from qa.notices.types import NoticeKind
from qa.sampling.rules import random_number
from qa.scoring import service as scoring
from qa.scoring import store as cards
from qa.scoring.types import Answer, Filled
from qa.states import AssignmentKind, AssignmentState, ScorecardState
from qa.tables.calls import CallRow
from qa.tables.scoring import AnswerRow, AssignmentRow
from qa.wiring import Wiring
from tests.conftest import START, people_of, words_of
from tests.integration.test_after_submission import finish
from tests.integration.test_life_of_a_card import claim, enqueue, full, open_card

ROME = ZoneInfo("Europe/Rome")


def test_of_calls_due_on_one_day_the_agent_heard_least_comes_first_an_earlier_day_before_all():
    places = [
        Candidate(1, 7, START),
        Candidate(2, 8, START + timedelta(hours=1)),
        Candidate(3, 9, START - timedelta(days=1)),
        Candidate(4, 8, START),
    ]
    assert [c.id for c in rules.fair_order(places, {7: 3, 8: 1, 9: 9}, zone=ROME)] == [
        3,
        4,
        2,
        1,
    ]


def test_a_share_of_calls_is_picked_for_ever_the_same_and_about_as_many_as_said():
    picked = [
        rules.is_selected_for_share(0.05, purpose="double", seed="s", external_id=f"c{i}")
        for i in range(20_000)
    ]
    assert picked == [
        rules.is_selected_for_share(0.05, purpose="double", seed="s", external_id=f"c{i}")
        for i in range(20_000)
    ]
    assert 900 < sum(picked) < 1100
    assert not any(
        rules.is_selected_for_share(0.0, purpose="double", seed="s", external_id=f"c{i}")
        for i in range(100)
    )
    assert all(
        rules.is_selected_for_share(1.0, purpose="double", seed="s", external_id=f"c{i}")
        for i in range(100)
    )


def doubled(wiring, **shares):
    return Wiring(
        wiring.settings.model_copy(update=shares),
        wiring.database,
        wiring.storage,
        wiring.audio,
        wiring.clock,
    )


def test_a_double_goes_to_another_evaluator_blind_and_counts_in_no_report(either):
    wiring = doubled(either, double_share=1.0)
    cast = people_of(wiring)
    (call_id,), form = enqueue(wiring, cast)
    first = open_card(wiring, cast.evaluator)
    finish(wiring, first, cast.evaluator, full(form), form)
    assert isinstance(claim(wiring, cast.evaluator), NothingWaiting), (
        "nobody scores the same call twice"
    )
    second = open_card(wiring, cast.second_evaluator)
    assert (second.call_id, second.kind, second.is_blind) == (call_id, AssignmentKind.DOUBLE, True)
    done = finish(
        wiring,
        second,
        cast.second_evaluator,
        full(form, **{"opening.greeting": Answer(option="not_met", comment="no")}),
        form,
    )
    assert done.state is ScorecardState.SUBMITTED, "it never reaches the agent"
    with wiring.database.read() as session:
        assert set(session.scalars(select(AnswerRow.scorecard_id))) == {first.id}
        assert [c.id for c in cards.cards(session, only_released=False)] == [first.id]


def test_a_blind_card_shows_no_automatic_answer_until_it_is_submitted(wiring, cast, visit):
    (call_id,), form = enqueue(wiring, cast)
    with wiring.database.write() as session:
        place = session.scalars(select(AssignmentRow)).one()
        place.is_blind = True
        found = (Finding("opening.greeting", Verdict.NOT_MET, 0.93, "says"),)
        findings.save_result(
            session,
            call_id=call_id,
            form_version_id=place.form_version_id,
            findings=Findings("", 1, found, 40.0, 60.0),
            at=wiring.clock(),
        )
    evaluator = visit(cast.evaluator)
    page = evaluator.post("/queue/next", follow_redirects=True)
    assert (
        "scored blind" in words_of(page)
        and "93" not in words_of(page)
        and "data-suggestion" not in page.text
    )
    data = {f"answer.{c.id}": "met" for c in form.criteria()} | {
        f"comment.{c.id}": "ok" for c in form.criteria()
    }
    assert evaluator.post("/cards/1/draft", {**data, "version": 1}).get_json()["faults"] == {}, (
        "no reason is asked for what was not seen"
    )
    assert evaluator.post("/cards/1/submit", {**data, "version": 2}).status_code == 302
    card = words_of(evaluator.get("/cards/1"))
    assert "93" in card and "Scored blind" in card


def test_a_call_given_to_somebody_is_theirs_alone_and_its_draft_goes_with_it(wiring, cast, visit):
    enqueue(wiring, cast, 2)
    draft = open_card(wiring, cast.evaluator)
    with wiring.database.write() as session:
        scoring.save_draft(
            session,
            card_id=draft.id,
            evaluator_id=cast.evaluator.id,
            version=1,
            filled=Filled(summary="half"),
            lease_minutes=45,
            at=wiring.clock(),
        )
    manager = visit(cast.manager)
    overview = manager.get("/queue/overview").text
    assert "Elena" in overview and "Sarah Miles" in overview
    manager.post(f"/queue/{draft.assignment_id}/reassign", {"to": cast.second_evaluator.id})
    with wiring.database.read() as session:
        told = notices.notices(session, cast.second_evaluator.id)
    assert [n.kind for n in told] == [NoticeKind.CALL_ASSIGNED]
    assert claim(wiring, cast.evaluator).assignment_id != draft.assignment_id
    page = visit(cast.second_evaluator).get(f"/workbench/{draft.assignment_id}")
    assert page.status_code == 200 and "half" in words_of(page), (
        "opening what is on one's list takes it"
    )
    assert visit(cast.evaluator).get(f"/workbench/{draft.assignment_id}").status_code == 404
    assert (
        manager.post(f"/queue/{draft.assignment_id}/reassign", {"to": cast.agent.id}).status_code
        == 404
    )
    assert manager.post(f"/queue/{draft.assignment_id}/reassign", {"to": ""}).status_code == 302
    assert manager.post("/queue/99/reassign", {"to": cast.evaluator.id}).status_code == 409
    assert visit(cast.evaluator).get("/queue/overview").status_code == 403


def test_a_call_leaves_the_queue_only_with_a_reason(wiring, cast, visit):
    enqueue(wiring, cast)
    manager = visit(cast.manager)
    assert (
        "Write why"
        in manager.post("/queue/1/take-out", {"reason": " "}, follow_redirects=True).text
    )
    manager.post("/queue/1/take-out", {"reason": "the customer asked"})
    assert isinstance(claim(wiring, cast.evaluator), NothingWaiting)
    with wiring.database.read() as session:
        assert session.get(AssignmentRow, 1).state is AssignmentState.WITHDRAWN


def test_a_daily_goal_is_set_by_the_manager_and_shown_to_its_evaluator(wiring, cast, visit):
    enqueue(wiring, cast)
    manager = visit(cast.manager)
    manager.post(f"/queue/goals/{cast.evaluator.id}", {"goal": "8"})
    assert "/ 8" in visit(cast.evaluator).get("/queue").text
    assert manager.post(f"/queue/goals/{cast.evaluator.id}", {"goal": "9999"}).status_code == 404
    assert manager.post(f"/queue/goals/{cast.agent.id}", {"goal": "3"}).status_code == 404
    manager.post(f"/queue/goals/{cast.evaluator.id}", {"goal": ""})
    assert "/ 8" not in visit(cast.evaluator).get("/queue").text


def test_a_place_that_nobody_takes_expires_long_after_it_was_due(wiring, cast, clock):
    enqueue(wiring, cast)
    clock.move(days=64)
    assert periodic.run_housekeeping(wiring)["places expired"] == 0
    clock.move(days=2)
    assert periodic.run_housekeeping(wiring)["places expired"] == 1
    assert isinstance(claim(wiring, cast.evaluator), NothingWaiting)


def test_time_on_a_card_adds_up_over_saves_and_a_claim_beyond_belief_does_not_count(
    wiring, cast, visit
):
    enqueue(wiring, cast)
    evaluator = visit(cast.evaluator)
    evaluator.post("/queue/next", follow_redirects=True)
    for version, seconds in ((1, "30.5"), (2, "12"), (3, "nan"), (4, "-5"), (5, "x")):
        assert (
            evaluator.post("/cards/1/draft", {"version": version, "seconds": seconds}).status_code
            == 200
        )
    with wiring.database.read() as session:
        assert cards.card(session, 1).seconds_spent == 42.5
    evaluator.post("/cards/1/draft", {"version": 6, "seconds": "1e9"})
    with wiring.database.read() as session:
        assert cards.card(session, 1).seconds_spent == 42.5 + 3600


def test_an_agent_scores_an_own_call_and_the_card_stays_with_them(wiring, cast, visit):
    _, form = enqueue(wiring, cast)
    card = finish(wiring, open_card(wiring, cast.evaluator), cast.evaluator, full(form), form)
    agent, stranger = visit(cast.agent), visit(cast.stranger)
    assert stranger.post(f"/my/scorecards/{card.id}/self-evaluation").status_code == 404
    where = agent.post(f"/my/scorecards/{card.id}/self-evaluation").location
    assert agent.post(f"/my/scorecards/{card.id}/self-evaluation").location == where, (
        "a second click leads to the same form"
    )
    assert agent.get(where).status_code == 200 and stranger.get(where).status_code == 404
    data = {f"answer.{c.id}": "met" for c in form.criteria()} | {
        f"comment.{c.id}": "ok" for c in form.criteria()
    }
    done = agent.post(f"/cards/{card.id + 1}/submit", {**data, "version": 1})
    assert done.location.endswith(f"/cards/{card.id + 1}")
    assert "self-evaluation" in agent.get(done.location).text
    assert visit(cast.leader).get(done.location).status_code == 404, (
        "nobody but the agent and QA managers sees it"
    )
    with wiring.database.read() as session:
        assert [c.id for c in cards.cards(session, only_released=False)] == [card.id]
    assert agent.get("/queue").status_code == 403


def test_an_evaluator_who_is_an_agent_too_never_gets_an_own_call(wiring, cast):
    enqueue(wiring, cast)
    with wiring.database.write() as session:
        taken = service.claim_next(
            session,
            evaluator_id=cast.evaluator.id,
            own_agent_id=cast.agent.agent_id,
            lease_minutes=45,
            at=wiring.clock(),
        )
    assert isinstance(taken, NothingWaiting)


def test_calls_are_dealt_by_share_to_within_one_and_everybody_hears_every_agent():
    shares, dealt, of_agent = {1: 50, 2: 30, 3: 20, 4: 0}, {}, {}
    for n in range(400):
        agent = n % 8
        who = rules.pick_evaluator(shares, dealt, {w: of_agent.get((w, agent), 0) for w in shares})
        dealt[who] = dealt.get(who, 0) + 1
        of_agent[who, agent] = of_agent.get((who, agent), 0) + 1
        assert all(abs(dealt.get(w, 0) - shares[w] / 100 * (n + 1)) <= 2 for w in shares)
    assert dealt == {1: 200, 2: 120, 3: 80}
    for who, share in ((1, 25), (2, 15), (3, 10)):
        assert all(abs(of_agent[who, agent] - share) <= 4 for agent in range(8))
    assert rules.pick_evaluator({}, {}, {}) is None and rules.pick_evaluator({1: 0}, {}, {}) is None
    assert (
        rules.pick_evaluator({1: 50, 2: 50}, {}, {}, but=1) == 2
        and rules.pick_evaluator({1: 50}, {}, {}, but=1) is None
    )


def test_new_calls_go_on_lists_by_share_and_a_double_on_somebody_elses(either, visit_either):
    wiring = doubled(either, double_share=1.0)
    cast = people_of(wiring)
    manager = visit_either(cast.manager)
    for user, share in ((cast.evaluator, 60), (cast.second_evaluator, 40)):
        assert (
            manager.post(f"/queue/goals/{user.id}", {"goal": "", "share": str(share)}).status_code
            == 302
        )
    assert manager.post(f"/queue/goals/{cast.evaluator.id}", {"share": "101"}).status_code == 404
    enqueue(wiring, cast, 5)
    with wiring.database.write() as session:
        places = session.scalars(select(AssignmentRow).order_by(AssignmentRow.id)).all()
        by_call = {
            c: {(p.kind, p.reserved_for_id) for p in places if p.call_id == c} for c in range(1, 6)
        }
    assert all(
        len({who for _kind, who in pair}) == 2 and None not in {who for _kind, who in pair}
        for pair in by_call.values()
    ), "the two of a call are never one person"


def test_what_waits_is_dealt_out_and_a_whole_list_put_back(wiring, cast, visit):
    enqueue(wiring, cast, 4)
    manager, evaluator = visit(cast.manager), visit(cast.evaluator)
    assert "Nothing to deal out" in manager.post("/queue/deal", follow_redirects=True).text, (
        "nobody has a share"
    )
    manager.post(f"/queue/goals/{cast.evaluator.id}", {"share": "100"})
    assert "4 calls were put" in manager.post("/queue/deal", follow_redirects=True).text
    with wiring.database.read() as session:
        assert set(session.scalars(select(AssignmentRow.reserved_for_id))) == {cast.evaluator.id}
        assert [n.kind for n in notices.notices(session, cast.evaluator.id, limit=9)] == [
            NoticeKind.CALLS_DEALT
        ], "told once, not four times"
    assert (
        "4 calls are back"
        in manager.post(
            f"/queue/evaluators/{cast.evaluator.id}/put-back", follow_redirects=True
        ).text
    )
    with wiring.database.read() as session:
        assert set(session.scalars(select(AssignmentRow.reserved_for_id))) == {None}
    assert evaluator.post("/queue/deal").status_code == 403


def test_overdue_calls_are_told_once_to_who_has_them_and_once_a_day_to_managers(either, clock):
    cast = people_of(either)
    enqueue(either, cast, 3)
    with either.database.write() as session:
        service.reassign(
            session, assignment_id=1, user_id=cast.evaluator.id, by=cast.manager.id, at=clock()
        )

    def told(user):
        with either.database.read() as session:
            return [
                (n.kind, n.facts.get("count"))
                for n in notices.notices(session, user.id, limit=99)
                if n.kind in (NoticeKind.CALL_OVERDUE, NoticeKind.QUEUE_OVERDUE)
            ]

    periodic.run_housekeeping(either)
    assert told(cast.evaluator) == told(cast.manager) == [], "nothing is late yet"
    clock.move(days=30)
    wiring = doubled(either, expire_days=400)
    for _again in range(3):
        periodic.run_housekeeping(wiring)
    assert told(cast.evaluator) == [(NoticeKind.CALL_OVERDUE, None)] and told(cast.manager) == [
        (NoticeKind.QUEUE_OVERDUE, 2)
    ]
    with either.database.write() as session:
        service.reassign(session, assignment_id=1, user_id=None, by=cast.manager.id, at=clock())
    periodic.run_housekeeping(wiring)
    assert told(cast.manager) == [(NoticeKind.QUEUE_OVERDUE, 2)], "at most once a day"
    clock.move(days=1)
    periodic.run_housekeeping(wiring)
    assert told(cast.manager) == [(NoticeKind.QUEUE_OVERDUE, 1), (NoticeKind.QUEUE_OVERDUE, 2)]


def test_a_skipped_call_is_replaced_by_the_next_of_its_stratum_and_the_draw_can_be_replayed(
    either, visit_either
):
    from qa.jobs import service as jobs
    from qa.sampling import service as sampling
    from qa.sampling import store as plans

    cast = people_of(either)
    from tests.conftest import add_call

    ids = [add_call(either, cast, agent=cast.agent) for _ in range(6)]
    with either.database.write() as session:
        plan = plans.plan(session, "monthly-quality")
        plans.change_plan(
            session, "monthly-quality", rule={"quota_per_agent": 30, "floor_probability": 0.01}
        )
        version_id, form = forms.form_for(
            session,
            project="acme",
            queue="service",
            direction="inbound",
            language="en",
            duration=60,
        )
        for call_id in ids:
            findings.save_result(
                session,
                call_id=call_id,
                form_version_id=version_id,
                findings=Findings("", 1, (), 40.0, 60.0),
                at=either.clock(),
            )
        made = sampling.draw_day(
            session,
            plan=plans.plan(session, plan.code),
            day=(either.clock() - timedelta(days=1)).date(),
            zone=either.settings.zone,
            new_hire_days=0,
            at=either.clock(),
        )
        jobs.request(session, [("queue", c.call_id) for c in made.calls], at=either.clock())
    while jobs.work_once(either):
        pass
    before = {c.call_id for c in made.calls}
    assert 0 < len(before) < 6
    evaluator = visit_either(cast.evaluator)
    where = evaluator.post("/queue/next").location
    assignment_id = int(where.split("/")[-1])
    assert (
        "takes its place"
        in evaluator.post(
            f"/queue/{assignment_id}/skip",
            {"reason": "bad_sound", "comment": ""},
            follow_redirects=True,
        ).text
    )
    for _twice in range(2):
        while jobs.work_once(either):
            pass
        with either.database.write() as session:
            jobs.request(session, [("replace", assignment_id)], at=either.clock())
    with either.database.read() as session:
        recorded, again = sampling.replay(
            session, draw_id=made.id, zone=either.settings.zone, new_hire_days=0
        )
        added = [c for c in recorded.calls if c.is_replacement]
        assert (
            len(added) == 1
            and added[0].call_id not in before
            and added[0].probability == pytest.approx(made.calls[0].probability)
        )
        assert tuple(c for c in recorded.calls if not c.is_replacement) == again.calls, (
            "the draw itself is what it was"
        )
        numbers = {
            c: random_number(recorded.seed, external)
            for c, external in session.execute(select(CallRow.id, CallRow.external_id))
            if c in ids
        }
        assert added[0].call_id == min((c for c in ids if c not in before), key=numbers.get), (
            "the next by the permanent random numbers"
        )
        places = session.execute(select(AssignmentRow.call_id, AssignmentRow.state)).all()
        assert sum(c == added[0].call_id for c, _ in places) == 1 and len(places) == len(before) + 1
    assert (
        "instead of a skipped call"
        in visit_either(cast.manager).get(f"/sampling/draws/{made.id}").text
    )


def test_nobody_is_dealt_a_call_of_their_own_or_of_a_project_that_they_do_not_work_for(
    wiring, cast, visit
):
    from qa.people import store as people

    enqueue(wiring, cast, 4)
    manager = visit(cast.manager)
    with wiring.database.write() as session:
        other = people.ensure_project(session, "other", company=None)
        people.change_user(session, cast.evaluator.id, queue_share=90)
        people.set_projects(session, cast.evaluator.id, [other])
    assert "Nothing to deal out" in manager.post("/queue/deal", follow_redirects=True).text, (
        "they would never see these calls"
    )
    with wiring.database.write() as session:
        people.change_user(
            session, cast.second_evaluator.id, queue_share=10, agent_id=cast.agent.agent_id
        )
    assert "Nothing to deal out" in manager.post("/queue/deal", follow_redirects=True).text
    with wiring.database.write() as session:
        people.change_user(session, cast.second_evaluator.id, agent_id=None)
    assert "4 calls were put" in manager.post("/queue/deal", follow_redirects=True).text
