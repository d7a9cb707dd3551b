"""Rules of who writes, reads and settles which kind of case. Pure."""

from datetime import datetime

from qa.cases.types import Case, CaseFault, Draft
from qa.people.types import User
from qa.states import CaseKind, CaseState, Role

K, R, S = CaseKind, Role, CaseState
WRITES: dict[CaseKind, frozenset[Role]] = {
    K.DIFFICULT: frozenset({R.AGENT, R.TEAM_LEADER, R.EVALUATOR, R.QA_MANAGER}),
    K.PRAISE: frozenset({R.TEAM_LEADER, R.EVALUATOR, R.QA_MANAGER}),
    K.COMPLAINT: frozenset({R.AGENT, R.TEAM_LEADER, R.EVALUATOR, R.QA_MANAGER}),
    K.GUIDE: frozenset({R.TEAM_LEADER, R.EVALUATOR, R.QA_MANAGER, R.TRAINER}),
    K.PROPOSAL: frozenset({R.AGENT, R.TEAM_LEADER, R.EVALUATOR, R.QA_MANAGER, R.TRAINER}),
}
SETTLES: dict[CaseKind, frozenset[Role]] = {
    K.DIFFICULT: frozenset({R.TEAM_LEADER, R.QA_MANAGER}),
    K.PRAISE: frozenset({R.QA_MANAGER}),
    K.COMPLAINT: frozenset({R.QA_MANAGER, R.DIRECTOR}),
    K.GUIDE: frozenset({R.AGENT}),
    K.PROPOSAL: frozenset({R.QA_MANAGER, R.TRAINER}),
}
OUTCOMES: dict[CaseKind, frozenset[CaseState]] = {
    K.DIFFICULT: frozenset({S.DONE}),
    K.PRAISE: frozenset({S.UPHELD, S.DECLINED}),
    K.COMPLAINT: frozenset({S.UPHELD, S.DECLINED}),
    K.GUIDE: frozenset({S.DONE}),
    K.PROPOSAL: frozenset({S.UPHELD, S.DECLINED}),
}


def fault(draft: Draft, *, at: datetime) -> CaseFault | None:
    """Return what a case lacks to be put on record; None when nothing."""
    if not draft.content.strip():
        return CaseFault.CONTENT
    if draft.agent_id is None and draft.kind is not CaseKind.PROPOSAL:
        return CaseFault.AGENT
    if draft.kind is CaseKind.DIFFICULT:
        if not draft.contact.strip():
            return CaseFault.CONTACT
        if draft.due_at is None:
            return CaseFault.DUE
        if draft.due_at <= at:
            return CaseFault.DUE_PAST
    return None


def may_write(user: User, draft: Draft, *, team_id: int | None) -> bool:
    """Tell whether a user may write a case: agents of their own calls, leaders of their team."""
    if not user.is_active or user.role not in WRITES[draft.kind]:
        return False
    if user.role is Role.AGENT:
        return draft.agent_id in (None, user.agent_id)
    return user.role is not Role.TEAM_LEADER or draft.agent_id is None or user.team_id == team_id


def may_read(user: User, case: Case) -> bool:
    """Tell whether a user may read a case: its writer, its agent, their leader, who settles it.

    A complaint is its agent's to read once it is decided.
    """
    if user.id == case.written_by_id:
        return True
    if user.role is Role.AGENT:
        return case.agent_id == user.agent_id and (
            case.kind is not CaseKind.COMPLAINT or not case.is_open
        )
    if user.role is Role.TEAM_LEADER:
        return case.team_id == user.team_id or case.kind is CaseKind.PROPOSAL
    return user.role in (Role.QA_MANAGER, Role.DIRECTOR) or (
        user.role is Role.TRAINER and case.kind in (CaseKind.PROPOSAL, CaseKind.GUIDE)
    )


def may_settle(user: User, case: Case) -> bool:
    """Tell whether a user may settle a case.

    Nobody decides about praise or a complaint that they wrote themselves.
    """
    if not case.is_open or not may_read(user, case) or user.role not in SETTLES[case.kind]:
        return False
    if case.kind is CaseKind.GUIDE:
        return user.agent_id == case.agent_id
    return case.kind is CaseKind.DIFFICULT or user.id != case.written_by_id
