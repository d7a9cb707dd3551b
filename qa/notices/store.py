"""Queries on notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from qa.notices.types import Notice, NoticeChoice, NoticeKind, QueuedMail
from qa.tables.database import affected_rows
from qa.tables.notices import NoticeChoiceRow, NoticeRow
from qa.tables.people import UserRow


def add(
    session: Session,
    *,
    user_id: int,
    kind: NoticeKind,
    subject: str,
    subject_id: int,
    project_id: int | None,
    facts: dict[str, Any],
    at: datetime,
    in_page: bool,
    by_mail: bool,
) -> None:
    row = NoticeRow(
        user_id=user_id,
        kind=kind.value,
        subject=subject,
        subject_id=subject_id,
        project_id=project_id,
        facts=facts,
        at=at,
        in_page=in_page,
        mail_at=at if by_mail else None,
    )
    session.add(row)


def readers(
    session: Session, user_ids: Sequence[int], kind: NoticeKind
) -> list[tuple[int, str, NoticeChoice]]:
    """List the active ones of some users: id, mail address, where they want this kind."""
    query = (
        select(UserRow.id, UserRow.email, NoticeChoiceRow.in_page, NoticeChoiceRow.by_mail)
        .outerjoin(
            NoticeChoiceRow,
            (NoticeChoiceRow.user_id == UserRow.id) & (NoticeChoiceRow.kind == kind.value),
        )
        .where(UserRow.id.in_(user_ids), UserRow.is_active)
    )
    return [
        (u, mail, NoticeChoice() if page is None else NoticeChoice(page, by_mail))
        for u, mail, page, by_mail in session.execute(query)
    ]


def choices(session: Session, user_id: int) -> dict[NoticeKind, NoticeChoice]:
    rows = session.scalars(select(NoticeChoiceRow).where(NoticeChoiceRow.user_id == user_id))
    chosen = {
        NoticeKind(r.kind): NoticeChoice(r.in_page, r.by_mail)
        for r in rows
        if r.kind in {k.value for k in NoticeKind}
    }
    return {k: chosen.get(k, NoticeChoice()) for k in NoticeKind}


def save_choice(session: Session, user_id: int, kind: NoticeKind, choice: NoticeChoice) -> None:
    session.merge(
        NoticeChoiceRow(
            user_id=user_id, kind=kind.value, in_page=choice.in_page, by_mail=choice.by_mail
        )
    )


def notices(
    session: Session, user_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[Notice]:
    query = (
        select(NoticeRow)
        .where(NoticeRow.user_id == user_id, NoticeRow.in_page)
        .order_by(NoticeRow.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        query = query.where(NoticeRow.id < before_id)
    return [_notice(r) for r in session.scalars(query)]


def newest(session: Session, kind: NoticeKind) -> datetime | None:
    """Return when anybody was last notified of this kind."""
    return session.scalar(select(func.max(NoticeRow.at)).where(NoticeRow.kind == kind.value))


def unread(session: Session, user_id: int) -> int:
    query = (
        select(func.count())
        .select_from(NoticeRow)
        .where(NoticeRow.user_id == user_id, NoticeRow.read_at.is_(None), NoticeRow.in_page)
    )
    return session.scalar(query) or 0


def mark_read(
    session: Session, user_id: int, *, at: datetime, notice_id: int | None = None
) -> None:
    change = update(NoticeRow).where(NoticeRow.user_id == user_id, NoticeRow.read_at.is_(None))
    session.execute(
        (change.where(NoticeRow.id == notice_id) if notice_id is not None else change).values(
            read_at=at
        )
    )


def mark_read_about(
    session: Session, user_id: int, *, subject: str, subject_id: int, at: datetime
) -> None:
    """Mark the notices read that are about what a user opens."""
    change = update(NoticeRow).where(NoticeRow.user_id == user_id, NoticeRow.read_at.is_(None))
    session.execute(
        change.where(NoticeRow.subject == subject, NoticeRow.subject_id == subject_id).values(
            read_at=at
        )
    )


def notice(session: Session, user_id: int, notice_id: int) -> Notice | None:
    row = session.get(NoticeRow, notice_id)
    return _notice(row) if row and row.user_id == user_id else None


def due_mails(session: Session, *, now: datetime, limit: int = 100) -> list[QueuedMail]:
    query = (
        select(NoticeRow, UserRow.email, UserRow.display_name, UserRow.language)
        .join(UserRow, UserRow.id == NoticeRow.user_id)
        .where(NoticeRow.mail_at <= now, UserRow.is_active, UserRow.email != "")
        .order_by(NoticeRow.mail_at, NoticeRow.id)
        .limit(limit)
    )
    return [
        QueuedMail(_notice(n), mail, name, language, n.mail_attempts)
        for n, mail, name, language in session.execute(query)
    ]


def claim_mail(session: Session, letter: QueuedMail, *, again_at: datetime) -> bool:
    """Claim a mail for this process; false where another took it since it was read.

    If we die, it is tried again later.
    """
    change = update(NoticeRow).where(
        NoticeRow.id == letter.notice.id,
        NoticeRow.mail_attempts == letter.attempts,
        NoticeRow.mailed_at.is_(None),
    )
    statement = change.values(mail_attempts=letter.attempts + 1, mail_at=again_at)
    return affected_rows(session, statement) > 0


def record_mail_result(session: Session, notice_id: int, *, sent_at: datetime | None) -> None:
    """Note that a mail was sent, or given up."""
    session.execute(
        update(NoticeRow).where(NoticeRow.id == notice_id).values(mail_at=None, mailed_at=sent_at)
    )


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        row.id, NoticeKind(row.kind), row.subject, row.subject_id, row.facts, row.at, row.read_at
    )
