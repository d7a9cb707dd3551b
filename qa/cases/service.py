"""Write and settle cases, escalate difficult ones to the leader, remind of promised replies."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.cases import store
from qa.cases.rules import OUTCOMES, fault, may_read, may_settle, may_write
from qa.cases.types import Case, CaseFault, Draft
from qa.notices.service import mark_read_about, notify
from qa.notices.types import NoticeKind
from qa.people import service as people
from qa.people.types import User
from qa.states import CaseKind, CaseState, Role
from qa.text import bounded_text

REMIND_HOURS = 4


class CaseRefused(ValueError):
    """Raised where a case or its decision lacks something; `fault` says what."""

    def __init__(self, fault: CaseFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class NotCaseOwner(Exception):
    """Raised where a case is not this person's to write, read or settle."""


def write(session: Session, draft: Draft, *, by: User, at: datetime) -> int:
    """Write a case and notify whom it concerns; a difficult one is escalated to the leader.

    Raises CaseRefused and NotCaseOwner.
    """
    project_id = None
    if draft.call_id is not None:
        facts = store.facts_of_call(session, draft.call_id)
        if facts is None:
            raise NotCaseOwner
        agent_id, project_id, started_at = facts
        draft = replace(draft, agent_id=agent_id, happened_at=draft.happened_at or started_at)
    elif by.role is Role.AGENT and draft.kind is not CaseKind.PROPOSAL:
        draft = replace(draft, agent_id=by.agent_id)
    team_id = store.team_of(session, draft.agent_id) if draft.agent_id is not None else None
    if not may_write(by, draft, team_id=team_id):
        raise NotCaseOwner
    if lacking := fault(draft, at=at):
        raise CaseRefused(lacking)
    leaders = people.leaders_of_agent(session, draft.agent_id) if draft.agent_id is not None else []
    is_escalated = draft.kind is CaseKind.DIFFICULT and bool(leaders)
    case_id = store.add(
        session,
        draft,
        project_id=project_id,
        state=CaseState.ESCALATED if is_escalated else CaseState.OPEN,
        by=by.id,
        at=at,
    )
    record_event(
        session,
        subject=Subject.CASE,
        subject_id=case_id,
        event=EventKind.WRITTEN,
        at=at,
        actor_id=by.id,
        kind=draft.kind.value,
    )
    about = ("case", case_id)
    if is_escalated and draft.due_at is not None:
        notify(
            session,
            leaders,
            NoticeKind.DIFFICULT_CASE_ESCALATED,
            about=about,
            at=at,
            but=by.id,
            project=project_id,
            until=draft.due_at.isoformat(),
        )
    if draft.kind is CaseKind.GUIDE and draft.agent_id is not None:
        notify(
            session,
            people.users_of_agent(session, draft.agent_id),
            NoticeKind.GUIDE_NOTE,
            about=about,
            at=at,
            but=by.id,
            project=project_id,
            name=by.display_name,
        )
    return case_id


def settle(
    session: Session, *, case_id: int, state: CaseState, decision: str, by: User, at: datetime
) -> Case:
    """Settle a case with an outcome that its kind has; all but a guide note need a reason.

    Raises NotCaseOwner and CaseRefused.
    """
    case = store.case(session, case_id)
    if case is None or not may_settle(by, case) or state not in OUTCOMES[case.kind]:
        raise NotCaseOwner
    if case.kind is not CaseKind.GUIDE and not decision.strip():
        raise CaseRefused(CaseFault.DECISION)
    if not store.settle(
        session, case_id, state=state, by=by.id, decision=bounded_text(decision, 4000), at=at
    ):
        raise NotCaseOwner
    record_event(
        session,
        subject=Subject.CASE,
        subject_id=case_id,
        event=EventKind.DECIDED,
        at=at,
        actor_id=by.id,
        state=state.value,
    )
    concerned = [case.written_by_id]
    if case.agent_id is not None and case.kind in (CaseKind.PRAISE, CaseKind.COMPLAINT):
        concerned += people.users_of_agent(session, case.agent_id)
    notify(
        session,
        concerned,
        NoticeKind.CASE_DECIDED,
        about=("case", case_id),
        at=at,
        but=by.id,
        project=case.project_id,
        content=case.content[:120],
    )
    settled = store.case(session, case_id)
    assert settled is not None
    return settled


def read(session: Session, *, case_id: int, by: User, at: datetime) -> Case:
    """Load a case for a reader, record that they read it, and mark their notices about it.

    Raises NotCaseOwner.
    """
    case = store.case(session, case_id)
    if case is None or not may_read(by, case):
        raise NotCaseOwner
    record_event(
        session,
        subject=Subject.CASE,
        subject_id=case_id,
        event=EventKind.READ,
        at=at,
        actor_id=by.id,
    )
    mark_read_about(session, user_id=by.id, about=("case", case_id), at=at)
    return case


def remind(session: Session, *, at: datetime) -> int:
    """Remind leader and writer, once each, of promised replies due soon or late; how many cases."""
    reminded = 0
    for case in store.due_difficult_cases(session, until=at + timedelta(hours=REMIND_HOURS)):
        if case.due_at is not None and store.mark_reminded(session, case.id, at=at):
            leaders = (
                people.leaders_of_agent(session, case.agent_id) if case.agent_id is not None else []
            )
            notify(
                session,
                [*leaders, case.written_by_id],
                NoticeKind.DIFFICULT_CASE_REPLY_DUE,
                about=("case", case.id),
                at=at,
                project=case.project_id,
                until=case.due_at.isoformat(),
            )
            reminded += 1
    return reminded
