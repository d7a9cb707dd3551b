"""Publish forms; find the form for a call."""

import functools
import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.forms import store
from qa.forms.editing import with_version
from qa.forms.reader import read_form
from qa.forms.types import Form


class VersionIsPublished(ValueError):
    """This version was published with other content; a published version never changes.

    Raise the version number.
    """


def publish(session: Session, *, source: str, file: str, at: datetime) -> tuple[int, bool]:
    """Publish a form version; the id, and whether it is new.

    The same content twice changes nothing.

    Raises FormFaults and VersionIsPublished.
    """
    form = read_form(source, file=file)
    digest = hashlib.sha256(source.encode()).hexdigest()
    existing = store.version_id(session, form.form, form.version)
    if existing:
        if existing[1] != digest:
            raise VersionIsPublished(
                f"{form.form} version {form.version} is published with other content; write"
                f" version: {form.version + 1}"
            )
        return existing[0], False
    return (
        store.add_version(
            session,
            form=form.form,
            version=form.version,
            title=_title(form),
            source=source,
            sha256=digest,
            published_at=at,
            needs_second_reader=form.release == "second_reader",
        ),
        True,
    )


@functools.lru_cache(maxsize=256)
def parsed(form_version_id: int, source: str) -> Form:
    """Parse a published form, once per process: published versions never change."""
    return read_form(source, file=f"form version {form_version_id}")


def load(session: Session, form_version_id: int) -> Form:
    return parsed(form_version_id, store.source(session, form_version_id))


def current(session: Session) -> list[tuple[int, Form]]:
    """Load the newest published version of every form."""
    return [(i, parsed(i, source)) for i, source in store.current(session)]


def form_for(
    session: Session,
    *,
    project: str,
    queue: str,
    direction: str,
    language: str | None,
    duration: float,
) -> tuple[int, Form] | None:
    """Find the newest published form for a call.

    Of several that apply, the most specific (project, then queue, then direction, then fewest
    languages).
    """
    candidates = []
    for version_id, source in store.current(session):
        form = parsed(version_id, source)
        a = form.applies_to
        if (
            a.project not in ("*", project)
            or a.queue not in ("*", queue)
            or a.direction not in ("*", direction)
            or duration < a.min_duration_seconds
        ):
            continue
        if language and language not in form.languages:
            continue
        candidates.append(
            (
                (a.project != "*", a.queue != "*", a.direction != "*", -len(form.languages)),
                version_id,
                form,
            )
        )
    if not candidates:
        return None
    _, version_id, form = max(candidates, key=lambda c: c[0])
    return version_id, form


def vocabulary(session: Session) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """For every criterion of the published forms its title per language, and its training topic."""
    titles: dict[str, dict[str, str]] = {}
    topics: dict[str, str] = {}
    for version_id, source in store.current(session):
        form = parsed(version_id, source)
        for criterion in form.criteria():
            title = (
                criterion.title
                if isinstance(criterion.title, dict)
                else dict.fromkeys(form.languages, criterion.title)
            )
            titles[criterion.id] = {
                **{str(k): v for k, v in title.items()},
                **titles.get(criterion.id, {}),
            }
            if criterion.training_topic:
                topics.setdefault(criterion.id, criterion.training_topic)
    return titles, topics


class DraftChanged(Exception):
    """Somebody saved the draft since it was loaded; nothing was overwritten."""


class NotADraft(Exception):
    """The version is published or retired, or not there: it does not change."""


class NotItself(ValueError):
    """The YAML names another form or version than the draft is for."""


def draft_of(session: Session, *, form_version_id: int, by: int, at: datetime) -> int:
    """Find or make the draft of the next version of a form.

    The one that is there, else a copy of this version.
    """
    row = store.facts(session, form_version_id)
    existing = store.draft(session, row.form)
    if existing is not None:
        return existing
    number = store.highest_version(session, row.form) + 1
    source = with_version(store.source(session, form_version_id), number)
    made = store.add_draft(
        session, form=row.form, version=number, title=row.title, source=source, by=by, at=at
    )
    record_event(
        session,
        subject=Subject.FORM,
        subject_id=made,
        event=EventKind.CREATED,
        at=at,
        actor_id=by,
        form=row.form,
        version=number,
    )
    return made


def import_draft(session: Session, *, source: str, by: int, at: datetime) -> int:
    """Make a draft from YAML that somebody brings along; its number is the form's next free one.

    Raises FormFaults.
    """
    form = read_form(source, file="form")
    existing = store.draft(session, form.form)
    number = store.highest_version(session, form.form) + 1
    if existing is not None:
        raise DraftChanged
    made = store.add_draft(
        session,
        form=form.form,
        version=number,
        title=_title(form),
        source=with_version(source, number),
        by=by,
        at=at,
    )
    record_event(
        session,
        subject=Subject.FORM,
        subject_id=made,
        event=EventKind.CREATED,
        at=at,
        actor_id=by,
        form=form.form,
        version=number,
    )
    return made


def save_draft(
    session: Session, *, form_version_id: int, source: str, edition: int, by: int, at: datetime
) -> int:
    """Keep what was written, faults and all; the new edition. Raises NotADraft and DraftChanged."""
    if not store.save_draft(session, form_version_id, source=source, edition=edition, by=by, at=at):
        raise DraftChanged if store.facts(session, form_version_id).is_draft else NotADraft
    return edition + 1


def publish_draft(session: Session, *, form_version_id: int, by: int, at: datetime) -> Form:
    """From now on calls are checked and scored with it; it never changes again.

    Raises FormFaults, NotItself and NotADraft.
    """
    row = store.facts(session, form_version_id)
    source = store.source(session, form_version_id)
    form = read_form(source, file=row.form)
    if (form.form, form.version) != (row.form, row.version):
        raise NotItself
    digest = hashlib.sha256(source.encode()).hexdigest()
    if not store.publish_draft(
        session,
        form_version_id,
        title=_title(form),
        sha256=digest,
        needs_second_reader=form.release == "second_reader",
        at=at,
    ):
        raise NotADraft
    record_event(
        session,
        subject=Subject.FORM,
        subject_id=form_version_id,
        event=EventKind.PUBLISHED,
        at=at,
        actor_id=by,
        form=form.form,
        version=form.version,
    )
    return form


def retire(session: Session, *, form_version_id: int, by: int, at: datetime) -> None:
    """No new call is scored with this form, in this version or an older one; cards that use it stay
    as they are. Raises NotADraft.
    """
    row = store.facts(session, form_version_id)
    if not store.retire(session, row.form, row.version):
        raise NotADraft
    record_event(
        session,
        subject=Subject.FORM,
        subject_id=form_version_id,
        event=EventKind.RETIRED,
        at=at,
        actor_id=by,
        form=row.form,
        version=row.version,
    )


def discard_draft(session: Session, *, form_version_id: int, by: int, at: datetime) -> None:
    """Throw a draft away; nothing ever used it. Raises NotADraft."""
    row = store.facts(session, form_version_id)
    if not store.discard_draft(session, form_version_id):
        raise NotADraft
    record_event(
        session,
        subject=Subject.FORM,
        subject_id=form_version_id,
        event=EventKind.DISCARDED,
        at=at,
        actor_id=by,
        form=row.form,
        version=row.version,
    )


def _title(form: Form) -> dict[str, str]:
    title = (
        form.title if isinstance(form.title, dict) else dict.fromkeys(form.languages, form.title)
    )
    return {str(k): v for k, v in title.items()}
