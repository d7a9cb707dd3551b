"""Serve the speech model from a process of its own, and send it requests.

`qa.jobs.model_process` starts it.

A worker forks for every job, and CTranslate2 must never cross a fork; loading a large model anew
for each call costs seconds. So the worker starts this process (spawned, not forked), and its jobs
ask it over a socket that only this user can open: one JSON line there, JSON lines back (`{"done":
0.4}` …, then `{"transcribed": …}`, `{"redacted": …}` or `{"refused": …}`). Whoever gets no answer
does the work in its own process.
"""

import contextlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from qa.engines.audio import RecordingUnreadable
from qa.transcription.types import RedactedAudio, Redaction, TranscriptionResult

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 1800.0
LONGEST_REQUEST = 1 << 20


class LocalEngine(Protocol):
    """The part of the audio engine that the server needs."""

    def transcribe_here(
        self,
        path: Path,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> TranscriptionResult: ...

    def silence_here(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio: ...


def request_transcription(
    socket_path: Path,
    path: Path,
    *,
    language: str | None,
    source_name: str,
    hotwords: Sequence[str] = (),
    on_progress: Callable[[float], None] | None = None,
) -> TranscriptionResult | None:
    """Let the model process transcribe; None where there is none, or it went away.

    Raises RecordingUnreadable.
    """
    request = {
        "path": str(path.resolve()),
        "language": language,
        "source_name": source_name,
        "hotwords": list(hotwords),
    }
    with contextlib.suppress(OSError, ValueError):
        for answer in _answers(socket_path, request):
            if "done" in answer and on_progress:
                on_progress(answer["done"])
            if "transcribed" in answer:
                return TranscriptionResult.model_validate(answer["transcribed"])
    return None


def request_redaction(
    socket_path: Path, path: Path, spans: Sequence[Redaction]
) -> RedactedAudio | None:
    """Let the model process silence spans; None where there is none, or it went away.

    The sound comes back in a file. Raises RecordingUnreadable.
    """
    with (
        tempfile.TemporaryDirectory(prefix="earshot-") as folder,
        contextlib.suppress(OSError, ValueError),
    ):
        request = {
            "path": str(path.resolve()),
            "silence": [s.model_dump(mode="json") for s in spans],
            "folder": folder,
        }
        for answer in _answers(socket_path, request):
            if "redacted" in answer:
                return RedactedAudio(
                    sound=(Path(folder) / "sound").read_bytes(),
                    media_type=answer["redacted"],
                    peaks=(Path(folder) / "peaks").read_bytes(),
                )
    return None


def _answers(socket_path: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Send a request and yield its answers. Raises RecordingUnreadable, OSError or ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _connect(connection, socket_path)
        connection.settimeout(SILENT_SECONDS)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                answer = json.loads(line)
                if "refused" in answer:
                    raise RecordingUnreadable(answer["refused"])
                yield answer


def _connect(connection: socket.socket, socket_path: Path) -> None:
    """Connect to a process that may only just be starting. Raises OSError after ten seconds."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            connection.connect(str(socket_path))
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def serve(socket_path: Path, engine: LocalEngine) -> None:
    """Answer one request after the other, until the process is ended."""
    socket_path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        old_mask = os.umask(0o177)
        listener.bind(str(socket_path))
        os.umask(old_mask)
        listener.listen(64)
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError, ValueError):
                _serve_request(connection, engine)


def _serve_request(connection: socket.socket, engine: LocalEngine) -> None:
    def send(document: dict[str, Any]) -> None:
        connection.sendall(json.dumps(document, ensure_ascii=False).encode() + b"\n")

    with connection.makefile("rb") as lines:
        request = json.loads(lines.readline(LONGEST_REQUEST))
    path = Path(request["path"])
    try:
        if "silence" in request:
            spans = [Redaction.model_validate(span) for span in request["silence"]]
            redacted = engine.silence_here(path, spans)
            (Path(request["folder"]) / "sound").write_bytes(redacted.sound)
            (Path(request["folder"]) / "peaks").write_bytes(redacted.peaks)
            send({"redacted": redacted.media_type})
            return
        result = engine.transcribe_here(
            path,
            language=request["language"],
            source_name=request["source_name"],
            hotwords=request["hotwords"],
            on_progress=lambda share: send({"done": round(share, 3)}),
        )
        send({"transcribed": result.model_dump(mode="json")})
    except RecordingUnreadable as error:
        send({"refused": error.reason})
