"""How often a task is tried, and who holds it. Pure but for a look at the process table."""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

MAX_ATTEMPTS = 3
LEASE_SECONDS = 900
BACKOFF_SECONDS = (5, 60, 300)


def next_try(attempts: int, *, now: datetime) -> datetime | None:
    """When to try again after this many attempts; None when a person has to look at it."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return now + timedelta(seconds=BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1])


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)


def this_process() -> str:
    """Host, process id and when the process started:
    unique even when process ids are used again.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether the holder certainly runs no more: a process of this host that is not there.

    Of other hosts nothing is known.
    """
    host, pid, started = (owner.rsplit(":", 2) + ["", ""])[:3]
    if host != socket.gethostname() or not pid.isdigit() or not Path("/proc").is_dir():
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
