"""Tables of notices, in the page and by mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from qa.tables.base import Base


class NoticeRow(Base):
    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_user", "user_id", "read_at", "id"),
        Index("ix_notice_mail", "mail_at", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    # whose work it tells about, where it is one's
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # names and figures of its sentence
    at: Mapped[datetime]
    in_page: Mapped[bool] = mapped_column(default=True)
    mail_at: Mapped[datetime | None]  # of the next try; none: nothing to send
    mail_attempts: Mapped[int] = mapped_column(default=0)
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]


class NoticeChoiceRow(Base):
    """Which kinds a person wants, and where.

    No row: in the page, and by mail where an address is known.
    """

    __tablename__ = "notice_choice"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    in_page: Mapped[bool]
    by_mail: Mapped[bool]
