"""The access log: who saw, played, changed and exported what, searched and exported."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, render_template, request

from qa.audit import store
from qa.audit.types import Event, EventKind, Subject
from qa.months import day_bounds
from qa.people import store as people
from qa.web.context import now, person, reading, wiring, writing
from qa.web.exports import as_csv

blueprint = Blueprint("audit", __name__)
PAGE = 100
EXPORT = 100_000


@dataclass(frozen=True)
class Asked:
    """What the page was asked for; what cannot be read counts as not asked."""

    actor_id: int | None
    what: str | None
    subject: Subject | None
    subject_id: int | None
    since: datetime | None
    until: datetime | None

    @classmethod
    def of_request(cls) -> "Asked":
        args = request.args
        kind = args.get("subject", "")
        return cls(
            args.get("who", type=int),
            args.get("what") or None,
            Subject(kind) if kind in {s.value for s in Subject} else None,
            args.get("id", type=int),
            _day(args.get("from")),
            _day(args.get("to"), days=1),
        )


@blueprint.get("/access-log")
def log() -> Response | str:
    asked = Asked.of_request()
    wants_csv = request.args.get("format") == "csv"
    with reading() as session:
        events = store.history(
            session,
            **vars(asked),
            before_id=request.args.get("before", type=int),
            limit=EXPORT if wants_csv else PAGE + 1,
        )
        users, kinds, head = people.users(session), store.kinds(session), store.head(session)
    if wants_csv:
        return _export(events)
    given = {k: v for k, v in request.args.items() if v and k != "before"}
    more = events[PAGE - 1].id if len(events) > PAGE else None
    return render_template(
        "audit/log.html",
        events=events[:PAGE],
        more=more,
        users=users,
        kinds=kinds,
        subjects=Subject,
        given=given,
        head=head,
    )


def _export(events: list[Event]) -> Response:
    with writing() as session:
        store.record_event(
            session,
            subject=Subject.USER,
            subject_id=person().id,
            event=EventKind.EXPORTED,
            at=now(),
            actor_id=person().id,
            table="access-log",
            rows=len(events),
        )
    rows = [
        (e.id, e.at.isoformat(), e.actor or "", e.what, e.subject, e.subject_id, e.detail)
        for e in events
    ]
    return as_csv(
        "access-log", ("id", "at", "who", "what", "subject", "subject_id", "detail"), rows
    )


def _day(text: str | None, *, days: int = 0) -> datetime | None:
    try:
        day = date.fromisoformat(text or "") + timedelta(days=days)
        return day_bounds(day, wiring().settings.zone)[0]
    except (ValueError, OverflowError):
        return None
