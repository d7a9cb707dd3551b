"""Take a result as it was kept, or count it."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qa.kept import store
from qa.kept.rules import may_be_shown
from qa.kept.types import Counted, Fingerprint, Kept
from qa.states import ResultKind
from qa.tables.database import no_collecting


def counted(
    session: Session,
    kind: ResultKind,
    key: str,
    count: Callable[[], dict[str, Any]],
    *,
    fingerprint: Fingerprint,
    at: datetime,
    is_patient: bool,
    again: bool,
) -> Counted:
    """The result as it was kept if it may be shown, else counted now;
    `again` counts in any case.
    """
    kept = None if again else store.find(session, kind, key)
    if kept is not None and may_be_shown(kept, fingerprint, now=at, is_patient=is_patient):
        return Counted(kept.document, kept.at, kept.fingerprint == fingerprint)
    started = time.perf_counter()
    with no_collecting():
        document = count()
    return Counted(
        document, at, new=Kept(kind, key, fingerprint, document, time.perf_counter() - started, at)
    )
