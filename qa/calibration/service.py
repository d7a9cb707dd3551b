"""Call a calibration session, let people score, write down what they agree on, close it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from qa.assignment import service as assignments
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.calibration import rules, store
from qa.calibration.types import CalibrationSession, RaterAnswers, SessionReport
from qa.checking import store as findings
from qa.forms.rules import partial_score, round_half_up
from qa.forms.types import NOT_APPLICABLE, Form
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.scoring.rules import automatic_option
from qa.states import AssignmentKind, CalibrationState

MOST_CALLS = 20
MOST_PEOPLE = 50


class SessionRefused(ValueError):
    """A session cannot be called like this; the message is a code: title, calls, people, due."""


class SessionClosed(Exception):
    """The session is closed, or not in the state that this needs; nothing was changed."""


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
    """Invite people to score the same calls, each blind to the others and to the automatic answers.
    Raises SessionRefused.
    """
    calls, people = sorted(set(call_ids)), sorted(set(user_ids))
    if not title.strip():
        raise SessionRefused("title")
    if not 1 <= len(calls) <= MOST_CALLS:
        raise SessionRefused("calls")
    if not 2 <= len(people) <= MOST_PEOPLE:
        raise SessionRefused("people")
    if due_at <= at:
        raise SessionRefused("due")
    made = store.add(
        session,
        title=title.strip()[:200],
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
                occasion=store.occasion(made, user_id),
                due_at=due_at,
                at=at,
            )
    record_event(
        session,
        subject=Subject.CALIBRATION,
        subject_id=made,
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
        about=("calibration", made),
        at=at,
        but=by,
        title=title.strip()[:200],
        until=due_at.isoformat(),
    )
    return made


def open_review(session: Session, *, session_id: int, by: int, at: datetime) -> None:
    """End the scoring: from now on members see each other's answers.

    Unfinished forms are withdrawn. Raises SessionClosed.
    """
    found = store.session_by_id(session, session_id)
    if found is None or found.state is not CalibrationState.SCORING:
        raise SessionClosed
    assignments.withdraw_all(
        session,
        store.unfinished_places(session, session_id),
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
        [m.user_id for m in found.members],
        NoticeKind.CALIBRATION_REVIEW,
        about=("calibration", session_id),
        at=at,
        but=by,
        title=found.title,
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
    """Write down what the group settled on; an empty answer is unresolved. Raises SessionClosed."""
    found = store.session_by_id(session, session_id)
    if found is None or found.state is not CalibrationState.REVIEW:
        raise SessionClosed
    for c in found.calls:
        known = {k: o for k, o in agreed.get(c.call_id, {}).items() if _is_choice(form, k, o)}
        if known != c.agreed:
            store.agree(session, session_id, c.call_id, known)
            record_event(
                session,
                subject=Subject.CALIBRATION,
                subject_id=session_id,
                event=EventKind.AGREED,
                at=at,
                actor_id=by,
                call=c.call_id,
                was=c.agreed,
                now=known,
            )
    store.change(
        session, session_id, notes=notes.strip()[:8000], follow_up=follow_up.strip()[:8000]
    )


def close(session: Session, *, session_id: int, by: int, at: datetime) -> None:
    """Nothing changes any more. Raises SessionClosed."""
    found = store.session_by_id(session, session_id)
    if (
        found is None
        or found.state is not CalibrationState.REVIEW
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


def report(
    session: Session, found: CalibrationSession, form: Form
) -> tuple[SessionReport, list[RaterAnswers]]:
    """The figures of a session, and every filled form, the automatic answers among them."""
    fillings = [*store.submitted_answers(session, found.id), *_automatic(session, found, form)]
    return rules.report(found, form, fillings), fillings


def _automatic(session: Session, found: CalibrationSession, form: Form) -> list[RaterAnswers]:
    """The automatic checks as one more rater; where they are unsure they give no answer."""
    made = []
    for c in found.calls:
        result = findings.result(session, c.call_id, found.form_version_id)
        if result is None:
            continue
        proposed = {
            f.criterion: automatic_option(f, k)
            for f in result.findings
            if (k := form.criterion(f.criterion)) is not None
        }
        options = {k: o for k, o in proposed.items() if o is not None}
        complete = {k.id for k in form.criteria()} <= set(options)
        made.append(
            RaterAnswers(
                rules.AUTOMATIC,
                c.call_id,
                options,
                round_half_up(partial_score(form, options).score) if complete else None,
            )
        )
    return made


def _is_choice(form: Form, criterion_id: str, option: str) -> bool:
    criterion = form.criterion(criterion_id)
    return criterion is not None and (
        criterion.na if option == NOT_APPLICABLE else criterion.option(option) is not None
    )
