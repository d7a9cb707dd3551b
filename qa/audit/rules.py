"""Chain events by digests: each covers its line and the digest before it. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from qa.audit.types import ChainFault, Damage, Head, Line


def digest(
    before: str,
    *,
    event_id: int,
    at: datetime,
    actor_id: int | None,
    subject: str,
    subject_id: int,
    what: str,
    detail: dict[str, Any],
) -> str:
    """SHA-256, as 64 hexadecimal digits, of the digest before and of this line in
    canonical JSON.
    """
    content = [
        event_id,
        at.astimezone(UTC).isoformat(),
        actor_id,
        subject,
        subject_id,
        what,
        detail,
    ]
    return hashlib.sha256(
        (
            before + json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        ).encode()
    ).hexdigest()


def faults(
    lines: Iterable[Line], head: Head | None, *, noted: Head | None = None
) -> Iterator[ChainFault]:
    """Where the chain is broken.

    `lines` come by id; `head` is the end that the database keeps, `noted` one that was written down
    elsewhere.

    Every line that was changed, taken out or put in shows, unless all that follow and the head were
    written anew as well: that only a noted head shows.
    """
    before, last, has_noted = "", 0, noted is None
    for line in lines:
        for gone in range(last + 1, line.id):
            yield ChainFault(Damage.MISSING, gone)
        if head is not None and line.id > head.event_id:
            yield ChainFault(Damage.ADDED, line.id)
        elif line.id != last + 1 or line.digest != _of(before, line):
            yield ChainFault(Damage.CHANGED, line.id)
        has_noted = has_noted or (
            noted is not None and (line.id, line.digest) == (noted.event_id, noted.digest)
        )
        before, last = line.digest, line.id
    end = head.event_id if head else 0
    for gone in range(last + 1, end + 1):
        yield ChainFault(Damage.MISSING, gone)
    if head is not None and last == head.event_id and before != head.digest:
        yield ChainFault(Damage.CHANGED, last)
    if not has_noted and noted is not None and noted.event_id > 0:
        yield ChainFault(Damage.OTHER_HISTORY, noted.event_id)


def _of(before: str, line: Line) -> str:
    fields = {
        "at": line.at,
        "actor_id": line.actor_id,
        "subject": line.subject,
        "subject_id": line.subject_id,
        "what": line.what,
        "detail": line.detail,
    }
    return digest(before, event_id=line.id, **fields)  # type: ignore[arg-type]  # as the fields are


def parse_head(text: str) -> Head:
    """Parse a head as `qa audit head` prints it. Raises ValueError."""
    number, _colon, value = text.strip().partition(":")
    if not number.isdigit() or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ValueError(
            "a head looks like 1234:<64 hexadecimal digits>, as `qa audit head` prints it"
        )
    return Head(int(number), value)
