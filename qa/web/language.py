"""The reader's language, and times, numbers and texts in it."""

import functools
from datetime import datetime
from typing import Any

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, get_locale, get_translations, gettext
from markupsafe import Markup

from qa.forms.types import MessageTemplate, in_language
from qa.settings import Settings

LOCALES = {"en": "en", "it": "it", "zh": "zh_Hans_CN"}
NEARLY, FINEST = 1e-9, 0.001  # shares that count as 0 or 1; the finest that is said
NAMES = {"en": "English", "it": "Italiano", "zh": "中文"}


def chosen_language(default: str) -> str:
    """The person's language, else what they picked before signing in, else what the browser asks
    for.
    """
    user = g.get("user") if has_request_context() else None
    if user is not None:
        return str(user.language)
    picked = session.get("language")
    if picked in LOCALES:
        return str(picked)
    for wanted in request.accept_languages.values():
        short = wanted.split("-")[0].lower()
        if short in LOCALES:
            return short
    return default


def install(app: Flask, settings: Settings) -> None:
    def select() -> str:
        if not hasattr(g, "language"):
            g.language = chosen_language(settings.default_language)
        return LOCALES[g.language]

    Babel(app, locale_selector=select, default_translation_directories="translations")

    app.jinja_env.globals["gettext"] = app.jinja_env.globals["_"] = in_page

    _install_formats(app, settings)
    app.jinja_env.filters["said"] = reading_translation
    app.jinja_env.filters["words_in"] = in_language
    app.jinja_env.filters["local"] = lambda text: in_language(text, current_language())

    def titles_sorted(titles: dict[str, Any]) -> list[tuple[str, str]]:
        return sorted(
            ((key, in_language(text, current_language())) for key, text in titles.items()),
            key=lambda pair: pair[1].lower(),
        )

    app.jinja_env.globals["titles_sorted"] = titles_sorted
    app.jinja_env.globals.update(language_names=NAMES, current_language=current_language)


# a page says the same moments many times, and so do its readers
# a report of thousands of agents says the same few hundred figures
def _install_formats(app: Flask, settings: Settings) -> None:
    """Times, numbers and shares as a reader of the page's language writes them."""
    zone = settings.zone

    def locale() -> Any:
        return get_locale() or LOCALES[settings.default_language]

    @functools.lru_cache(maxsize=10_000)
    def said(value: datetime, length: str, where: Locale | str) -> str:
        return format_datetime(value.astimezone(zone), length, tzinfo=zone, locale=where)

    def moment(value: datetime | None) -> str:
        return "" if value is None else said(value, "short", locale())

    def full(value: datetime | None) -> str:
        return "" if value is None else said(value, "full", locale())

    def day(value: Any) -> str:
        return "" if value is None else format_date(value, "medium", locale=locale())

    def month_name(value: str) -> str:
        return format_date(
            datetime.fromisoformat(f"{value}-01"),
            "LLLL y" if locale().language != "zh" else "y年M月",
            locale=locale(),
        )

    @functools.lru_cache(maxsize=20_000)
    def figure(value: float, digits: int, where: Locale | str) -> str:
        return format_decimal(
            value, format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=where
        ).replace("-", "−")

    def number(value: float | None, digits: int = 1) -> str:
        # plus nought: there is no minus nought
        return "–" if value is None else figure(round(value, digits) + 0, digits, locale())

    def percent(value: float | None) -> str:
        """In whole percents; what is neither never nor always is said to be neither."""
        if value is None:
            return "–"
        if NEARLY < value < 1 - NEARLY and round(100 * value) in (0, 100):
            ends = "< " if value < FINEST else "> " if value > 1 - FINEST else ""
            return ends + format_percent(
                min(max(value, FINEST), 1 - FINEST), format="#,##0.0 %", locale=locale()
            )
        return format_percent(value, format="#,##0 %", locale=locale())

    def clock(seconds: float | None) -> str:
        whole = int(seconds or 0)
        return (
            f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
            if whole >= 3600
            else f"{whole // 60}:{whole % 60:02d}"
        )

    app.jinja_env.filters.update(
        moment=moment,
        full=full,
        day=day,
        month_name=month_name,
        number=number,
        percent=percent,
        clock=clock,
    )


def in_page(text: str, **values: Any) -> Markup:
    """A marked text of a template in the reader's language; the catalogue is looked up once per
    page, not once per text.
    """
    if "catalogue" not in g:
        g.catalogue = get_translations()
    said = Markup(g.catalogue.ugettext(text))
    return said % values


def reading_translation(text: str) -> str:
    """A sentence of the house in the reader's language; other text as it is."""
    return gettext(text.pattern) % text.values if isinstance(text, MessageTemplate) else text


def current_language() -> str:
    """en, it or zh."""
    found = get_locale()
    return found.language if found is not None and found.language in LOCALES else "en"
