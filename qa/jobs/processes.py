"""Tie the life of a child process to that of its parent."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(sign: int = signal.SIGKILL) -> None:
    """Let this process get the signal when its parent ends, however it ends (Linux)."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sign)
    except (OSError, AttributeError):
        return  # not Linux: the lease and the fence protect the data all the same
