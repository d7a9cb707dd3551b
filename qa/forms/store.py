"""Queries on form versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from qa.forms.types import VersionFacts
from qa.states import FormState
from qa.tables.database import affected_rows
from qa.tables.forms import FormVersionRow


def version_id(session: Session, form: str, version: int) -> tuple[int, str] | None:
    """Id and content hash of a version."""
    row = session.execute(
        select(FormVersionRow.id, FormVersionRow.sha256).where(
            FormVersionRow.form == form, FormVersionRow.version == version
        )
    ).first()
    return (row[0], row[1]) if row else None


def add_version(
    session: Session,
    *,
    form: str,
    version: int,
    title: dict[str, str],
    source: str,
    sha256: str,
    published_at: datetime,
    **fields: Any,
) -> int:
    row = FormVersionRow(
        form=form,
        version=version,
        state=FormState.PUBLISHED,
        title=title,
        source=source,
        sha256=sha256,
        published_at=published_at,
        **fields,
    )
    session.add(row)
    session.flush()
    return row.id


def source(session: Session, form_version_id: int) -> str:
    """Load the YAML of a version; raises NoResultFound."""
    return session.scalars(
        select(FormVersionRow.source).where(FormVersionRow.id == form_version_id)
    ).one()


def current(session: Session) -> list[tuple[int, str]]:
    """Id and YAML of the newest published version of every form."""
    newest = select(FormVersionRow.form, func.max(FormVersionRow.version).label("top")).where(
        FormVersionRow.state == FormState.PUBLISHED
    )
    latest = newest.group_by(FormVersionRow.form).subquery()
    query = select(FormVersionRow.id, FormVersionRow.source).join(
        latest, (latest.c.form == FormVersionRow.form) & (latest.c.top == FormVersionRow.version)
    )
    return [(i, s) for i, s in session.execute(query.order_by(FormVersionRow.form))]


def versions(session: Session) -> list[FormVersionRow]:
    return list(
        session.scalars(
            select(FormVersionRow).order_by(FormVersionRow.form, FormVersionRow.version.desc())
        )
    )


def facts(session: Session, form_version_id: int) -> VersionFacts:
    """Raises NoResultFound."""
    return _facts(
        session.scalars(select(FormVersionRow).where(FormVersionRow.id == form_version_id)).one()
    )


def versions_of(session: Session, form: str) -> list[VersionFacts]:
    """Every version of a form, the newest first."""
    return [
        _facts(r)
        for r in session.scalars(
            select(FormVersionRow)
            .where(FormVersionRow.form == form)
            .order_by(FormVersionRow.version.desc())
        )
    ]


def _facts(row: FormVersionRow) -> VersionFacts:
    return VersionFacts(
        row.id, row.form, row.version, row.state.value, dict(row.title), row.edition, row.changed_at
    )


def draft(session: Session, form: str) -> int | None:
    return session.scalar(
        select(FormVersionRow.id).where(
            FormVersionRow.form == form, FormVersionRow.state == FormState.DRAFT
        )
    )


def highest_version(session: Session, form: str) -> int:
    return (
        session.scalar(select(func.max(FormVersionRow.version)).where(FormVersionRow.form == form))
        or 0
    )


def add_draft(
    session: Session,
    *,
    form: str,
    version: int,
    title: dict[str, str],
    source: str,
    by: int,
    at: datetime,
) -> int:
    row = FormVersionRow(
        form=form,
        version=version,
        state=FormState.DRAFT,
        title=title,
        source=source,
        sha256="",
        changed_at=at,
        changed_by_id=by,
    )
    session.add(row)
    session.flush()
    return row.id


def _draft(form_version_id: int) -> Any:
    return (FormVersionRow.id == form_version_id, FormVersionRow.state == FormState.DRAFT)


def save_draft(
    session: Session, form_version_id: int, *, source: str, edition: int, by: int, at: datetime
) -> bool:
    """Write a draft if nobody saved it since `edition`."""
    change = update(FormVersionRow).where(
        *_draft(form_version_id), FormVersionRow.edition == edition
    )
    values = {"source": source, "edition": edition + 1, "changed_by_id": by, "changed_at": at}
    return affected_rows(session, change.values(**values)) > 0


def publish_draft(
    session: Session,
    form_version_id: int,
    *,
    title: dict[str, str],
    sha256: str,
    needs_second_reader: bool,
    at: datetime,
) -> bool:
    values = {
        "state": FormState.PUBLISHED,
        "title": title,
        "sha256": sha256,
        "published_at": at,
        "needs_second_reader": needs_second_reader,
    }
    changed = update(FormVersionRow).where(*_draft(form_version_id)).values(**values)
    return affected_rows(session, changed) > 0


def retire(session: Session, form: str, version: int) -> bool:
    """Retire every published version up to this one."""
    older = (
        FormVersionRow.form == form,
        FormVersionRow.version <= version,
        FormVersionRow.state == FormState.PUBLISHED,
    )
    changed = update(FormVersionRow).where(*older).values(state=FormState.RETIRED)
    return affected_rows(session, changed) > 0


def discard_draft(session: Session, form_version_id: int) -> bool:
    return affected_rows(session, delete(FormVersionRow).where(*_draft(form_version_id))) > 0
