"""Make the report of a month as files: JSON, XLSX, a page that stands alone, and PDF."""

import functools
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader
from sqlalchemy.orm import Session

from qa.forms import service as forms
from qa.localization import Localizer, localizer_for
from qa.months import Month
from qa.publishing.blocks.parts import Document
from qa.publishing.document import (
    for_reader,
    headline,
    paper_files,
    report_blocks,
    scope_names,
)
from qa.publishing.typesetting import pdf
from qa.publishing.workbook import workbook
from qa.reporting import service as reporting
from qa.reporting import store
from qa.reporting.types.scope import About
from qa.settings import Settings
from qa.states import Audience
from qa.wiring import Wiring

TEMPLATES = PackageLoader("qa.publishing")
PAPER = Path(__file__).parent / "templates" / "report" / "paper.typ"


def report_files(
    wiring: Wiring,
    *,
    month: Month,
    about: About,
    formats: Sequence[str],
    language: str,
    audience: Audience = Audience.MANAGER,
) -> dict[str, bytes]:
    """Make the report of a month as files by name, in a language and for an audience.

    Raises MonthRefused and UnknownScope.
    """
    settings = wiring.settings
    month.bounds(settings.zone)
    with wiring.database.read() as session:
        document = report_document(
            session, month=month, about=about, settings=settings, at=wiring.clock()
        )
    localizer = localizer_for(language, settings.zone)
    return render_files(document, formats=formats, audience=audience, localizer=localizer)


def report_document(
    session: Session, *, month: Month, about: About, settings: Settings, at: datetime
) -> Document:
    """Return the document of a month as it was closed, else with the figures of now."""
    if not about.is_part and (closed := store.closed(session, month, about.project or "*")):
        return closed[1]
    titles, _topics = forms.vocabulary(session)
    if about.is_part:
        return reporting.month_report(
            session,
            month=month,
            zone=settings.zone,
            minimum=settings.minimum_cards,
            titles=titles,
            at=at,
            about=about,
        ).document()
    cached, _report = reporting.cached_report(
        session,
        month=month,
        zone=settings.zone,
        minimum=settings.minimum_cards,
        titles=titles,
        at=at,
        project=about.project,
    )
    return cached.document


def render_files(
    document: Document, *, formats: Sequence[str], audience: Audience, localizer: Localizer
) -> dict[str, bytes]:
    """Render a report's document as files by name, all with the same figures."""
    document = for_reader(document, audience)
    name = "-".join(["quality", document["month"], *scope_names(document)])
    stem = name.replace(" ", "_").replace("/", "_")
    moment = localizer.moment(datetime.fromisoformat(document["made_at"]))
    made_at = localizer.gettext("Made at %(when)s by Earshot", when=moment)
    files = {}
    if "json" in formats:
        text = json.dumps(document, ensure_ascii=False, indent=2)
        files[f"{stem}.json"] = f"{text}\n".encode()
    if "xlsx" in formats:
        files[f"{stem}.xlsx"] = workbook(document, localizer)
    if "html" in formats:
        files[f"{stem}.html"] = _html(document, audience, made_at, localizer)
    if "pdf" in formats:
        source = PAPER.read_text(encoding="utf-8")
        files[f"{stem}.pdf"] = pdf(source, paper_files(document, audience, made_at, localizer))
    return files


def _html(document: Document, audience: Audience, made_at: str, localizer: Localizer) -> bytes:
    template = _environment(localizer).get_template("report/document.html")
    text = template.render(
        report=document,
        language=localizer.language,
        made_at=made_at,
        blocks=report_blocks(document, audience, localizer),
        top=headline(document, localizer),
    )
    return text.encode()


@functools.cache
def _environment(localizer: Localizer) -> Environment:
    """Build the template environment of a language, without any web application."""
    environment = Environment(loader=TEMPLATES, autoescape=True)
    environment.globals["_"] = localizer.markup
    environment.filters["number"] = localizer.number
    environment.filters["month_name"] = localizer.month_name
    return environment
