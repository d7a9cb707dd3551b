"""Call data from a manifest's row, and where an agent's recordings belong. Pure."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from qa.intake.types import CallData, Direction

KNOWN = {
    "file", "external_id", "agent", "agent_name", "team", "department", "project", "company", "queue", "direction", "language", "customer", "started_at",
    "duration", "hired_on",
}  # fmt: skip
LANGUAGES = {"en", "it", "zh"}


class CallDataRefused(ValueError):
    """A row that cannot be read; the message names the field and what to write."""


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are not ours, dots turned into levels: `ticket.number` becomes {"ticket": {"number": …}}. Empty cells are left out."""
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
    """The call data of one row. A time without a zone is read in the reporting zone.

    Raises CallDataRefused.
    """
    given = {k: v.strip() if isinstance(v, str) else v for k, v in row.items() if v not in ("", None)}
    direction = str(given.get("direction", "inbound")).lower()
    if direction not in ("inbound", "outbound"):
        raise CallDataRefused(f"direction is {direction!r}; write inbound or outbound")
    language = str(given["language"]).lower().split("-")[0].split("_")[0] if "language" in given else None
    if language is not None and language not in LANGUAGES:
        raise CallDataRefused(f"language is {language!r}; write en, it or zh, or leave it out")
    text = {k: _short(given, k) for k in ("agent", "agent_name", "team", "department", "project", "company", "queue", "customer", "external_id") if k in given}
    return CallData(
        **text,  # type: ignore[arg-type]
        direction=Direction(direction),
        language=language,
        started_at=_time(given["started_at"], zone) if "started_at" in given else None,
        duration=_seconds(given["duration"]) if "duration" in given else None,
        hired_on=str(given["hired_on"]) if "hired_on" in given else None,
        details=nested(given),
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
        raise CallDataRefused(f"started_at is {value!r}; write it like 2026-11-03T09:00:00+01:00") from error
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
    """A customer's rating on a scale of 0–100; `scale` is like "1-5" (which is meant where none is given). None where it is no number on its scale."""
    low, _dash, high = str(scale or "1-5").replace("–", "-").partition("-")
    try:
        given, bottom, top = float(str(value).replace(",", ".")), float(low), float(high)
    except ValueError:
        return None
    if not (math.isfinite(given) and math.isfinite(bottom) and math.isfinite(top)) or top <= bottom or not bottom <= given <= top:
        return None
    return 100 * (given - bottom) / (top - bottom)
