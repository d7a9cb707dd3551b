"""Choose the month that a page shows and load its report, for every page that has one."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from qa.forms import service as forms
from qa.months import Month
from qa.reporting import service, store
from qa.reporting.types.report import MonthReport
from qa.reporting.types.scope import About
from qa.result_cache.types import CachedResult
from qa.states import Audience
from qa.web.context import now, person, wiring

AUDIENCES = {
    Audience.MANAGER: lazy_gettext("everything"),
    Audience.BOARD: lazy_gettext("for the board"),
    Audience.LEADER: lazy_gettext("for leaders"),
}
MIMES = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "pdf": "application/pdf",
}


def requested_month(session: Session) -> Month:
    """Return the month of the address, or that of the newest call. Raises MonthRefused."""
    text = request.args.get("month")
    return Month(text) if text else latest_month(session)


def latest_month(session: Session) -> Month:
    """Return the month of the newest call; this month in an empty centre."""
    newest = store.last_call_at(session) or now()
    return Month.containing(newest, wiring().settings.zone)


def count_report(session: Session, month: Month, about: About) -> MonthReport:
    """Count the report of a month or of a part of it now."""
    settings = wiring().settings
    titles, _topics = forms.vocabulary(session)
    return service.month_report(
        session,
        month=month,
        zone=settings.zone,
        minimum=settings.minimum_cards,
        titles=titles,
        at=now(),
        about=about,
    )


def report_document(
    session: Session, month: Month, project: str | None, team: str | None
) -> dict[str, Any]:
    """Return a month's report as this person may see it."""
    return load_document(session, month, About(project, team=team))[0]


def load_document(
    session: Session, month: Month, about: About, *, force_refresh: bool = False
) -> tuple[dict[str, Any], CachedResult | None, MonthReport | None]:
    """Return the report from the cache where this person sees all of it; else count it now."""
    if about.is_part or not person().sees_all_projects:
        return count_report(session, month, about).document(), None, None
    settings = wiring().settings
    titles, _topics = forms.vocabulary(session)
    cached, report = service.cached_report(
        session,
        month=month,
        zone=settings.zone,
        minimum=settings.minimum_cards,
        titles=titles,
        at=now(),
        project=about.project,
        force_refresh=force_refresh,
        allow_stale=True,
    )
    return cached.document, cached, report
