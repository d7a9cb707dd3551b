"""create_app(settings): the web application, and the report files that the command line shares with
it.
"""

from typing import Any

from flask import Flask

from qa.months import Month
from qa.reporting.types.scope import About
from qa.settings import Settings
from qa.setup import secret_key
from qa.states import Audience
from qa.web import access, context, errors, language, navigation, reporting, security
from qa.wiring import Wiring


def create_app(settings: Settings, *, wiring: Wiring | None = None) -> Flask:
    """The application. Nothing is created at import time; a test passes its own wiring."""
    app = Flask("qa.web", template_folder="templates", static_folder="static")
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=settings.max_upload_megabytes << 20,
        MAX_FORM_MEMORY_SIZE=4 << 20,
        MAX_FORM_PARTS=5000,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session it is bound to
        BABEL_DEFAULT_TIMEZONE="UTC",
        JSON_AS_ASCII=False,
    )
    app.extensions["wiring"] = wiring or Wiring.build(settings)
    security.install(app, settings)
    language.install(app, settings)
    errors.install(app)
    context.install(app)
    navigation.install(app)
    access.install(app)
    return app


def report_files(
    app: Flask,
    *,
    month: Month,
    about: About,
    language: str,
    formats: list[str],
    audience: str = "manager",
) -> dict[str, bytes]:
    """The report of a month as files by name, in the formats asked for."""
    with app.test_request_context("/", headers={"Accept-Language": language}):
        made: dict[str, Any] = reporting.files(
            month=month, asked=about, formats=formats, audience=Audience(audience)
        )
    return made
