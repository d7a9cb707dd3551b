"""Notify users where they want it, mark notices read, save what they choose."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qa.notices import store
from qa.notices.types import Notice, NoticeChoice, NoticeKind


def notify(
    session: Session,
    user_ids: Iterable[int],
    kind: NoticeKind,
    *,
    about: tuple[str, int],
    at: datetime,
    but: int | None = None,
    project: int | None = None,
    **facts: Any,
) -> None:
    """Notify each of these users once, in the transaction of what it is about.

    `but` is who did it and needs no notice; `project` whose work it is.
    """
    subject, subject_id = about
    receivers = sorted(set(user_ids) - {but})
    for user_id, address, choice in store.readers(session, receivers, kind) if receivers else ():
        by_mail = choice.by_mail and bool(address)
        if choice.in_page or by_mail:
            store.add(
                session,
                user_id=user_id,
                kind=kind,
                subject=subject,
                subject_id=subject_id,
                project_id=project,
                facts=facts,
                at=at,
                in_page=choice.in_page,
                by_mail=by_mail,
            )


def mark_read_about(
    session: Session, *, user_id: int, about: tuple[str, int], at: datetime
) -> None:
    """Mark a user's notices about something as read, because they have opened it."""
    subject, subject_id = about
    store.mark_read_about(session, user_id, subject=subject, subject_id=subject_id, at=at)


def open_notice(session: Session, *, user_id: int, notice_id: int, at: datetime) -> Notice | None:
    """Return a notice of this user and mark it read; None where there is none."""
    notice = store.notice(session, user_id, notice_id)
    if notice is not None:
        store.mark_read(session, user_id, at=at, notice_id=notice_id)
    return notice


def mark_all_read(session: Session, *, user_id: int, at: datetime) -> None:
    """Mark every notice of a user read."""
    store.mark_read(session, user_id, at=at)


def choose(session: Session, *, user_id: int, choices: Mapping[NoticeKind, NoticeChoice]) -> None:
    """Save where a user wants to be notified, by kind."""
    for kind, choice in choices.items():
        store.save_choice(session, user_id, kind, choice)


def last_notice_at(session: Session, kind: NoticeKind) -> datetime | None:
    """Return when anybody was last told of this kind; None where nobody was."""
    return store.newest(session, kind)
