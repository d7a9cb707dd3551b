"""A calibration session from the invitation to its close, on both databases and in the browser."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from qa.calibration import service, store
from qa.calibration.rules import agreed_or_unanimous
from qa.calibration.types import RaterAnswers
from qa.forms import service as forms
from qa.notices import store as notices
from qa.notices.types import NoticeKind
from qa.scoring import service as scoring
from qa.scoring.types import Answer
from qa.states import AssignmentState, CalibrationState
from qa.tables.scoring import AnswerRow, AssignmentRow
from tests.conftest import people_of
from tests.integration.test_after_submission import finish
from tests.integration.test_life_of_a_card import enqueue, full

LOST = {"opening.greeting": Answer(option="not_met", comment="none")}


def called(wiring, cast, *, people=None, n=2):
    ids, form = enqueue(wiring, cast, n)
    with wiring.database.write() as session:
        version = next(i for i, f in forms.current(session) if f.form == form.form)
        users = people or [cast.evaluator, cast.second_evaluator, cast.leader]
        due = wiring.clock() + timedelta(days=3)
        made = service.call(
            session,
            title="Greeting",
            form_version_id=version,
            call_ids=ids,
            user_ids=[u.id for u in users],
            due_at=due,
            by=cast.manager.id,
            at=wiring.clock(),
        )
    return made, ids, form


def score(wiring, session_id, user, form, call_id, **answers):
    """One member fills the form for one call."""
    from qa.assignment import store as queue

    with wiring.database.write() as session:
        place = store.own_assignments(session, session_id, user.id)[call_id].id
        queue.claim(
            session,
            place,
            evaluator_id=user.id,
            now=wiring.clock(),
            lease_until=wiring.clock() + timedelta(hours=1),
        )
        card = scoring.open_card(
            session, assignment_id=place, evaluator_id=user.id, at=wiring.clock()
        )
    return finish(wiring, card, user, full(form, **answers), form)


def test_people_score_blind_agree_and_see_how_far_they_were_apart(either):
    cast = people_of(either)
    made, ids, form = called(either, cast)
    for user, answers in ((cast.evaluator, {}), (cast.second_evaluator, {}), (cast.leader, LOST)):
        score(either, made, user, form, ids[0], **answers)
        score(either, made, user, form, ids[1])
    with either.database.write() as session:
        assert session.scalars(select(AnswerRow)).all() == [], "nothing of it counts for an agent"
        assert store.session_by_id(session, made).is_scored_by_all
        service.open_review(session, session_id=made, by=cast.manager.id, at=either.clock())
        report, fillings = service.report(session, store.session_by_id(session, made), form)
    greeting = next(i for i in report.items if i.criterion == "opening.greeting")
    assert greeting.spread == {"met": 5, "not_met": 1}
    assert greeting.pairs == pytest.approx((1 / 3 + 1) / 2)
    assert (greeting.unresolved, report.unresolved) == (1, 1)
    leader = next(r for r in report.raters if r.rater_id == cast.leader.id)
    assert leader.differing == pytest.approx(1 / 26)
    same = next(r for r in report.raters if r.rater_id == cast.evaluator.id)
    assert same.differing == pytest.approx(1 / 26), (
        "what is unresolved counts against everybody, it is never dropped"
    )
    assert any(f.rater_id is None for f in fillings), "the automatic checks are one more rater"
    with either.database.write() as session:
        agreed = {
            ids[0]: {"opening.greeting": "met", "no.such": "met", "closing.thanks": "nonsense"}
        }
        service.agree(
            session,
            session_id=made,
            agreed=agreed,
            notes="hear it again",
            follow_up="guidance",
            form=form,
            by=cast.manager.id,
            at=either.clock(),
        )
        found = store.session_by_id(session, made)
        assert found.calls[0].agreed == {"opening.greeting": "met"}, "only what the form knows"
        report, _ = service.report(session, found, form)
        stricter = next(r for r in report.raters if r.rater_id == cast.leader.id)
        assert (report.unresolved, stricter.severity < 0) == (0, True)
        service.close(session, session_id=made, by=cast.manager.id, at=either.clock())
        for again in (service.close, service.open_review):
            with pytest.raises(service.SessionClosed):
                again(session, session_id=made, by=cast.manager.id, at=either.clock())


def test_what_is_left_unfinished_is_withdrawn_when_the_discussion_opens(wiring, cast):
    made, ids, form = called(wiring, cast)
    score(wiring, made, cast.evaluator, form, ids[0])
    with wiring.database.write() as session:
        service.open_review(session, session_id=made, by=cast.manager.id, at=wiring.clock())
        states = session.scalars(
            select(AssignmentRow.state).where(AssignmentRow.occasion != "")
        ).all()
        report, _ = service.report(session, store.session_by_id(session, made), form)
    assert sorted(s.value for s in states) == ["submitted"] + ["withdrawn"] * 5
    assert report.overall.value is None and report.scores is None, "one rater agrees with nobody"
    with wiring.database.read() as session:
        told = notices.notices(session, cast.leader.id)
    assert [n.kind for n in told] == [NoticeKind.CALIBRATION_REVIEW, NoticeKind.CALIBRATION_INVITED]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"title": " "}, "title"),
        ({"call_ids": []}, "calls"),
        ({"call_ids": list(range(1, 30))}, "calls"),
        ({"user_ids": [1]}, "people"),
        ({"due": -1}, "due"),
    ],
)
def test_a_session_that_cannot_be_called_says_why(wiring, cast, change, why):
    given = {"title": "t", "call_ids": [1], "user_ids": [1, 2], "due": 1} | change
    due_at = wiring.clock() + timedelta(days=given.pop("due"))
    with pytest.raises(service.SessionRefused, match=why), wiring.database.write() as session:
        service.call(
            session,
            form_version_id=1,
            due_at=due_at,
            by=cast.manager.id,
            at=wiring.clock(),
            **given,
        )


def test_what_all_gave_is_settled_and_one_alone_settles_nothing():
    one, two = (
        RaterAnswers(1, 1, {"a": "met", "b": "met"}, None),
        RaterAnswers(2, 1, {"a": "met", "b": "not_met"}, None),
    )
    assert agreed_or_unanimous({}, [one, two]) == {"a": "met"}
    assert agreed_or_unanimous({"b": "na"}, [one, two]) == {"a": "met", "b": "na"}
    assert agreed_or_unanimous({}, [one]) == {}


def test_in_the_browser_members_see_nothing_of_each_other_before_the_discussion(
    wiring, cast, visit
):
    ids, form = enqueue(wiring, cast, 1)
    from tests.integration.test_words import said

    call_id = said(wiring, cast, "good morning")
    manager, leader, stranger = visit(cast.manager), visit(cast.leader), visit(cast.trainer)
    assert (
        "Invite between"
        in manager.post(
            "/calibration/new",
            {
                "title": "kept words",
                "form": "2",
                "call": [call_id],
                "user": [cast.leader.id],
                "due": "2026-11-20",
            },
        ).text
    )
    assert (
        "kept words"
        in manager.post("/calibration/new", {"title": "kept words", "due": "2020-01-01"}).text
    )
    invited = [cast.leader.id, cast.evaluator.id]
    with wiring.database.read() as session:
        version = next(i for i, f in forms.current(session) if f.form == form.form)
    where = manager.post(
        "/calibration/new",
        {
            "title": "<b>Greeting</b>",
            "form": version,
            "call": [call_id],
            "user": invited,
            "due": "2026-11-20",
        },
    ).location
    assert (
        stranger.get(where).status_code == 404 and visit(cast.agent).get(where).status_code == 404
    )
    page = leader.get(where).text
    assert "<b>Greeting" not in page and "/workbench/" in page
    bench = page.split('href="/workbench/')[1].split('"')[0]
    assert "scored blind" in leader.get(f"/workbench/{bench}").text
    assert visit(cast.evaluator).get(f"/workbench/{bench}").status_code == 404
    data = {f"answer.{c.id}": "met" for c in form.criteria()} | {
        f"comment.{c.id}": "secret remark" for c in form.criteria()
    }
    card = leader.get(f"/workbench/{bench}").text.split('action="/cards/')[1].split("/")[0]
    assert leader.post(f"/cards/{card}/submit", {**data, "version": 1}).location.endswith(where)
    assert "secret remark" not in visit(cast.evaluator).get(where).text
    assert leader.post(f"{where}/review").status_code == 403
    manager.post(f"{where}/review")
    assert "secret remark" in visit(cast.evaluator).get(where).text
    manager.post(
        f"{where}/agreed",
        {
            f"agreed.{call_id}.opening.greeting": "met",
            "notes": "noted",
            "follow_up": "",
            "agreed.x.y": "met",
            f"agreed.{call_id}.zzz": "met",
        },
    )
    assert "noted" in manager.get(where).text
    manager.post(f"{where}/close")
    assert (
        "moved on" in manager.post(f"{where}/agreed", {"notes": "late"}, follow_redirects=True).text
    )
    with wiring.database.read() as session:
        assert store.session_by_id(session, 1).state is CalibrationState.CLOSED
        assert (
            session.scalars(select(AssignmentRow.state).where(AssignmentRow.id == int(bench))).one()
            is AssignmentState.SUBMITTED
        )
