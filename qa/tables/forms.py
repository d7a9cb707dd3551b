"""Form versions. A published one never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import FormState
from qa.tables.base import Base, state_column


class FormVersionRow(Base):
    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("form", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    state: Mapped[FormState] = mapped_column(state_column(FormState, "form_state"))
    title: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime | None]
    # its cards are read by somebody else before release
    needs_second_reader: Mapped[bool] = mapped_column(default=False)
    edition: Mapped[int] = mapped_column(default=1)  # of a draft: the later of two saves is told
    changed_at: Mapped[datetime | None]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
