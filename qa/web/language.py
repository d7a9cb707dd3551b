"""Choose the reader's language of a page, and give templates its texts and formats."""

from typing import Any

from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel
from markupsafe import Markup

from qa.forms.types import in_language
from qa.localization import LANGUAGE_NAMES, LOCALES, Localizer, localizer_for, preferred_language
from qa.settings import Settings

FORMATS = ("moment", "full", "day", "month_name", "number", "percent", "clock", "local")


def chosen_language(default: str) -> str:
    """Return the person's language, else the one picked before signing in, else the browser's."""
    user = g.get("user") if has_request_context() else None
    if user is not None:
        return str(user.language)
    picked = session.get("language")
    if picked in LOCALES:
        return str(picked)
    return preferred_language(request.accept_languages.values(), default)


def install(app: Flask, settings: Settings) -> None:
    """Give the templates of an application the reader's texts, times, numbers and shares."""
    app.extensions["localization"] = settings

    def locale() -> str:
        return str(localizer().locale)

    Babel(app, locale_selector=locale, default_translation_directories="translations")
    filters = app.jinja_env.filters
    filters.update({name: _format(name) for name in FORMATS})
    filters["said"] = reading_translation
    filters["words_in"] = in_language
    app.jinja_env.globals.update(
        {
            "gettext": in_page,
            "_": in_page,
            "titles_sorted": titles_sorted,
            "language_names": LANGUAGE_NAMES,
            "current_language": current_language,
        }
    )


def localizer() -> Localizer:
    """Return the localizer of the reader of this page; outside any page the installation's."""
    settings: Settings = current_app.extensions["localization"]
    if not has_request_context():
        return localizer_for(settings.default_language, settings.zone)
    if "localizer" not in g:
        g.localizer = localizer_for(chosen_language(settings.default_language), settings.zone)
    chosen: Localizer = g.localizer
    return chosen


def current_language() -> str:
    """Return the language of this page: en, it or zh."""
    return localizer().language


def in_page(text: str, **values: Any) -> Markup:
    """Translate a text of a template; its values are escaped."""
    return localizer().markup(text, **values)


def reading_translation(text: str) -> str:
    """Translate a message of the rules; return other text as it is."""
    return localizer().message(text)


def titles_sorted(titles: dict[str, Any]) -> list[tuple[str, str]]:
    """Return keys with their titles in the reader's language, in the order of the titles."""
    local = localizer().local
    return sorted(
        ((key, local(title)) for key, title in titles.items()),
        key=lambda pair: pair[1].lower(),
    )


def _format(name: str) -> Any:
    """Return the filter that formats a value as the localizer of the page does."""

    def format_value(*values: Any, **options: Any) -> str:
        text: str = getattr(localizer(), name)(*values, **options)
        return text

    return format_value
