"""Set targets, agree on improvement actions and see them through."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.states import ImprovementActionState
from qa.targets import rules, store
from qa.targets.types import ActionFault, ImprovementActionDraft, TargetDraft, TargetFault
from qa.text import bounded_text


class TargetRefused(ValueError):
    """A target that cannot be set or ended; `fault` says why."""

    def __init__(self, fault: TargetFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class ActionRefused(ValueError):
    """An improvement action that cannot be added or moved on; `fault` says why."""

    def __init__(self, fault: ActionFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def set_target(session: Session, draft: TargetDraft, *, by: int, at: datetime) -> int:
    """Set a target from now on. Raises TargetRefused."""
    fault = rules.target_fault(draft)
    if fault is not None:
        raise TargetRefused(fault)
    target_id = store.add_target(session, draft, by=by, at=at)
    detail = {
        "indicator": draft.indicator.value,
        "scope": draft.scope.value,
        "of": draft.scope_id,
        "value": draft.value,
        "from": draft.first_month,
    }
    record_event(
        session,
        subject=Subject.TARGET,
        subject_id=target_id,
        event=EventKind.SETTING_CHANGED,
        at=at,
        actor_id=by,
        **detail,
    )
    return target_id


def end_target(session: Session, *, target_id: int, last_month: str, by: int, at: datetime) -> None:
    """End a target with a month; what it said of earlier months stays.

    Raises TargetRefused.
    """
    if not rules.MONTH.fullmatch(last_month):
        raise TargetRefused(TargetFault.MONTH)
    if not store.end_target(session, target_id, last_month=last_month):
        raise TargetRefused(TargetFault.UNKNOWN)
    record_event(
        session,
        subject=Subject.TARGET,
        subject_id=target_id,
        event=EventKind.FINISHED,
        at=at,
        actor_id=by,
        last_month=last_month,
    )


def add_action(
    session: Session, draft: ImprovementActionDraft, *, is_agreed: bool, by: int, at: datetime
) -> int:
    """Add an improvement action: agreed where somebody owns it with a date, else proposed.

    Raises ActionRefused.
    """
    if not draft.title.strip() or not rules.MONTH.fullmatch(draft.month):
        raise ActionRefused(ActionFault.TITLE)
    if is_agreed and (draft.owner_id is None or draft.due_on is None):
        raise ActionRefused(ActionFault.OWNER)
    state = ImprovementActionState.AGREED if is_agreed else ImprovementActionState.PROPOSED
    action_id = store.add_action(session, draft, state=state, by=by, at=at)
    record_event(
        session,
        subject=Subject.MEASURE,
        subject_id=action_id,
        event=EventKind.ADDED,
        at=at,
        actor_id=by,
        title=draft.title[:200],
        state=state.value,
    )
    return action_id


def move_action(
    session: Session,
    *,
    action_id: int,
    to: ImprovementActionState,
    result: str,
    on: date,
    by: int,
    at: datetime,
    owner_id: int | None = None,
    due_on: date | None = None,
) -> None:
    """Agree on or drop a proposal, finish or drop an agreed action, with its result.

    Raises ActionRefused.
    """
    actions = store.actions(session, action_id=action_id)
    if not actions or to not in rules.NEXT[actions[0].state]:
        raise ActionRefused(ActionFault.MOVED)
    is_end = to in (ImprovementActionState.DONE, ImprovementActionState.DROPPED)
    if is_end and not result.strip():
        raise ActionRefused(ActionFault.RESULT)
    fields = (
        {}
        if is_end
        else {"owner_id": owner_id or actions[0].owner_id, "due_on": due_on or actions[0].due_on}
    )
    if not is_end and not all(fields.values()):
        raise ActionRefused(ActionFault.OWNER)
    if not store.move_action(
        session,
        action_id,
        was=actions[0].state,
        to=to,
        result=bounded_text(result, 4000),
        on=on if is_end else None,
        **fields,
    ):
        raise ActionRefused(ActionFault.MOVED)
    record_event(
        session,
        subject=Subject.MEASURE,
        subject_id=action_id,
        event=EventKind.FINISHED if is_end else EventKind.AGREED,
        at=at,
        actor_id=by,
        state=to.value,
    )
