"""Page of the access log: search and export who saw, played, changed and exported what."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, render_template, request

from qa.audit import service, store
from qa.audit.types import Event, Subject
from qa.months import day_bounds
from qa.people import store as people
from qa.web.context import now, person, reading, wiring, writing
from qa.web.exports import as_csv

blueprint = Blueprint("audit", __name__)
PAGE = 100
EXPORT = 100_000


@dataclass(frozen=True)
class LogFilter:
    """Conditions in the address of the page; one that cannot be read does not narrow the list."""

    actor_id: int | None
    what: str | None
    subject: Subject | None
    subject_id: int | None
    since: datetime | None
    until: datetime | None

    @classmethod
    def of_request(cls) -> "LogFilter":
        """Read the conditions from the address of the page."""
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
    """Search the access log; with `format=csv` export what is found."""
    conditions = LogFilter.of_request()
    wants_csv = request.args.get("format") == "csv"
    with reading() as session:
        events = store.history(
            session,
            **vars(conditions),
            before_id=request.args.get("before", type=int),
            limit=EXPORT if wants_csv else PAGE + 1,
        )
        users, kinds, head = people.users(session), store.kinds(session), store.head(session)
    if wants_csv:
        return _export(events)
    query = {k: v for k, v in request.args.items() if v and k != "before"}
    more = events[PAGE - 1].id if len(events) > PAGE else None
    return render_template(
        "audit/log.html",
        events=events[:PAGE],
        more=more,
        users=users,
        kinds=kinds,
        subjects=Subject,
        given=query,
        head=head,
    )


def _export(events: list[Event]) -> Response:
    with writing() as session:
        service.record_export(
            session, table="access-log", rows=len(events), by=person().id, at=now()
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
