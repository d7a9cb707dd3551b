"""Cases around scoring: who writes, reads and settles them, who is told, what is promised and
watched.
"""

from datetime import timedelta

import pytest

from qa.cases import rules, service, store
from qa.cases.types import Draft
from qa.jobs import periodic
from qa.notices import store as notices
from qa.notices.types import NoticeKind
from qa.states import CaseKind, CaseState
from tests.conftest import add_call, people_of


def write(wiring, user, kind, **fields):
    given = {
        "content": "the customer waits for an engineer",
        "contact": "Ms Rossi, 055 123",
        "due_at": wiring.clock() + timedelta(hours=8),
    } | fields
    with wiring.database.write() as session:
        return service.write(session, Draft(kind=kind, **given), by=user, at=wiring.clock())


def told(wiring, user):
    with wiring.database.read() as session:
        return [n.kind for n in notices.notices(session, user.id)]


def test_a_difficult_case_goes_to_the_leader_is_watched_and_answered(either, clock):
    cast = people_of(either)
    call_id = add_call(either, cast, agent=cast.agent)
    made = write(either, cast.agent, CaseKind.DIFFICULT, call_id=call_id)
    with either.database.read() as session:
        found = store.case(session, made)
    assert (found.state, found.agent_id, found.project_id, found.call_id) == (
        CaseState.ESCALATED,
        cast.agent.agent_id,
        cast.project_id,
        call_id,
    )
    assert found.happened_at is not None, "the time of the call is its time"
    assert told(either, cast.leader) == [NoticeKind.DIFFICULT_CASE_ESCALATED]
    assert periodic.run_housekeeping(either)["people reminded"] == 0
    clock.move(hours=4, minutes=1)
    assert periodic.run_housekeeping(either)["people reminded"] == 1
    assert periodic.run_housekeeping(either)["people reminded"] == 0
    assert told(either, cast.leader)[0] is NoticeKind.DIFFICULT_CASE_REPLY_DUE and told(
        either, cast.agent
    ) == [NoticeKind.DIFFICULT_CASE_REPLY_DUE]
    with either.database.write() as session:
        with pytest.raises(service.NotCaseOwner):
            service.settle(
                session, case_id=made, state=CaseState.DONE, decision="x", by=cast.agent, at=clock()
            )
        with pytest.raises(service.CaseRefused, match="decision"):
            service.settle(
                session,
                case_id=made,
                state=CaseState.DONE,
                decision=" ",
                by=cast.leader,
                at=clock(),
            )
        done = service.settle(
            session,
            case_id=made,
            state=CaseState.DONE,
            decision="called back at noon",
            by=cast.leader,
            at=clock(),
        )
        with pytest.raises(service.NotCaseOwner):
            service.settle(
                session,
                case_id=made,
                state=CaseState.DONE,
                decision="again",
                by=cast.leader,
                at=clock(),
            )
    assert (done.state, done.decided_by) == (CaseState.DONE, "Lea")
    assert periodic.run_housekeeping(either)["people reminded"] == 0


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"content": "  "}, "content"),
        ({"agent_id": None}, "agent"),
        ({"contact": ""}, "contact"),
        ({"due_at": None}, "due"),
        ({"due_at": -1}, "due_past"),
    ],
)
def test_a_difficult_case_needs_its_facts(wiring, cast, fields, why):
    given = {"agent_id": cast.agent.agent_id} | fields
    if given.get("due_at") == -1:
        given["due_at"] = wiring.clock()
    with pytest.raises(service.CaseRefused, match=f"^{why}$"):
        write(wiring, cast.manager, CaseKind.DIFFICULT, **given)


def test_a_complaint_is_decided_by_another_person_and_read_by_its_agent_only_then(wiring, cast):
    made = write(wiring, cast.evaluator, CaseKind.COMPLAINT, agent_id=cast.agent.agent_id)
    with wiring.database.read() as session:
        found = store.case(session, made)
        assert (
            not rules.may_read(cast.agent, found)
            and store.cases(
                session, cast.agent, kind=None, open_only=False, before_id=None, limit=9
            )
            == []
        )
    with wiring.database.write() as session:
        decided = service.settle(
            session,
            case_id=made,
            state=CaseState.DECLINED,
            decision="the recording shows otherwise",
            by=cast.manager,
            at=wiring.clock(),
        )
        assert rules.may_read(cast.agent, decided) and not rules.may_read(cast.stranger, decided)
    assert told(wiring, cast.agent) == [NoticeKind.CASE_DECIDED] and told(
        wiring, cast.evaluator
    ) == [NoticeKind.CASE_DECIDED]
    own = write(wiring, cast.manager, CaseKind.PRAISE, agent_id=cast.agent.agent_id)
    with pytest.raises(service.NotCaseOwner), wiring.database.write() as session:
        service.settle(
            session,
            case_id=own,
            state=CaseState.UPHELD,
            decision="mine",
            by=cast.manager,
            at=wiring.clock(),
        )


def test_a_guide_note_is_for_its_agent_who_says_that_it_was_read(wiring, cast):
    made = write(wiring, cast.evaluator, CaseKind.GUIDE, agent_id=cast.agent.agent_id)
    assert told(wiring, cast.agent) == [NoticeKind.GUIDE_NOTE]
    with wiring.database.write() as session:
        with pytest.raises(service.NotCaseOwner):
            service.settle(
                session,
                case_id=made,
                state=CaseState.DONE,
                decision="",
                by=cast.stranger,
                at=wiring.clock(),
            )
        service.settle(
            session,
            case_id=made,
            state=CaseState.DONE,
            decision="",
            by=cast.agent,
            at=wiring.clock(),
        )


def test_nobody_writes_about_those_who_are_not_theirs(wiring, cast):
    for user, kind, about in (
        (cast.agent, CaseKind.PRAISE, cast.agent),
        (cast.leader, CaseKind.GUIDE, cast.stranger),
        (cast.trainer, CaseKind.COMPLAINT, cast.agent),
        (cast.administrator, CaseKind.PROPOSAL, None),
    ):
        with pytest.raises(service.NotCaseOwner):
            write(wiring, user, kind, agent_id=about.agent_id if about else None)
    other = add_call(wiring, cast, agent=cast.stranger)
    with pytest.raises(service.NotCaseOwner):
        write(wiring, cast.agent, CaseKind.DIFFICULT, call_id=other)
    with pytest.raises(service.NotCaseOwner):
        write(wiring, cast.agent, CaseKind.DIFFICULT, call_id=999)


def test_what_the_list_shows_is_what_may_be_read(either):
    """The condition in SQL and the rule in Python are the same, for every kind and role."""
    cast = people_of(either)
    writers = {
        CaseKind.DIFFICULT: cast.manager,
        CaseKind.PRAISE: cast.evaluator,
        CaseKind.COMPLAINT: cast.leader,
        CaseKind.GUIDE: cast.trainer,
        CaseKind.PROPOSAL: cast.agent,
    }
    for kind, writer in writers.items():
        write(
            either,
            writer,
            kind,
            agent_id=None if kind is CaseKind.PROPOSAL else cast.agent.agent_id,
        )
        if kind is not CaseKind.PROPOSAL:
            write(
                either,
                cast.manager if kind is not CaseKind.GUIDE else cast.evaluator,
                kind,
                agent_id=cast.stranger.agent_id,
            )
    with either.database.read() as session:
        everything = store.cases(
            session, cast.manager, kind=None, open_only=False, before_id=None, limit=99
        )
        assert len(everything) == 9
        for user in (*cast.by_role().values(), cast.stranger, cast.second_evaluator):
            listed = {
                c.id
                for c in store.cases(
                    session, user, kind=None, open_only=False, before_id=None, limit=99
                )
            }
            assert listed == {c.id for c in everything if rules.may_read(user, c)}, user.role


def test_in_the_browser_a_leader_answers_a_slip_and_hostile_text_stays_text(wiring, cast, visit):
    agent, leader, stranger = visit(cast.agent), visit(cast.leader), visit(cast.stranger)
    refused = agent.post(
        "/cases/new/difficult",
        {"content": "<script>alert(1)</script>", "contact": "", "due_at": "2026-11-12T09:00"},
    )
    assert refused.status_code == 422 and "&lt;script&gt;" in refused.text
    where = agent.post(
        "/cases/new/difficult",
        {
            "content": "<script>alert(1)</script>",
            "contact": "Ms Rossi",
            "due_at": "2026-11-12T09:00",
        },
    ).location
    assert "Ms Rossi" in leader.get(where).text and stranger.get(where).status_code == 404
    assert "<script>alert" not in leader.get(where).text
    assert leader.post(f"{where}/settle", {"state": "nonsense", "decision": "x"}).status_code == 404
    assert (
        leader.post(f"{where}/settle", {"state": "upheld", "decision": "x"}).status_code == 404
    ), "not an outcome of a slip"
    leader.post(f"{where}/settle", {"state": "done", "decision": "called back"})
    assert "called back" in agent.get(where).text
    assert (
        agent.get("/cases/new/praise").status_code == 404
        and agent.get("/cases/new/none").status_code == 404
    )
    assert agent.get("/cases?kind=difficult&open=1").status_code == 200
