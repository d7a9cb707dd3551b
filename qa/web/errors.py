"""Turn failures into pages that say what happened, what was kept and what to do."""

import structlog
from flask import Flask, jsonify, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from qa.assignment.service import NotHeld
from qa.months import MonthRefused
from qa.reporting.types.scope import UnknownScope
from qa.scoring.service import NotOwner

log = structlog.get_logger()


def install(app: Flask) -> None:
    texts = {
        400: lambda: (
            _("The page could not be understood"),
            _("Nothing was changed. Go back, reload the page and try again."),
        ),
        401: lambda: (_("You are signed out"), _("Sign in again; drafts of scorecards are kept.")),
        403: lambda: (
            _("This page is not for your role"),
            _("Ask an administrator if you need it."),
        ),
        404: lambda: (_("Nothing here"), _("The page does not exist, or it is not yours to see.")),
        405: lambda: (
            _("This address takes no such request"),
            _("Nothing was changed. Go back and use the buttons of the page."),
        ),
        409: lambda: (
            _("Somebody was faster"),
            _("The call is no longer yours. What you had saved is kept with it."),
        ),
        413: lambda: (
            _("The upload is too large"),
            _("Upload fewer or smaller files, or import them with the command line."),
        ),
        429: lambda: (_("Too many tries"), _("Wait a minute and try again.")),
        500: lambda: (
            _("Something broke on our side"),
            _(
                "Nothing that was saved is lost. The fault is in the log; tell an administrator"
                " when it happened."
            ),
        ),
        503: lambda: (
            _("The database is busy"),
            _("Nothing that was saved is lost. Try again in a moment."),
        ),
    }

    def page(status: int):  # type: ignore[no-untyped-def]  # a Flask response
        title, advice = texts.get(status, texts[400])()
        if (
            request.accept_mimetypes.best_match(["text/html", "application/json"])
            == "application/json"
        ):
            return jsonify(error=title, advice=advice), status
        return render_template("error.html", status=status, title=title, advice=advice), status

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException):  # type: ignore[no-untyped-def]
        status = error.code or 500
        return error if status in (301, 302, 304, 308, 416) else page(status)

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError):  # type: ignore[no-untyped-def]
        return page(400)

    for expected, status in (
        (NotHeld, 409),
        (NotOwner, 404),
        (MonthRefused, 404),
        (UnknownScope, 404),
    ):
        app.register_error_handler(expected, lambda error, status=status: page(status))

    @app.errorhandler(DBAPIError)
    def _database(error: DBAPIError):  # type: ignore[no-untyped-def]
        log.exception("database error", path=request.path)
        return page(503 if error.connection_invalidated or "locked" in str(error) else 500)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception):  # type: ignore[no-untyped-def]
        log.exception("unexpected error", path=request.path)
        return page(500)
