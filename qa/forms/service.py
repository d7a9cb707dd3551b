"""Publish forms; find the form for a call."""

import functools
import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from qa.forms import store
from qa.forms.reader import read_form
from qa.forms.types import Form


class VersionIsPublished(ValueError):
    """This version was published with other content; a published version never changes. Raise the version number."""


def publish(session: Session, *, source: str, file: str, at: datetime) -> tuple[int, bool]:
    """Publish a form version; the id, and whether it is new. The same content twice changes nothing.

    Raises FormFaults and VersionIsPublished.
    """
    form = read_form(source, file=file)
    digest = hashlib.sha256(source.encode()).hexdigest()
    existing = store.version_id(session, form.form, form.version)
    if existing:
        if existing[1] != digest:
            raise VersionIsPublished(f"{form.form} version {form.version} is published with other content; write version: {form.version + 1}")
        return existing[0], False
    title = form.title if isinstance(form.title, dict) else dict.fromkeys(form.languages, form.title)
    return store.add_version(
        session,
        form=form.form,
        version=form.version,
        title={str(k): v for k, v in title.items()},
        source=source,
        sha256=digest,
        published_at=at,
        needs_second_reader=form.release == "second_reader",
    ), True


@functools.lru_cache(maxsize=256)
def parsed(form_version_id: int, source: str) -> Form:
    """A published form, parsed once per process: published versions never change."""
    return read_form(source, file=f"form version {form_version_id}")


def load(session: Session, form_version_id: int) -> Form:
    return parsed(form_version_id, store.source(session, form_version_id))


def current(session: Session) -> list[tuple[int, Form]]:
    """The newest published version of every form."""
    return [(i, parsed(i, source)) for i, source in store.current(session)]


def form_for(session: Session, *, project: str, queue: str, direction: str, language: str | None, duration: float) -> tuple[int, Form] | None:
    """The newest published form for a call; of several that apply, the most specific (project, then queue, then direction, then fewest languages)."""
    candidates = []
    for version_id, source in store.current(session):
        form = parsed(version_id, source)
        a = form.applies_to
        if a.project not in ("*", project) or a.queue not in ("*", queue) or a.direction not in ("*", direction) or duration < a.min_duration_seconds:
            continue
        if language and language not in form.languages:
            continue
        candidates.append(((a.project != "*", a.queue != "*", a.direction != "*", -len(form.languages)), version_id, form))
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
            title = criterion.title if isinstance(criterion.title, dict) else dict.fromkeys(form.languages, criterion.title)
            titles[criterion.id] = {**{str(k): v for k, v in title.items()}, **titles.get(criterion.id, {})}
            if criterion.training_topic:
                topics.setdefault(criterion.id, criterion.training_topic)
    return titles, topics
