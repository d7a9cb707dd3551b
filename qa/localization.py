"""Translate texts and format dates, numbers and shares in a reader's language.

One `Localizer` serves pages, notices, mails and reports. It knows no request: code that runs
outside a page names its language.
"""

import functools
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations
from markupsafe import Markup

from qa.forms.types import MessageTemplate, in_language

LOCALES = {"en": "en", "it": "it", "zh": "zh_Hans_CN"}
LANGUAGE_NAMES = {"en": "English", "it": "Italiano", "zh": "中文"}
FALLBACK_LANGUAGE = "en"
TRANSLATIONS = Path(__file__).parent / "web" / "translations"
NEARLY, FINEST = 1e-9, 0.001  # shares that count as 0 or 1; the finest that is written
NO_FIGURE = "–"


def preferred_language(languages: Iterable[str], default: str) -> str:
    """Return the first language that is translated, of tags such as `it-CH`; else the default."""
    codes = (tag.split("-")[0].lower() for tag in languages)
    return next((code for code in codes if code in LOCALES), default)


@functools.cache
def localizer_for(language: str, zone: ZoneInfo) -> "Localizer":
    """Return the localizer of a language (en, it, zh) and a time zone.

    English stands in for a language without translations.
    """
    return Localizer(language if language in LOCALES else FALLBACK_LANGUAGE, zone)


class Localizer:
    """Texts, times, numbers and shares in one language.

    The method is called `gettext` because extraction of texts for translation knows that name
    already, and `_ = localizer.gettext` as well.
    """

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self.locale = Locale.parse(LOCALES[language])
        self._translations = _translations(language)

    def gettext(self, message: str, /, **values: Any) -> str:
        """Translate a text and fill in its values, `%(name)s` by `name`."""
        translated = str(self._translations.gettext(message))
        return translated % values if values else translated

    def markup(self, message: str, /, **values: Any) -> Markup:
        """Translate a text of a template; its values are escaped."""
        return Markup(self.gettext(message)) % values

    def message(self, text: str) -> str:
        """Translate a message that remembers its template; return other text as it is."""
        if isinstance(text, MessageTemplate):
            return self.gettext(text.pattern) % text.values
        return text

    def local(self, text: Any) -> str:
        """Return the words of a form's text in this language."""
        return in_language(text, self.language)

    def join(self, names: Sequence[str]) -> str:
        """Join names to a list as it stands in a sentence."""
        return ("、" if self.language == "zh" else ", ").join(names)

    def moment(self, value: datetime | None) -> str:
        """Format a moment briefly, in the reporting zone."""
        return "" if value is None else _format_moment(value, "short", self.zone, self.locale)

    def full(self, value: datetime | None) -> str:
        """Format a moment with weekday and zone."""
        return "" if value is None else _format_moment(value, "full", self.zone, self.locale)

    def day(self, value: date | None) -> str:
        """Format a date."""
        return "" if value is None else format_date(value, "medium", locale=self.locale)

    def month_name(self, month: str) -> str:
        """Format a month such as `2026-11` with its name and year."""
        pattern = "y年M月" if self.language == "zh" else "LLLL y"
        return format_date(datetime.fromisoformat(f"{month}-01"), pattern, locale=self.locale)

    def number(self, value: float | None, digits: int = 1) -> str:
        """Format a number with so many decimals; a dash where there is none."""
        if value is None:
            return NO_FIGURE
        # plus nought: there is no minus nought
        return _format_number(round(value, digits) + 0, digits, self.locale)

    def signed(self, value: float) -> str:
        """Format a change with its sign."""
        rounded = round(value, 1)
        if rounded == 0:
            return self.number(0.0)
        return ("+" if rounded > 0 else "−") + self.number(abs(rounded))

    def tick(self, value: float) -> str:
        """Format a figure of an axis, without decimals where it is whole."""
        return self.number(value, 0 if float(value).is_integer() else 1)

    def percent(self, value: float | None) -> str:
        """Format a share in whole percents; what is neither 0 nor 1 is not written as 0 or 100."""
        if value is None:
            return NO_FIGURE
        if not (NEARLY < value < 1 - NEARLY and round(100 * value) in (0, 100)):
            return format_percent(value, format="#,##0 %", locale=self.locale)
        prefix = ""
        if value < FINEST:
            prefix = "< "
        elif value > 1 - FINEST:
            prefix = "> "
        bounded = min(max(value, FINEST), 1 - FINEST)
        return prefix + format_percent(bounded, format="#,##0.0 %", locale=self.locale)

    def fine_percent(self, value: float | None) -> str:
        """Format a share in percents, with a decimal under ten percent."""
        if value is not None and 0.0005 <= value < 0.1:
            return f"{self.number(100 * value)} %"
        return self.percent(value)

    def clock(self, seconds: float | None) -> str:
        """Format a duration as minutes and seconds, with hours where it is that long."""
        whole = int(seconds or 0)
        minutes, rest = divmod(whole, 60)
        if whole < 3600:
            return f"{minutes}:{rest:02d}"
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@functools.cache
def _translations(language: str) -> NullTranslations:
    return Translations.load(TRANSLATIONS, [LOCALES[language]])


# a page shows the same moments many times, and a report of thousands of agents the same few
# hundred figures
@functools.lru_cache(maxsize=10_000)
def _format_moment(value: datetime, length: str, zone: ZoneInfo, locale: Locale) -> str:
    return format_datetime(value.astimezone(zone), length, tzinfo=zone, locale=locale)


@functools.lru_cache(maxsize=20_000)
def _format_number(value: float, digits: int, locale: Locale) -> str:
    pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return format_decimal(value, format=pattern, locale=locale).replace("-", "−")
