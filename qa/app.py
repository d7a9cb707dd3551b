"""Create the web application."""

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader

from qa.publishing.files import TEMPLATES
from qa.settings import Settings
from qa.setup import secret_key
from qa.web import access, context, errors, language, navigation, security
from qa.wiring import Wiring


def create_app(settings: Settings, *, wiring: Wiring | None = None) -> Flask:
    """Create the application.

    Nothing is created at import time; a test passes its own wiring.
    """
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
    # the blocks of a report are the same on the page and in its file
    app.jinja_loader = ChoiceLoader([PackageLoader("qa.web"), TEMPLATES])
    app.extensions["wiring"] = wiring or Wiring.build(settings)
    security.install(app, settings)
    language.install(app, settings)
    errors.install(app)
    context.install(app)
    navigation.install(app)
    access.install(app)
    return app
