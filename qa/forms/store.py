"""Queries on form versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qa.tables.forms import FormState, FormVersionRow


def version_id(session: Session, form: str, version: int) -> tuple[int, str] | None:
    """Id and content hash of a version."""
    row = session.execute(select(FormVersionRow.id, FormVersionRow.sha256).where(FormVersionRow.form == form, FormVersionRow.version == version)).first()
    return (row[0], row[1]) if row else None


def add_version(session: Session, *, form: str, version: int, title: dict[str, str], source: str, sha256: str, published_at: datetime, **fields: Any) -> int:
    row = FormVersionRow(form=form, version=version, state=FormState.PUBLISHED, title=title, source=source, sha256=sha256, published_at=published_at, **fields)
    session.add(row)
    session.flush()
    return row.id


def source(session: Session, form_version_id: int) -> str:
    """The YAML of a version; raises NoResultFound."""
    return session.scalars(select(FormVersionRow.source).where(FormVersionRow.id == form_version_id)).one()


def current(session: Session) -> list[tuple[int, str]]:
    """Id and YAML of the newest published version of every form."""
    newest = select(FormVersionRow.form, func.max(FormVersionRow.version).label("top")).where(FormVersionRow.state == FormState.PUBLISHED)
    latest = newest.group_by(FormVersionRow.form).subquery()
    query = select(FormVersionRow.id, FormVersionRow.source).join(latest, (latest.c.form == FormVersionRow.form) & (latest.c.top == FormVersionRow.version))
    return [(i, s) for i, s in session.execute(query.order_by(FormVersionRow.form))]


def versions(session: Session) -> list[FormVersionRow]:
    return list(session.scalars(select(FormVersionRow).order_by(FormVersionRow.form, FormVersionRow.version.desc())))
