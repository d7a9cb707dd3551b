"""What becomes of a submitted card: second reading, release, disputes up to the director,
revisions, taking back; who is told.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from qa.assignment import store as queue
from qa.assignment.types import NothingWaiting
from qa.disputes import rules as dispute_rules
from qa.disputes import service as disputes
from qa.disputes import store as dispute_store
from qa.disputes.types import DisputeBlock
from qa.forms import service as forms
from qa.jobs import periodic
from qa.notices import store as notices
from qa.notices.types import NoticeKind
from qa.reporting import store as reports
from qa.reporting.types.scope import Scope
from qa.scoring import service, store
from qa.scoring.types import Answer, Filled
from qa.states import AssignmentState, DisputeLevel, DisputeState, RevisionCause, ScorecardState
from qa.tables.forms import FormVersionRow
from qa.tables.scoring import AnswerRow, AssignmentRow, ScorecardRow
from tests.conftest import people_of
from tests.integration.test_life_of_a_card import claim, enqueue, full, open_card

LOST = "resolution.next_steps"


def submitted(wiring, cast, *, by=None, **answers):
    """A card of Sarah's call with one criterion lost, and its form."""
    _, form = enqueue(wiring, cast)
    by = by or cast.evaluator
    card = open_card(wiring, by)
    filled = full(form, **({LOST: Answer(option="not_met", comment="no time named")} | answers))
    return finish(wiring, card, by, filled, form), form


def finish(wiring, card, by, filled, form):
    with wiring.database.write() as session:
        return service.submit(
            session,
            card_id=card.id,
            evaluator_id=by.id,
            version=card.version,
            filled=filled,
            form=form,
            findings={},
            at=wiring.clock(),
        )


def change_form(wiring, **settings):
    """Publish the same form with other rules for release and disputes."""
    with wiring.database.write() as session:
        for row in session.scalars(
            select(FormVersionRow).where(FormVersionRow.form == "customer_service")
        ):
            lines = [
                line
                for line in row.source.splitlines()
                if not line.startswith(tuple(f"{k}:" for k in settings))
            ]
            at = next(i for i, line in enumerate(lines) if line.startswith("sections:"))
            row.source = "\n".join(
                [*lines[:at], *(f"{k}: {v}" for k, v in settings.items()), *lines[at:]]
            )
            row.needs_second_reader = settings.get("release") == "second_reader"


def dispute(
    wiring, user, card, form, *, criterion=LOST, reason="I said it at the end", suggested="met"
):
    with wiring.database.write() as session:
        now = store.card(session, card.id)
        return disputes.open_dispute(
            session,
            card=now,
            form=form,
            criterion=criterion,
            reason=reason,
            suggested=suggested,
            by=user,
            decide_days=5,
            at=wiring.clock(),
        )


def decide(wiring, user, found, form, option, reason="heard it again"):
    with wiring.database.write() as session:
        return disputes.decide(
            session,
            dispute_id=found.id,
            option=option,
            reason=reason,
            is_rule_at_fault=False,
            by=user,
            form=form,
            findings={},
            at=wiring.clock(),
        )


def told(wiring, user):
    with wiring.database.read() as session:
        return [n.kind for n in notices.notices(session, user.id)]


def test_a_dispute_rises_from_evaluator_to_manager_to_director_and_the_card_is_revised(either):
    cast = people_of(either)
    card, form = submitted(either, cast)
    first = dispute(either, cast.agent, card, form)
    assert (first.level, first.round, first.disputed_option) == (
        DisputeLevel.EVALUATOR,
        1,
        "not_met",
    )
    with pytest.raises(disputes.NotDecider):
        decide(either, cast.manager, first, form, "met")
    decide(either, cast.evaluator, first, form, None)
    second = dispute(either, cast.agent, card, form)
    assert (second.level, second.round) == (DisputeLevel.QA_MANAGER, 2)
    decide(either, cast.manager, second, form, None)
    third = dispute(either, cast.agent, card, form)
    assert third.level is DisputeLevel.DIRECTOR
    decide(either, cast.director, third, form, "met", reason="said at 2:14")
    with either.database.read() as session:
        now, revisions = store.card(session, card.id), store.revisions(session, card.id)
        counted = session.scalars(
            select(AnswerRow.option).where(
                AnswerRow.scorecard_id == card.id, AnswerRow.criterion == LOST
            )
        ).all()
        record = dispute_store.records(session)[cast.evaluator.id]
    assert (card.score, now.score, now.revision) == (80.0, 100.0, 2)
    assert [(r.cause, r.figures["score"], r.made_by) for r in revisions] == [
        (RevisionCause.SUBMITTED, 80.0, "Elena"),
        (RevisionCause.DISPUTE, 100.0, "Dora"),
    ]
    assert [vars(c) for c in revisions[1].changes] == [
        {"criterion": LOST, "was": "not_met", "now": "met"}
    ]
    assert revisions[0].content.answers[LOST].comment == "no time named", "the old content stays"
    assert counted == ["met"], "reports count the revised answer once"
    assert (record.disputed, record.decided, record.upheld) == (1, 1, 1)
    with pytest.raises(disputes.DisputeBlocked) as why:
        dispute(either, cast.agent, card, form)
    assert why.value.block is DisputeBlock.SETTLED
    assert told(either, cast.agent)[
        0
    ] is NoticeKind.DISPUTE_DECIDED and NoticeKind.CARD_REVISED in told(either, cast.agent)
    assert told(either, cast.evaluator) == [NoticeKind.DISPUTE_DECIDED] * 2 + [
        NoticeKind.DISPUTE_OPENED
    ]
    assert told(either, cast.director) == [NoticeKind.DISPUTE_OPENED]


def test_what_cannot_be_disputed_says_why(wiring, cast):
    card, form = submitted(wiring, cast)

    def why(user=cast.agent, **kwargs):
        with pytest.raises(disputes.DisputeBlocked) as barred:
            dispute(wiring, user, card, form, **kwargs)
        return barred.value.block

    assert why(criterion="opening.greeting") is DisputeBlock.FULL_POINTS
    assert why(criterion="no.such") is DisputeBlock.NOT_ANSWERED
    with pytest.raises(service.NotOwner):
        dispute(wiring, cast.stranger, card, form)
    with pytest.raises(disputes.ReasonRequired):
        dispute(wiring, cast.agent, card, form, reason="  ")
    for bad in ("nonsense", "not_met"):
        with pytest.raises(disputes.NoSuchOption):
            dispute(wiring, cast.agent, card, form, suggested=bad)
    dispute(wiring, cast.agent, card, form)
    assert why() is DisputeBlock.OPEN


def test_an_answer_can_be_disputed_to_the_last_second_of_its_days_and_not_after(
    wiring, cast, clock
):
    card, form = submitted(wiring, cast)
    clock.move(days=14)
    assert (
        dispute_rules.dispute_block(form, card, [], LOST, highest=DisputeLevel.DIRECTOR, at=clock())
        is None
    )
    clock.move(seconds=1)
    with pytest.raises(disputes.DisputeBlocked) as barred:
        dispute(wiring, cast.agent, card, form)
    assert barred.value.block is DisputeBlock.TOO_LATE


def test_a_withdrawn_dispute_uses_up_no_round_and_cannot_be_decided(wiring, cast):
    card, form = submitted(wiring, cast)
    found = dispute(wiring, cast.agent, card, form)
    with pytest.raises(service.NotOwner), wiring.database.write() as session:
        disputes.withdraw(session, dispute_id=found.id, by=cast.stranger, at=wiring.clock())
    with wiring.database.write() as session:
        disputes.withdraw(session, dispute_id=found.id, by=cast.agent, at=wiring.clock())
    with pytest.raises(disputes.NotDecider):
        decide(wiring, cast.evaluator, found, form, "met")
    again = dispute(wiring, cast.agent, card, form)
    assert (again.level, again.round) == (DisputeLevel.EVALUATOR, 2)


def test_an_undecided_dispute_rises_when_its_time_is_over_and_not_before(wiring, cast, clock):
    card, form = submitted(wiring, cast)
    found = dispute(wiring, cast.agent, card, form)
    assert periodic.run_housekeeping(wiring)["disputes risen"] == 0
    clock.move(days=5, seconds=1)
    assert periodic.run_housekeeping(wiring)["disputes risen"] == 1
    assert periodic.run_housekeeping(wiring)["disputes risen"] == 0
    with wiring.database.read() as session:
        risen = dispute_store.dispute(session, found.id)
    assert risen.level is DisputeLevel.QA_MANAGER and risen.due_at > clock()
    decide(wiring, cast.manager, risen, form, None)
    assert dispute(wiring, cast.agent, card, form).level is DisputeLevel.DIRECTOR, (
        "it goes on from the level that decided"
    )


def test_without_a_director_the_manager_has_the_last_word(wiring, cast):
    from qa.people import service as people

    with wiring.database.write() as session:
        people.disable_user(session, user_id=cast.director.id, at=wiring.clock())
    card, form = submitted(wiring, cast)
    decide(wiring, cast.evaluator, dispute(wiring, cast.agent, card, form), form, None)
    decide(wiring, cast.manager, dispute(wiring, cast.agent, card, form), form, None)
    with pytest.raises(disputes.DisputeBlocked):
        dispute(wiring, cast.agent, card, form)


def test_a_manager_never_decides_about_their_own_card_above_the_first_level(wiring, cast):
    card, form = submitted(wiring, cast, by=cast.manager)
    first = dispute(wiring, cast.agent, card, form)
    decide(wiring, cast.manager, first, form, None)
    second = dispute(wiring, cast.agent, card, form)
    assert not dispute_rules.may_decide(cast.manager, second, [])
    with pytest.raises(disputes.NotDecider):
        decide(wiring, cast.manager, second, form, "met")


def test_a_card_waits_for_its_second_reader_who_releases_it_or_sends_it_back(wiring, cast, visit):
    change_form(wiring, release="second_reader")
    card, form = submitted(wiring, cast)
    assert card.state is ScorecardState.SUBMITTED
    reader, own, agent = visit(cast.second_evaluator), visit(cast.evaluator), visit(cast.agent)
    assert agent.get(f"/cards/{card.id}").status_code == 404
    assert (
        "Second reading" in reader.get("/queue").text
        and "Sarah Miles" in reader.get("/second-reading").text
    )
    assert "Sarah Miles" not in own.get("/second-reading").text, (
        "nobody reads their own card a second time"
    )
    assert own.post(f"/cards/{card.id}/release").status_code == 404
    assert reader.post(f"/cards/{card.id}/send-back", {"remark": " "}).location.endswith(
        f"/cards/{card.id}"
    )
    assert (
        reader.post(f"/cards/{card.id}/send-back", {"remark": "hear 1:20 again"}).status_code == 302
    )
    assert told(wiring, cast.evaluator) == [NoticeKind.CARD_SENT_BACK]
    with wiring.database.read() as session:
        assert session.scalars(select(AnswerRow)).all() == [], (
            "a card that was sent back counts nowhere"
        )
        place = session.scalars(select(AssignmentRow)).one()
        assert place.reserved_for_id == cast.evaluator.id
    assert not isinstance(
        claim(wiring, cast.second_evaluator), type(claim(wiring, cast.evaluator))
    ), "it comes back to its evaluator alone"
    draft = open_card(wiring, cast.evaluator)
    assert draft.id == card.id and draft.filled.answers[LOST].option == "not_met", (
        "with everything that was in it"
    )
    finish(wiring, draft, cast.evaluator, full(form), form)
    assert reader.post(f"/cards/{card.id}/release").status_code == 302
    assert agent.get(f"/cards/{card.id}").status_code == 200
    with wiring.database.read() as session:
        assert [r.figures["score"] for r in store.revisions(session, card.id)] == [80.0, 100.0]


def test_a_card_sent_back_by_any_edge_waits_for_its_evaluator_alone(wiring, cast, clock):
    card, _ = submitted(wiring, cast)
    with wiring.database.write() as session:
        session.get(ScorecardRow, card.id).state = ScorecardState.SUBMITTED
        service.send_back(
            session,
            card_id=card.id,
            remark="hear 1:20",
            by=cast.second_evaluator.id,
            due_days=3,
            at=clock(),
        )
    with wiring.database.read() as session:
        assignment = queue.assignment(session, card.assignment_id)
    assert (assignment.state, assignment.evaluator_id) == (AssignmentState.WAITING, None)
    assert assignment.reserved_for_id == cast.evaluator.id
    assert assignment.due_at == clock() + timedelta(days=3)


@pytest.mark.parametrize("due_days", [None, 3])
def test_a_card_voided_by_any_edge_is_scored_again_only_where_that_is_wanted(
    wiring, cast, clock, due_days
):
    card, _ = submitted(wiring, cast)
    with wiring.database.write() as session:
        service.void(
            session,
            card_id=card.id,
            reason="wrong agent",
            by=cast.manager.id,
            at=clock(),
            score_again_due_days=due_days,
        )
    clock.move(minutes=46)
    next_one = claim(wiring, cast.second_evaluator)
    assert isinstance(next_one, NothingWaiting) is (due_days is None)


def test_a_manager_does_not_release_an_own_card_that_another_has_to_read(wiring, cast, visit):
    change_form(wiring, release="second_reader")
    card, _ = submitted(wiring, cast, by=cast.manager)
    manager = visit(cast.manager)
    assert "Release now" not in manager.get(f"/cards/{card.id}").text
    assert manager.post(f"/cards/{card.id}/release").status_code == 404
    assert (
        visit(cast.evaluator).post(f"/cards/{card.id}/release", {"day": "2026-11-20"}).status_code
        == 302
    )
    assert manager.post(f"/cards/{card.id}/release").status_code == 302, (
        "once it was read, the day is the manager's to change"
    )


def test_a_card_is_released_on_its_day_and_its_agent_told_then(wiring, cast, clock, visit):
    change_form(wiring, release_after_days="2")
    card, _ = submitted(wiring, cast)
    assert card.state is ScorecardState.SUBMITTED and card.release_at == clock() + timedelta(days=2)
    clock.move(days=1)
    assert periodic.run_housekeeping(wiring)["released"] == 0 and told(wiring, cast.agent) == []
    clock.move(days=1)
    assert periodic.run_housekeeping(wiring)["released"] == 1
    assert told(wiring, cast.agent) == [NoticeKind.CARD_RELEASED]
    assert periodic.run_housekeeping(wiring)["released"] == 0


def test_the_manager_releases_now_or_on_a_day(wiring, cast, visit, clock):
    change_form(wiring, release="by_manager")
    card, _ = submitted(wiring, cast)
    manager = visit(cast.manager)
    assert visit(cast.evaluator).post(f"/cards/{card.id}/release").status_code == 404
    manager.post(f"/cards/{card.id}/release", {"day": "2026-11-20"})
    with wiring.database.read() as session:
        assert store.card(session, card.id).release_at.isoformat() == "2026-11-19T23:00:00+00:00", (
            "midnight in the reporting zone"
        )
    manager.post(f"/cards/{card.id}/release")
    assert visit(cast.agent).get(f"/cards/{card.id}").status_code == 200


def test_a_re_evaluation_keeps_old_and_new_and_needs_a_reason(wiring, cast, visit):
    card, form = submitted(wiring, cast)
    manager = visit(cast.manager)
    same = {f"answer.{c.id}": "not_met" if c.id == LOST else "met" for c in form.criteria()}
    assert manager.get(f"/cards/{card.id}/re-evaluate").status_code == 200
    assert "Write why" in manager.post(f"/cards/{card.id}/re-evaluate", same).text
    assert (
        "Nothing is different"
        in manager.post(f"/cards/{card.id}/re-evaluate", same | {"reason": "x"}).text
    )
    bad = manager.post(
        f"/cards/{card.id}/re-evaluate",
        same | {"answer.opening.greeting": "nonsense", "reason": "typed reason"},
    )
    assert bad.status_code == 422 and "typed reason" in bad.text
    assert (
        manager.post(
            f"/cards/{card.id}/re-evaluate",
            same | {f"answer.{LOST}": "met", "reason": "heard at 2:00"},
        ).status_code
        == 302
    )
    page = visit(cast.agent).get(f"/cards/{card.id}").text
    assert "re-evaluated" in page and "<del>" in page and "heard at 2:00" in page
    for outsider in (cast.evaluator, cast.leader, cast.trainer, cast.agent):
        assert visit(outsider).get(f"/cards/{card.id}/re-evaluate").status_code == 403


def test_a_card_taken_back_counts_nowhere_stays_readable_and_the_call_can_be_scored_again(
    wiring, cast, visit
):
    card, form = submitted(wiring, cast)
    found = dispute(wiring, cast.agent, card, form)
    manager = visit(cast.manager)
    assert manager.post(f"/cards/{card.id}/void", {"reason": ""}).status_code == 302
    manager.post(f"/cards/{card.id}/void", {"reason": "wrong agent on the line", "again": "1"})
    assert manager.post(f"/cards/{card.id}/void", {"reason": "twice"}).status_code == 404
    with wiring.database.read() as session:
        assert store.card(session, card.id).state is ScorecardState.VOID
        assert session.scalars(select(AnswerRow)).all() == []
        assert dispute_store.dispute(session, found.id).state is DisputeState.WITHDRAWN
    assert "taken back" in visit(cast.agent).get(f"/cards/{card.id}").text
    assert manager.get("/cards?state=void").text.count("taken back") >= 2
    assert NoticeKind.CARD_VOIDED in told(wiring, cast.agent)
    with wiring.database.read() as session:
        month = Scope(card.started_at - timedelta(days=9), card.started_at + timedelta(days=9))
        assert reports.scored_calls(session, month) == [] and reports.tallies(session, month) == []
    assert open_card(wiring, cast.second_evaluator).id != card.id, "the same call, a new card"


def test_from_the_browser_an_agent_disputes_and_the_evaluator_decides(wiring, cast, visit):
    card, _ = submitted(wiring, cast)
    agent, evaluator, stranger = visit(cast.agent), visit(cast.evaluator), visit(cast.stranger)
    assert "Dispute this answer" in agent.get(f"/cards/{card.id}").text
    assert (
        stranger.post(f"/cards/{card.id}/disputes", {"criterion": LOST, "reason": "x"}).status_code
        == 404
    )
    agent.post(
        f"/cards/{card.id}/disputes",
        {"criterion": LOST, "reason": "<script>alert(1)</script>", "suggested": "met"},
    )
    listing = evaluator.get("/disputes").text
    assert "/disputes/1" in listing and "Mine to decide" in listing
    page = evaluator.get("/disputes/1").text
    assert "Your decision" in page and "<script>alert" not in page
    assert "Your decision" not in visit(cast.manager).get("/disputes/1").text
    assert (
        visit(cast.leader).get("/disputes/1").status_code == 200
        and stranger.get("/disputes/1").status_code == 404
    )
    assert agent.get("/disputes/1").status_code == 302, "the agent reads it on the card"
    for incomplete in ({"reason": "why"}, {"option": "met"}, {"option": "nonsense", "reason": "x"}):
        assert evaluator.post("/disputes/1/decide", incomplete).location.endswith("/disputes/1")
    assert stranger.post("/disputes/1/decide", {"option": "met", "reason": "x"}).status_code == 403
    assert evaluator.post(
        "/disputes/1/decide", {"option": "met", "reason": "you did", "rule_at_fault": "1"}
    ).location.endswith("/disputes")
    assert (
        evaluator.post("/disputes/1/decide", {"option": "stays", "reason": "again"}).status_code
        == 404
    )
    assert "you did" in agent.get(f"/cards/{card.id}").text


def test_a_form_without_disputes_offers_none(wiring, cast, visit):
    change_form(wiring, dispute_days="0")
    card, _ = submitted(wiring, cast)
    agent = visit(cast.agent)
    assert "Dispute this answer" not in agent.get(f"/cards/{card.id}").text
    assert (
        "no disputes"
        in agent.post(
            f"/cards/{card.id}/disputes", {"criterion": LOST, "reason": "x"}, follow_redirects=True
        ).text
    )


CONDITIONAL = """
form: holds
version: 1
languages: [en]
title: Holds
applies_to: {project: acme}
sections:
  - id: hold
    title: Hold
    criteria:
      - id: hold.used
        title: Was the customer put on hold
        options: [{id: "yes", points: 0}, {id: "no", points: 1}]
      - id: hold.asked
        title: Was leave asked
        scale: met_not_met
        when: {criterion: hold.used, is: ["yes"]}
"""


def test_a_dispute_whose_answer_opens_another_criterion_asks_for_a_re_evaluation_first(
    wiring, cast
):
    with wiring.database.write() as session:
        forms.publish(session, source=CONDITIONAL, file="holds.yaml", at=wiring.clock())
    _, form = enqueue(wiring, cast, 2)
    assert form.form == "holds"
    card = finish(
        wiring,
        open_card(wiring, cast.evaluator),
        cast.evaluator,
        Filled(answers={"hold.used": Answer(option="yes"), "hold.asked": Answer(option="met")}),
        form,
    )
    # the answer of a closed condition is kept, marked and not counted
    with wiring.database.write() as session:
        service.revise(
            session,
            card_id=card.id,
            changes={"hold.used": "no"},
            cause=RevisionCause.RE_EVALUATION,
            reason="none",
            by=cast.manager.id,
            form=form,
            findings={},
            at=wiring.clock(),
        )
        now = store.card(session, card.id)
    assert (card.score, now.score, now.filled.answers["hold.asked"].option) == (50.0, 100.0, "met")
    other = finish(
        wiring,
        open_card(wiring, cast.evaluator),
        cast.evaluator,
        Filled(answers={"hold.used": Answer(option="no")}),
        form,
    )
    with pytest.raises(service.RevisionRefused) as refused, wiring.database.write() as session:
        service.revise(
            session,
            card_id=other.id,
            changes={"hold.used": "yes"},
            cause=RevisionCause.DISPUTE,
            reason="there was one",
            by=cast.manager.id,
            form=form,
            findings={},
            at=wiring.clock(),
        )
    assert refused.value.faults == {"hold.asked": "missing"}


def test_a_dispute_about_a_blind_card_asks_no_reasons_for_what_was_not_seen(wiring, cast):
    from qa.checking.types import Finding, Verdict

    card, form = submitted(wiring, cast)
    with wiring.database.write() as session:
        session.get(ScorecardRow, card.id).is_blind = True
    found = dispute(wiring, cast.agent, card, form)
    others = {
        "closing.thanks": Finding("closing.thanks", Verdict.NOT_MET, 0.9, "says"),
        "opening.greeting": Finding("opening.greeting", Verdict.NOT_MET, 0.9, "says"),
    }
    with wiring.database.write() as session:
        row = session.get(ScorecardRow, card.id)
        row.answers = {c: a | {"comment": "", "reason": ""} for c, a in row.answers.items()}
    with wiring.database.write() as session:
        disputes.decide(
            session,
            dispute_id=found.id,
            option="met",
            reason="said",
            is_rule_at_fault=False,
            by=cast.evaluator,
            form=form,
            findings=others,
            at=wiring.clock(),
        )
        assert store.card(session, card.id).score == 100.0


def test_a_card_sent_back_after_it_was_read_waits_for_a_reader_again(wiring, cast, visit):
    change_form(wiring, release="second_reader")
    card, form = submitted(wiring, cast)
    visit(cast.second_evaluator).post(f"/cards/{card.id}/release", {"day": "2026-11-20"})
    visit(cast.manager).post(f"/cards/{card.id}/send-back", {"remark": "hear 1:20"})
    finish(wiring, open_card(wiring, cast.evaluator), cast.evaluator, full(form), form)
    assert "Sarah Miles" in visit(cast.second_evaluator).get("/second-reading").text
    with wiring.database.read() as session:
        assert store.card(session, card.id).release_at is None


def test_old_revisions_are_never_changed(wiring, cast):
    card, form = submitted(wiring, cast)
    with wiring.database.read() as session:
        before = store.revisions(session, card.id)
    decide(wiring, cast.evaluator, dispute(wiring, cast.agent, card, form), form, "met")
    with wiring.database.read() as session:
        assert store.revisions(session, card.id)[: len(before)] == before


def test_a_revision_of_a_card_that_changed_meanwhile_is_refused(wiring, cast):
    card, form = submitted(wiring, cast)
    with wiring.database.write() as session:
        result = service.result_of(form, card.filled, {})
        session.execute(update(ScorecardRow).where(ScorecardRow.id == card.id).values(revision=5))
        assert not store.revise(
            session,
            card.id,
            revision=1,
            filled=card.filled,
            answers=result.answers,
            figures=result.figures,
            to=ScorecardState.RELEASED,
        )
