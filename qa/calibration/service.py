"""Call, review and close calibration sessions, and record what their members agree on."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from qa.assignment import service as assignments
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.calibration import rules, store
from qa.calibration.types import CalibrationSession, RaterAnswers, SessionFault, SessionReport
from qa.checking.service import findings_by_criterion
from qa.forms import service as forms
from qa.forms.rules import partial_score, round_half_up
from qa.forms.types import NOT_APPLICABLE, Form
from qa.notices.service import mark_read_about, notify
from qa.notices.types import NoticeKind
from qa.scoring.rules import automatic_option
from qa.states import AssignmentKind, CalibrationState
from qa.text import bounded_text

MOST_CALLS = 20
MOST_PEOPLE = 50


class SessionRefused(ValueError):
    """Raised where a session cannot be called like this; `fault` says why."""

    def __init__(self, fault: SessionFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SessionClosed(Exception):
    """Raised where a session is not in the state that this needs; nothing was changed."""


def call(
    session: Session,
    *,
    title: str,
    form_version_id: int,
    call_ids: Sequence[int],
    user_ids: Sequence[int],
    due_at: datetime,
    by: int,
    at: datetime,
) -> int:
    """Call a calibration session: invite people to score the same calls, each blind to the others.

    They do not see the automatic answers either. Raises SessionRefused.
    """
    calls, people = sorted(set(call_ids)), sorted(set(user_ids))
    if form_version_id not in {version_id for version_id, _form in forms.current(session)}:
        raise SessionRefused(SessionFault.FORM)
    if not title.strip():
        raise SessionRefused(SessionFault.TITLE)
    if not 1 <= len(calls) <= MOST_CALLS:
        raise SessionRefused(SessionFault.CALLS)
    if not 2 <= len(people) <= MOST_PEOPLE:
        raise SessionRefused(SessionFault.PEOPLE)
    if due_at <= at:
        raise SessionRefused(SessionFault.DUE)
    session_id = store.add(
        session,
        title=bounded_text(title, 200),
        form_version_id=form_version_id,
        due_at=due_at,
        by=by,
        at=at,
        call_ids=calls,
        user_ids=people,
    )
    for user_id in people:
        for call_id in calls:
            assignments.reserve_for(
                session,
                call_id=call_id,
                form_version_id=form_version_id,
                user_id=user_id,
                kind=AssignmentKind.CALIBRATION,
                occasion=store.occasion(session_id, user_id),
                due_at=due_at,
                at=at,
            )
    record_event(
        session,
        subject=Subject.CALIBRATION,
        subject_id=session_id,
        event=EventKind.CREATED,
        at=at,
        actor_id=by,
        calls=calls,
        people=people,
    )
    notify(
        session,
        people,
        NoticeKind.CALIBRATION_INVITED,
        about=("calibration", session_id),
        at=at,
        but=by,
        title=bounded_text(title, 200),
        until=due_at.isoformat(),
    )
    return session_id


def open_review(session: Session, *, session_id: int, by: int, at: datetime) -> None:
    """Open the review of a session: scoring ends, and members see each other's answers.

    Unfinished assignments are withdrawn. Raises SessionClosed.
    """
    reviewed = store.session_by_id(session, session_id)
    if reviewed is None or reviewed.state is not CalibrationState.SCORING:
        raise SessionClosed
    assignments.withdraw_all(
        session,
        store.unfinished_assignments(session, session_id),
        reason="the scoring of the session ended",
        at=at,
    )
    store.change(session, session_id, state=CalibrationState.REVIEW)
    record_event(
        session,
        subject=Subject.CALIBRATION,
        subject_id=session_id,
        event=EventKind.REVIEWED,
        at=at,
        actor_id=by,
    )
    notify(
        session,
        [m.user_id for m in reviewed.members],
        NoticeKind.CALIBRATION_REVIEW,
        about=("calibration", session_id),
        at=at,
        but=by,
        title=reviewed.title,
    )


def agree(
    session: Session,
    *,
    session_id: int,
    agreed: Mapping[int, Mapping[str, str]],
    notes: str,
    follow_up: str,
    form: Form,
    by: int,
    at: datetime,
) -> None:
    """Record what the group agrees on; an empty answer is unresolved. Raises SessionClosed."""
    reviewed = store.session_by_id(session, session_id)
    if reviewed is None or reviewed.state is not CalibrationState.REVIEW:
        raise SessionClosed
    for c in reviewed.calls:
        valid = {k: o for k, o in agreed.get(c.call_id, {}).items() if _is_choice(form, k, o)}
        if valid != c.agreed:
            store.agree(session, session_id, c.call_id, valid)
            record_event(
                session,
                subject=Subject.CALIBRATION,
                subject_id=session_id,
                event=EventKind.AGREED,
                at=at,
                actor_id=by,
                call=c.call_id,
                was=c.agreed,
                now=valid,
            )
    store.change(
        session,
        session_id,
        notes=bounded_text(notes, 8000),
        follow_up=bounded_text(follow_up, 8000),
    )


def close(session: Session, *, session_id: int, by: int, at: datetime) -> None:
    """Close a session: nothing changes any more. Raises SessionClosed."""
    reviewed = store.session_by_id(session, session_id)
    if (
        reviewed is None
        or reviewed.state is not CalibrationState.REVIEW
        or not store.change(session, session_id, state=CalibrationState.CLOSED, closed_at=at)
    ):
        raise SessionClosed
    record_event(
        session,
        subject=Subject.CALIBRATION,
        subject_id=session_id,
        event=EventKind.CLOSED,
        at=at,
        actor_id=by,
    )


def record_opening(session: Session, *, session_id: int, by: int, at: datetime) -> None:
    """Record that somebody opened a session's page, and mark their notices about it as read."""
    mark_read_about(session, user_id=by, about=("calibration", session_id), at=at)
    record_event(
        session,
        subject=Subject.CALIBRATION,
        subject_id=session_id,
        event=EventKind.OPENED,
        at=at,
        actor_id=by,
    )


def report(
    session: Session, calibration: CalibrationSession, form: Form
) -> tuple[SessionReport, list[RaterAnswers]]:
    """Compute a session's figures; with them every filled form, the automatic one too."""
    people = store.submitted_answers(session, calibration.id)
    fillings = [*people, *_automatic(session, calibration, form)]
    return rules.report(calibration, form, fillings), fillings


def _automatic(session: Session, calibration: CalibrationSession, form: Form) -> list[RaterAnswers]:
    """Return the automatic checks as one more rater; where they are unsure they give no answer."""
    fillings = []
    for call in calibration.calls:
        findings = findings_by_criterion(
            session, call_id=call.call_id, form_version_id=calibration.form_version_id
        )
        if findings is None:
            continue
        options = {}
        for criterion in form.criteria():
            proposed = automatic_option(findings.get(criterion.id), criterion)
            if proposed is not None:
                options[criterion.id] = proposed
        is_complete = {criterion.id for criterion in form.criteria()} <= set(options)
        score = round_half_up(partial_score(form, options).score) if is_complete else None
        fillings.append(RaterAnswers(rules.AUTOMATIC, call.call_id, options, score))
    return fillings


def _is_choice(form: Form, criterion_id: str, option: str) -> bool:
    criterion = form.criterion(criterion_id)
    if criterion is None:
        return False
    return criterion.na if option == NOT_APPLICABLE else criterion.option(option) is not None
