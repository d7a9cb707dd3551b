"""Read the call data of a manifest's row, and hide the numbers of payment cards. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stdnum import luhn

from qa.intake.types import CallData
from qa.states import Direction

KNOWN = {
    "file",
    "external_id",
    "agent",
    "agent_name",
    "team",
    "department",
    "project",
    "company",
    "queue",
    "direction",
    "language",
    "customer",
    "started_at",
    "duration",
    "hired_on",
}
LANGUAGES = {"en", "it", "zh"}
DIGITS = re.compile(r"(?<!\d)(?<!\d\.)\d(?:[ \-\u2010-\u2015]?\d){12,}")
CARD_NUMBER_LENGTHS = range(13, 20)  # digits (ISO/IEC 7812)
# how the numbers of payment cards begin (ISO/IEC 7812)
ISSUERS = re.compile(r"4|5[0-8]|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:0[0-5]|[4-8])")
SECRETS = re.compile(
    r"(?:^|[^a-z])"
    r"(?:cvv2?|cvc2?|csc|pan|pin|card_?(?:no|number|num)|carta_numero|numero_carta)"
    r"(?:$|[^a-z])"
    r"|卡号|安全码|验证码|密码",
    re.IGNORECASE,
)
FIRST_DIGITS, HIDDEN = "23456", "•••"


class CallDataRefused(ValueError):
    """A row that cannot be read; the message names the field and what to write."""


def without_cards(value: Any) -> Any:
    """Hide payment card numbers in call data, and fields that are called a code or a PIN.

    Of a card's number the last four digits stay.

    A card is 13 to 19 digits, with gaps or without, that begin as an issuer's do and have the right
    check digit (Luhn). Other long numbers stay: orders and tickets are found by theirs.
    """
    if isinstance(value, Mapping):
        return {
            key: HIDDEN
            if SECRETS.search(str(key)) and item not in ("", None)
            else without_cards(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_cards(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        hidden = without_cards(str(value))
        return value if hidden == str(value) else hidden
    return DIGITS.sub(_hidden, value) if isinstance(value, str) else value


def _hidden(match: re.Match[str]) -> str:
    """Hide the cards in a run of digits.

    A card may begin and end at any gap, whatever number stands beside it.
    """
    text, end_of_last, pieces = match[0], 0, list[str]()
    groups = [(group.start(), group.end()) for group in re.finditer(r"\d+", text)]
    position = int(match.string[max(0, match.start() - 1)] == "+")  # the code of a country
    while position < len(groups):
        last = (
            _card_from(text, groups, position)
            if text[groups[position][0]] in FIRST_DIGITS
            else None
        )
        if last is not None:
            end = groups[last][1]
            pieces += [
                text[end_of_last : groups[position][0]],
                HIDDEN,
                " ",
                re.sub(r"\D", "", text[groups[position][0] : end])[-4:],
            ]
            end_of_last, position = end, last
        position += 1
    return "".join(pieces) + text[end_of_last:]


def _card_from(text: str, groups: Sequence[tuple[int, int]], first: int) -> int | None:
    """Find the last group of digits that makes a card with the first; None if none does."""
    digits = ""
    for position in range(first, len(groups)):
        digits += text[slice(*groups[position])]
        if len(digits) >= CARD_NUMBER_LENGTHS.stop:
            return None
        if len(digits) in CARD_NUMBER_LENGTHS and ISSUERS.match(digits) and luhn.is_valid(digits):
            return position
    return None


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the columns that are not ours; dots turn into levels.

    `ticket.number` becomes {"ticket": {"number": …}}. Empty cells are left out.
    """
    details: dict[str, Any] = {}
    for key, value in row.items():
        if not key or key in KNOWN or value in ("", None):
            continue
        node = details
        *path, last = key.strip().split(".")
        for part in path:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = node[part] = {"value": inner}
            node = inner
        node[last] = value
    return details


def call_data(row: Mapping[str, Any], *, zone: ZoneInfo) -> CallData:
    """Read the call data of one row, without the numbers of payment cards.

    A time without a zone is read in the reporting zone.

    Raises CallDataRefused.
    """
    cells = {
        key: cell.strip() if isinstance(cell, str) else cell
        for key, cell in row.items()
        if cell not in ("", None)
    }
    direction = str(cells.get("direction", "inbound")).lower()
    if direction not in ("inbound", "outbound"):
        raise CallDataRefused(f"direction is {direction!r}; write inbound or outbound")
    language = (
        str(cells["language"]).lower().split("-")[0].split("_")[0] if "language" in cells else None
    )
    if language is not None and language not in LANGUAGES:
        raise CallDataRefused(f"language is {language!r}; write en, it or zh, or leave it out")
    texts = (
        "agent",
        "agent_name",
        "team",
        "department",
        "project",
        "company",
        "queue",
        "customer",
        "external_id",
    )
    text = {key: _short(cells, key) for key in texts if key in cells}
    for key in ("external_id", "agent", "project", "queue"):  # by these things are told apart
        if key in text and without_cards(text[key]) != text[key]:
            raise CallDataRefused(f"{key} holds the number of a payment card; write another {key}")
    return CallData(
        **without_cards(text),
        direction=Direction(direction),
        language=language,
        started_at=_time(cells["started_at"], zone) if "started_at" in cells else None,
        duration=_seconds(cells["duration"]) if "duration" in cells else None,
        hired_on=str(cells["hired_on"]) if "hired_on" in cells else None,
        details=without_cards(nested(cells)),
    )


def _short(cells: Mapping[str, Any], key: str) -> str:
    value = str(cells[key])
    if len(value) > (80 if key in ("agent", "project", "queue") else 200):
        raise CallDataRefused(f"{key} is longer than allowed")
    if any(ord(char) < 32 for char in value):
        raise CallDataRefused(f"{key} has control characters")
    return value


def _time(value: Any, zone: ZoneInfo) -> datetime:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CallDataRefused(
            f"started_at is {value!r}; write it like 2026-11-03T09:00:00+01:00"
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError) as error:
        raise CallDataRefused(f"duration is {value!r}; write seconds, like 61.2") from error
    if not math.isfinite(seconds) or seconds < 0:
        raise CallDataRefused(f"duration is {value!r}; write seconds, like 61.2")
    return seconds


def rating(value: Any, scale: Any = None) -> float | None:
    """Convert a customer's rating to a scale of 0–100; None where it is no number on its scale.

    `scale` is like "1-5", which is also the default.
    """
    low, _dash, high = str(scale or "1-5").replace("–", "-").partition("-")
    try:
        stars, bottom, top = float(str(value).replace(",", ".")), float(low), float(high)
    except ValueError:
        return None
    if (
        not (math.isfinite(stars) and math.isfinite(bottom) and math.isfinite(top))
        or top <= bottom
        or not bottom <= stars <= top
    ):
        return None
    return 100 * (stars - bottom) / (top - bottom)
