"""From the queue to the agent's acknowledgement: claims, saves, conflicts, submission, and what
reports make of it.
"""

import threading

import pytest

from qa.assignment import service as assignment
from qa.assignment import store as queue
from qa.assignment.types import Claimed, NothingWaiting
from qa.checking import store as findings
from qa.checking.types import Finding, Findings, Verdict
from qa.forms import service as forms
from qa.jobs import service as jobs
from qa.pipeline import draw
from qa.scoring import service, store
from qa.scoring.types import Answer, Filled
from qa.states import AssignmentState, ScorecardState
from tests.conftest import add_call, build, people_of, words_of


def enqueue(wiring, cast, n=1, agent=None):
    """Calls of yesterday, drawn with certainty, checked with two findings, waiting for people."""
    ids = [add_call(wiring, cast, agent=agent or cast.agent) for _ in range(n)]
    from datetime import timedelta

    with wiring.database.write() as session:
        version_id, form = forms.form_for(
            session,
            project="acme",
            queue="service",
            direction="inbound",
            language="en",
            duration=60,
        )
        for call_id in ids:
            found = (
                Finding("opening.greeting", Verdict.MET, 0.95, "says"),
                Finding("opening.introduction", Verdict.UNSURE, 0.5, "says"),
            )
            findings.save_result(
                session,
                call_id=call_id,
                form_version_id=version_id,
                findings=Findings("", 1, found, 40.0, 60.0),
                at=wiring.clock(),
            )
        from qa.sampling import store as plans

        plans.change_plan(session, "monthly-quality", rule={"floor_probability": 1.0})
        made = draw(wiring, session, (wiring.clock() - timedelta(days=1)).date())
        jobs.request(
            session, [("queue", c.call_id) for d in made for c in d.calls], at=wiring.clock()
        )
    while jobs.work_once(wiring):
        pass
    return ids, form


def claim(wiring, user):
    with wiring.database.write() as session:
        return assignment.claim_next(
            session, evaluator_id=user.id, own_agent_id=None, lease_minutes=45, at=wiring.clock()
        )


def full(form, **other) -> Filled:
    answers = {c.id: Answer(option="met", comment="heard it") for c in form.criteria()} | other
    return Filled(answers=answers)


def open_card(wiring, user):
    taken = claim(wiring, user)
    with wiring.database.write() as session:
        return service.open_card(
            session, assignment_id=taken.assignment_id, evaluator_id=user.id, at=wiring.clock()
        )


def save(wiring, card, user, filled, *, version=None):
    with wiring.database.write() as session:
        return service.save_draft(
            session,
            card_id=card.id,
            evaluator_id=user.id,
            version=version or card.version,
            filled=filled,
            lease_minutes=45,
            at=wiring.clock(),
        )


def submit(wiring, card, user, filled, form, *, findings=None):
    with wiring.database.write() as session:
        return service.submit(
            session,
            card_id=card.id,
            evaluator_id=user.id,
            version=card.version,
            filled=filled,
            form=form,
            findings=findings or {},
            at=wiring.clock(),
        )


def test_a_drawn_and_checked_call_waits_once_with_its_probability(wiring, cast):
    enqueue(wiring, cast, 2)
    assert isinstance(claim(wiring, cast.evaluator), Claimed)
    assert claim(wiring, cast.evaluator).is_resumed, "who holds a call goes on with it"
    card = open_card(wiring, cast.second_evaluator)
    with wiring.database.read() as session:
        from qa.tables.scoring import ScorecardRow

        row = session.get(ScorecardRow, card.id)
        assert (row.probability, row.automatic_score) == (1.0, 50.0)
    assert isinstance(claim(wiring, cast.manager), NothingWaiting)


@pytest.mark.slow
def test_two_hundred_evaluators_asking_at_once_never_get_the_same_call(either):
    cast = people_of(either)
    enqueue(either, cast, 40)
    got, errors = [], []

    def ask(n):
        try:
            with either.database.write() as session:
                taken = assignment.claim_next(
                    session,
                    evaluator_id=people[n % len(people)],
                    own_agent_id=None,
                    lease_minutes=45,
                    at=either.clock(),
                )
            if isinstance(taken, Claimed):
                got.append((people[n % len(people)], taken.assignment_id))
        except Exception as error:  # collected and asserted below
            errors.append(error)

    with either.database.write() as session:
        from qa.people import service as people_service
        from qa.states import Role

        people = [
            people_service.add_user(
                session,
                username=f"asker{i}",
                display_name="A",
                role=Role.EVALUATOR,
                password=None,
                at=either.clock(),
            ).id
            for i in range(200)
        ]
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(200)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors
    assert len(got) == 40
    assert len({a for _, a in got}) == 40


def test_a_lease_that_ended_frees_the_call_and_its_draft_goes_on_with_the_next(wiring, cast, clock):
    enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    save(wiring, card, cast.evaluator, Filled(summary="half done"), version=1)
    assert isinstance(claim(wiring, cast.second_evaluator), NothingWaiting)
    clock.move(minutes=46)
    card = open_card(wiring, cast.second_evaluator)
    assert card.filled.summary == "half done"
    with pytest.raises(service.NotOwner):
        save(wiring, card, cast.evaluator, Filled())


def test_a_card_submitted_by_any_edge_is_never_handed_out_again(wiring, cast, clock):
    _, form = enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    submit(wiring, card, cast.evaluator, full(form), form)
    clock.move(minutes=46)
    assert isinstance(claim(wiring, cast.second_evaluator), NothingWaiting)
    with wiring.database.read() as session:
        held = queue.assignment(session, card.assignment_id)
    assert (held.state, held.lease_until) == (AssignmentState.SUBMITTED, None)


def test_a_save_by_any_edge_renews_the_lease(wiring, cast, clock):
    enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    clock.move(minutes=40)
    save(wiring, card, cast.evaluator, Filled(summary="half done"))
    clock.move(minutes=40)
    assert isinstance(claim(wiring, cast.second_evaluator), NothingWaiting)
    clock.move(minutes=6)
    assert isinstance(claim(wiring, cast.second_evaluator), Claimed)


def test_who_lost_the_call_neither_saves_nor_submits_what_they_had_open(wiring, cast):
    _, form = enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    with wiring.database.write() as session:
        assignment.reassign(
            session,
            assignment_id=card.assignment_id,
            user_id=cast.second_evaluator.id,
            by=cast.manager.id,
            at=wiring.clock(),
        )
    with pytest.raises(assignment.NotHeld):
        save(wiring, card, cast.evaluator, Filled(summary="too late"))
    with pytest.raises(assignment.NotHeld):
        submit(wiring, card, cast.evaluator, full(form), form)
    with wiring.database.read() as session:
        draft = store.card(session, card.id)
    assert (draft.state, draft.filled.summary) == (ScorecardState.DRAFT, "")


def test_the_later_of_two_saves_is_told_and_sees_the_other_version(wiring, cast):
    enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    save(wiring, card, cast.evaluator, Filled(summary="first"), version=1)
    with pytest.raises(service.VersionConflict) as told:
        save(wiring, card, cast.evaluator, Filled(summary="second"), version=1)
    assert told.value.card.filled.summary == "first"
    assert told.value.card.version == 2


def test_a_hundred_submits_of_one_card_make_one_scorecard(either):
    cast = people_of(either)
    _, form = enqueue(either, cast)
    card = open_card(either, cast.evaluator)
    outcomes = []

    def submit():
        try:
            with either.database.write() as session:
                service.submit(
                    session,
                    card_id=card.id,
                    evaluator_id=cast.evaluator.id,
                    version=1,
                    filled=full(form),
                    form=form,
                    findings={},
                    at=either.clock(),
                )
            outcomes.append("done")
        except service.AlreadySubmitted:
            outcomes.append("already")

    threads = [threading.Thread(target=submit) for _ in range(50)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(outcomes) == ["already"] * 49 + ["done"]
    with either.database.read() as session:
        from sqlalchemy import func, select

        from qa.tables.scoring import AnswerRow

        assert session.scalar(select(func.count()).select_from(AnswerRow)) == len(form.criteria())


def test_submission_names_everything_that_is_missing(wiring, cast):
    _, form = enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    greeting = {"opening.greeting": Finding("opening.greeting", Verdict.MET, 0.9, "says")}
    changed = {
        "opening.greeting": Answer(option="not_met"),
        "conduct.discourtesy": Answer(option="not_met"),
        "closing.thanks": Answer(),
    }
    with pytest.raises(service.SubmissionRefused) as refused, wiring.database.write() as session:
        service.submit(
            session,
            card_id=card.id,
            evaluator_id=cast.evaluator.id,
            version=1,
            filled=full(form, **changed),
            form=form,
            findings=greeting,
            at=wiring.clock(),
        )
    assert refused.value.faults == {
        "opening.greeting": "reason",
        "conduct.discourtesy": "comment",
        "closing.thanks": "missing",
    }
    with wiring.database.read() as session:
        assert store.card(session, card.id).submitted_at is None


def test_the_score_kept_is_the_score_recomputed_from_the_answers(wiring, cast):
    from qa.forms.rules import round_half_up, score

    _, form = enqueue(wiring, cast)
    card = open_card(wiring, cast.evaluator)
    filled = full(
        form,
        **{
            "resolution.next_steps": Answer(option="not_met", comment="no time named"),
            "hold.courtesy": Answer(option="na"),
        },
    )
    with wiring.database.write() as session:
        done = service.submit(
            session,
            card_id=card.id,
            evaluator_id=cast.evaluator.id,
            version=1,
            filled=filled,
            form=form,
            findings={},
            at=wiring.clock(),
        )
    assert done.score == round_half_up(score(form, filled.options).score) == 70.0
    assert done.is_released


def test_what_a_person_answers_after_the_machine_is_there_to_learn_from(either):
    from qa.confidence import store as learnt

    cast = people_of(either)
    _, form = enqueue(either, cast)
    card = open_card(either, cast.evaluator)
    found = {
        "opening.greeting": Finding(
            "opening.greeting", Verdict.MET, 0.7, "says", raw_confidence=0.95
        ),
        "closing.thanks": Finding("closing.thanks", Verdict.UNSURE, 0.5, "says"),
    }
    filled = full(
        form,
        **{"opening.greeting": Answer(option="not_met", comment="no company", reason="not said")},
    )
    with either.database.write() as session:
        service.submit(
            session,
            card_id=card.id,
            evaluator_id=cast.evaluator.id,
            version=1,
            filled=filled,
            form=form,
            findings=found,
            at=either.clock(),
        )
    with either.database.read() as session:
        rows = learnt.labelled_answers(session)
        assert learnt.confusions(session, "customer_service") == {
            "opening.greeting": {("met", "not_met"): 1}
        }
    assert [(j.form, j.criterion, j.automatic, j.confidence, j.human, j.agrees) for j in rows] == [
        ("customer_service", "opening.greeting", "met", 0.95, "not_met", False)
    ]


def test_from_the_browser_an_evaluator_scores_and_the_agent_reads_and_acknowledges(
    wiring, cast, visit
):
    (call_id,), form = enqueue(wiring, cast)
    evaluator, agent, stranger = visit(cast.evaluator), visit(cast.agent), visit(cast.stranger)
    page = evaluator.post("/queue/next", follow_redirects=True)
    assert page.status_code == 200
    action = page.text.split('action="/cards/')[1].split("/")[0]
    data = {f"answer.{c.id}": "met" for c in form.criteria()} | {
        f"comment.{c.id}": "ok" for c in form.criteria()
    }
    saved = evaluator.post(
        f"/cards/{action}/draft",
        {**data, "version": 1, "summary": "<script>alert(1)</script>", "note": "12.5|listen here"},
    )
    assert saved.get_json() == {
        **saved.get_json(),
        "version": 2,
        "score": 100.0,
        "answered": 13,
        "of": 13,
        "faults": {},
    }
    conflict = evaluator.post(f"/cards/{action}/draft", {**data, "version": 1})
    assert (conflict.status_code, conflict.get_json()["version"]) == (409, 2)
    assert agent.get(f"/cards/{action}").status_code == 404, "a draft is nobody's to read"
    refused = evaluator.post(f"/cards/{action}/submit", {"version": 2, "summary": "kept"})
    assert refused.status_code == 422 and "kept" in refused.text
    stale = evaluator.post(
        f"/cards/{action}/submit", {**data, "version": 1, "summary": "typed here"}
    )
    assert stale.status_code == 409 and "typed here" in stale.text
    done = evaluator.post(
        f"/cards/{action}/submit",
        {**data, "version": 2, "summary": "<script>alert(1)</script>", "note": "12.5|listen here"},
    )
    assert done.status_code == 302
    again = evaluator.post(f"/cards/{action}/submit", {**data, "version": 2})
    assert again.location.endswith(f"/cards/{action}")
    seen = agent.get(f"/cards/{action}")
    assert (
        seen.status_code == 200 and "<script>alert" not in seen.text and "listen here" in seen.text
    )
    assert stranger.get(f"/cards/{action}").status_code == 404
    assert stranger.post(f"/cards/{action}/acknowledge", {"comment": "not mine"}).status_code == 404
    assert agent.post(f"/cards/{action}/acknowledge", {"comment": "fair"}).status_code == 302
    assert "fair" in words_of(visit(cast.leader).get(f"/cards/{action}"))
    assert agent.get(f"/calls/{call_id}").status_code == 200, "now the agent hears the call"
    assert visit(cast.manager).get("/reports/2026-11").status_code == 200


def test_skipping_needs_a_reason_and_is_counted(wiring, cast, visit):
    enqueue(wiring, cast)
    evaluator = visit(cast.evaluator)
    where = evaluator.post("/queue/next").location
    number = where.rsplit("/", 1)[1]
    evaluator.post(f"/queue/{number}/skip", {"reason": "other", "comment": ""})
    assert evaluator.get(where).status_code == 200, "still theirs"
    evaluator.post(f"/queue/{number}/skip", {"reason": "bad_sound", "comment": ""})
    assert evaluator.get(where).status_code == 404, "a skipped call is off the desk"
    from qa.assignment.store import skips_by_evaluator

    with wiring.database.read() as session:
        assert [(name, reason.value, n) for name, reason, n in skips_by_evaluator(session)] == [
            ("Elena", "bad_sound", 1)
        ]
    assert "Elena" in visit(cast.manager).get("/sampling").text


def test_somebody_elses_call_cannot_be_opened_saved_or_skipped(wiring, cast, visit):
    enqueue(wiring, cast)
    where = visit(cast.evaluator).post("/queue/next").location
    visit(cast.evaluator).get(where)
    other = visit(cast.second_evaluator)
    assert other.get(where).status_code == 404
    assert other.post("/cards/1/draft", {"version": 1}).status_code == 404
    assert (
        other.post(f"/queue/{where.rsplit('/', 1)[1]}/skip", {"reason": "bad_sound"}).status_code
        == 409
    )


def test_hostile_fields_of_a_card_are_refused_and_change_nothing(wiring, cast, visit):
    enqueue(wiring, cast)
    evaluator = visit(cast.evaluator)
    evaluator.get(evaluator.post("/queue/next").location)
    for data in (
        {"note": "x|y"},
        {"note": "nan|y"},
        {"answer.opening.greeting": "x" * 500},
        {"summary": "x" * 9000},
    ):
        assert evaluator.post("/cards/1/draft", {"version": 1, **data}).status_code == 400
    with wiring.database.read() as session:
        assert store.card(session, 1).version == 1


def test_build_is_safe_to_repeat(settings, clock):
    build(settings, clock)
    again = build(settings, clock)
    with again.database.read() as session:
        from qa.forms import store as form_store
        from qa.settings import PROJECT_ROOT

        assert len(form_store.versions(session)) == len(
            list((PROJECT_ROOT / "scoring_forms").glob("*.yaml"))
        )
