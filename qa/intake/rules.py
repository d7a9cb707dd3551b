"""Call data from a manifest's row, and where an agent's recordings belong. Pure."""

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
CARD_LENGTHS = range(13, 20)
# how the numbers of payment cards begin (ISO/IEC 7812)
ISSUERS = re.compile(r"4|5[0-8]|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:0[0-5]|[4-8])")
SECRETS = re.compile(
    r"(?:^|[^a-z])(?:cvv2?|cvc2?|csc|pan|pin|card_?(?:no|number|num)|carta_numero|numero_carta)(?:$|[^a-z])|卡号|安全码|验证码|密码",
    re.IGNORECASE,
)
FIRST_DIGITS, HIDDEN = "23456", "•••"


class CallDataRefused(ValueError):
    """A row that cannot be read; the message names the field and what to write."""


def without_cards(value: Any) -> Any:
    """The same call data with no payment card left in them: of its number the last four digits
    stay, of a field that is called a code or a PIN nothing.

    A card is 13 to 19 digits, with gaps or without, that begin as an issuer's do and have the right
    check digit (Luhn). Other long numbers stay: orders and tickets are found by theirs.
    """
    if isinstance(value, Mapping):
        return {
            k: HIDDEN if SECRETS.search(str(k)) and v not in ("", None) else without_cards(v)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_cards(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool):
        hidden = without_cards(str(value))
        return value if hidden == str(value) else hidden
    return DIGITS.sub(_hidden, value) if isinstance(value, str) else value


def _hidden(found: re.Match[str]) -> str:
    """A run of digits without the cards in it; one may begin and end at any gap, whatever number
    stands beside it.
    """
    text, done, kept = found[0], 0, list[str]()
    groups = [(m.start(), m.end()) for m in re.finditer(r"\d+", text)]
    i = int(found.string[max(0, found.start() - 1)] == "+")  # the code of a country
    while i < len(groups):
        last = _card_from(text, groups, i) if text[groups[i][0]] in FIRST_DIGITS else None
        if last is not None:
            end = groups[last][1]
            kept += [
                text[done : groups[i][0]],
                HIDDEN,
                " ",
                re.sub(r"\D", "", text[groups[i][0] : end])[-4:],
            ]
            done, i = end, last
        i += 1
    return "".join(kept) + text[done:]


def _card_from(text: str, groups: Sequence[tuple[int, int]], first: int) -> int | None:
    """The last of the groups of digits that make a card together with the first one; None where
    none do.
    """
    digits = ""
    for n in range(first, len(groups)):
        digits += text[slice(*groups[n])]
        if len(digits) >= CARD_LENGTHS.stop:
            return None
        if len(digits) in CARD_LENGTHS and ISSUERS.match(digits) and luhn.is_valid(digits):
            return n
    return None


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are not ours, dots turned into levels: `ticket.number` becomes {"ticket":
    {"number": …}}. Empty cells are left out.
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
    """The call data of one row, without the numbers of payment cards.

    A time without a zone is read in the reporting zone.

    Raises CallDataRefused.
    """
    given = {
        k: v.strip() if isinstance(v, str) else v for k, v in row.items() if v not in ("", None)
    }
    direction = str(given.get("direction", "inbound")).lower()
    if direction not in ("inbound", "outbound"):
        raise CallDataRefused(f"direction is {direction!r}; write inbound or outbound")
    language = (
        str(given["language"]).lower().split("-")[0].split("_")[0] if "language" in given else None
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
    text = {k: _short(given, k) for k in texts if k in given}
    for key in ("external_id", "agent", "project", "queue"):  # by these things are told apart
        if key in text and without_cards(text[key]) != text[key]:
            raise CallDataRefused(f"{key} holds the number of a payment card; write another {key}")
    return CallData(
        **without_cards(text),
        direction=Direction(direction),
        language=language,
        started_at=_time(given["started_at"], zone) if "started_at" in given else None,
        duration=_seconds(given["duration"]) if "duration" in given else None,
        hired_on=str(given["hired_on"]) if "hired_on" in given else None,
        details=without_cards(nested(given)),
    )


def _short(given: Mapping[str, Any], key: str) -> str:
    value = str(given[key])
    if len(value) > (80 if key in ("agent", "project", "queue") else 200):
        raise CallDataRefused(f"{key} is longer than allowed")
    if any(ord(c) < 32 for c in value):
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
    """A customer's rating on a scale of 0–100; `scale` is like "1-5" (which is meant where none is
    given). None where it is no number on its scale.
    """
    low, _dash, high = str(scale or "1-5").replace("–", "-").partition("-")
    try:
        given, bottom, top = float(str(value).replace(",", ".")), float(low), float(high)
    except ValueError:
        return None
    if (
        not (math.isfinite(given) and math.isfinite(bottom) and math.isfinite(top))
        or top <= bottom
        or not bottom <= given <= top
    ):
        return None
    return 100 * (given - bottom) / (top - bottom)
