"""Write a case down, pass a difficult one to the leader, settle it, remind people of what was
promised.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.cases import store
from qa.cases.rules import OUTCOMES, fault, may_settle, may_write
from qa.cases.types import Case, Draft
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people import store as people
from qa.people.types import User
from qa.states import CaseKind, CaseState, Role

REMIND_HOURS = 4


class CaseRefused(ValueError):
    """A case cannot be written down like this; the message is a code of `rules.fault`, or
    `decision`.
    """


class NotCaseOwner(Exception):
    """Not this person's to write, read or settle."""


def write(session: Session, draft: Draft, *, by: User, at: datetime) -> int:
    """Put a case on record and tell whom it concerns.

    A difficult one goes to the agent's leader at once. Raises CaseRefused and NotTheirCase.
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
    if why := fault(draft, at=at):
        raise CaseRefused(why)
    leaders = people.leaders_of_agent(session, draft.agent_id) if draft.agent_id is not None else []
    is_passed = draft.kind is CaseKind.DIFFICULT and bool(leaders)
    made = store.add(
        session,
        draft,
        project_id=project_id,
        state=CaseState.ESCALATED if is_passed else CaseState.OPEN,
        by=by.id,
        at=at,
    )
    record_event(
        session,
        subject=Subject.CASE,
        subject_id=made,
        event=EventKind.WRITTEN,
        at=at,
        actor_id=by.id,
        kind=draft.kind.value,
    )
    about = ("case", made)
    if is_passed and draft.due_at is not None:
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
    return made


def settle(
    session: Session, *, case_id: int, state: CaseState, decision: str, by: User, at: datetime
) -> Case:
    """Close a case: replied, read, deserved or not, right or not, taken over or not.

    A decision needs its reason.

    Raises NotTheirCase and CaseRefused.
    """
    found = store.case(session, case_id)
    if found is None or not may_settle(by, found) or state not in OUTCOMES[found.kind]:
        raise NotCaseOwner
    if found.kind is not CaseKind.GUIDE and not decision.strip():
        raise CaseRefused("decision")
    if not store.settle(
        session, case_id, state=state, by=by.id, decision=decision.strip()[:4000], at=at
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
    concerned = [found.written_by_id]
    if found.agent_id is not None and found.kind in (CaseKind.PRAISE, CaseKind.COMPLAINT):
        concerned += people.users_of_agent(session, found.agent_id)
    notify(
        session,
        concerned,
        NoticeKind.CASE_DECIDED,
        about=("case", case_id),
        at=at,
        but=by.id,
        project=found.project_id,
        content=found.content[:120],
    )
    done = store.case(session, case_id)
    assert done is not None
    return done


def remind(session: Session, *, at: datetime) -> int:
    """Remind leader and writer of promised replies that are due within hours or are late; once
    each. How many.
    """
    reminded = 0
    for found in store.due_difficult_cases(session, until=at + timedelta(hours=REMIND_HOURS)):
        if found.due_at is not None and store.mark_reminded(session, found.id, at=at):
            leaders = (
                people.leaders_of_agent(session, found.agent_id)
                if found.agent_id is not None
                else []
            )
            notify(
                session,
                [*leaders, found.written_by_id],
                NoticeKind.DIFFICULT_CASE_REPLY_DUE,
                about=("case", found.id),
                at=at,
                project=found.project_id,
                until=found.due_at.isoformat(),
            )
            reminded += 1
    return reminded
