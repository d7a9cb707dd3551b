"""Tell people, where they want to be told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qa.notices import store
from qa.notices.types import NoticeKind


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
    """Tell each of these users once, in the transaction of what it tells about; `but` is who did it
    and knows; `project` whose work it is.
    """
    subject, subject_id = about
    wanted = sorted(set(user_ids) - {but})
    for user_id, address, choice in store.readers(session, wanted, kind) if wanted else ():
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
