"""A process that keeps the speech model: what it answers, and how to ask it.

`qa.jobs.model_process` starts it.

A worker forks for every job, and CTranslate2 must never cross a fork; loading a large model anew
for each call costs seconds. So the worker starts this process (spawned, not forked), and its jobs
ask it over a socket that only this user can open: one JSON line there, JSON lines back (`{"done":
0.4}` …, then `{"heard": …}` or `{"refused": …}`). Who gets no answer listens for themselves.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from qa.engines.audio import RecordingUnreadable
from qa.transcription.types import TranscriptionResult

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 1800.0
LONGEST_REQUEST = 1 << 20


def ask(
    place: Path,
    path: Path,
    *,
    language: str | None,
    source_name: str,
    hotwords: Sequence[str] = (),
    tell: Callable[[float], None] | None = None,
) -> TranscriptionResult | None:
    """What the listening process hears; None where there is none, or it went away.

    Raises RecordingUnreadable.
    """
    request = {
        "path": str(path.resolve()),
        "language": language,
        "source_name": source_name,
        "hotwords": list(hotwords),
    }
    try:
        for answer in _answers(place, request):
            if "done" in answer and tell:
                tell(answer["done"])
            if "refused" in answer:
                raise RecordingUnreadable(answer["refused"])
            if "heard" in answer:
                return TranscriptionResult.model_validate(answer["heard"])
    except (OSError, ValueError):
        return None
    return None


def _answers(place: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _connect(connection, place)
        connection.settimeout(SILENT_SECONDS)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                yield json.loads(line)


def _connect(connection: socket.socket, place: Path) -> None:
    """The process may only just be starting. Raises OSError after ten seconds."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            connection.connect(str(place))
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def serve(place: Path, listen: Callable[..., TranscriptionResult]) -> None:
    """Answer one request after the other until standard input closes, which it does when the
    starter ends.
    """
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        old = os.umask(0o177)
        door.bind(str(place))
        os.umask(old)
        door.listen(64)
        while True:
            connection, _ = door.accept()
            with connection, contextlib.suppress(OSError, ValueError):
                _answer(connection, listen)


def _answer(connection: socket.socket, listen: Callable[..., TranscriptionResult]) -> None:
    def put(document: dict[str, Any]) -> None:
        connection.sendall(json.dumps(document, ensure_ascii=False).encode() + b"\n")

    with connection.makefile("rb") as lines:
        request = json.loads(lines.readline(LONGEST_REQUEST))
    try:
        heard = listen(
            Path(request["path"]),
            language=request["language"],
            source_name=request["source_name"],
            hotwords=request["hotwords"],
            tell=lambda share: put({"done": round(share, 3)}),
        )
        put({"heard": heard.model_dump(mode="json")})
    except RecordingUnreadable as error:
        put({"refused": error.reason})
