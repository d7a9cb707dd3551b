"""Take recordings in: identify by content, decode safely, make playable. Safe to repeat."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.intake import store
from qa.intake.rules import CallDataRefused, call_data, rating
from qa.intake.types import CallData, FileOutcome, Incoming, RatingsImport, Reason
from qa.states import ImportOutcome

FREE_DISK = 0.05


class RecordingDecoder(Protocol):
    """The part of the audio engine that intake needs: `qa.wiring` passes it in."""

    def prepare(
        self, path: Path, *, declared_seconds: float | None
    ) -> "DecodedRecording | Reason": ...


class RecordingStore(Protocol):
    """The storage of recordings."""

    def save(self, key: str, content: bytes) -> None: ...
    def free_share(self) -> float: ...


@dataclass(frozen=True)
class DecodedRecording:
    """A decoded recording, ready to be stored."""

    seconds: float
    lost_seconds: float
    channels: int
    media_type: str
    peaks: bytes
    playback: bytes | None


@dataclass(frozen=True)
class CallOwner:
    """The project and agent of a call: ids made or found by the people stage."""

    project_id: int
    agent_id: int


class ManifestRefused(ValueError):
    """A manifest that cannot be read at all; the message says what is wrong and in which line."""


def incoming(path: Path, *, manifest: Path | None, zone: ZoneInfo) -> list[Incoming]:
    """List what to import: rows of a manifest, or every file below a folder, or one file.

    A folder's own manifest.csv or manifest.json is used when none is named. Raises ManifestRefused.
    """
    if manifest is None and path.suffix.lower() in (".csv", ".json"):
        manifest, path = path, path.parent
    if manifest is None and path.is_dir():
        manifest = next(
            (path / name for name in ("manifest.csv", "manifest.json") if (path / name).is_file()),
            None,
        )
    if manifest is None:
        files = (
            sorted(
                file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")
            )
            if path.is_dir()
            else [path]
        )
        return [Incoming(file.name, file, CallData()) for file in files]
    folder = path if path.is_dir() else manifest.parent
    return [_row(row, folder=folder, zone=zone) for row in read_manifest(manifest)]


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a CSV or JSON manifest.

    CSV: comma or semicolon, UTF-8. JSON: a list, or {"calls": […]}.

    Raises ManifestRefused.
    """
    rows = _rows_of(path, "calls")
    if not all(isinstance(row, dict) and row.get("file") for row in rows):
        raise ManifestRefused(f"{path.name}: every row needs a `file`")
    return rows


def _rows_of(path: Path, name: str) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            document = json.loads(text)
            rows = document.get(name) if isinstance(document, dict) else document
        else:
            head = text.split("\n", 1)[0]
            rows = list(
                csv.DictReader(
                    io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ","
                )
            )
    except (UnicodeDecodeError, ValueError, csv.Error, RecursionError) as error:
        raise ManifestRefused(f"{path.name}: {error}") from error
    if not isinstance(rows, list):
        raise ManifestRefused(f"{path.name}: there is no list of rows")
    return rows


def matched(
    rows: list[dict[str, Any]], files: Mapping[str, Path], *, zone: ZoneInfo
) -> list[Incoming]:
    """Join uploaded files with a manifest's rows by name.

    A file without a row comes in without call data.
    """
    named = {str(row["file"]).replace("\\", "/").rsplit("/", 1)[-1]: row for row in rows}
    items = []
    for name, path in files.items():
        row = named.pop(name, None)
        try:
            items.append(Incoming(name, path, call_data(row, zone=zone) if row else CallData()))
        except CallDataRefused as error:
            items.append(
                Incoming(
                    name,
                    None,
                    CallData(),
                    FileOutcome(name, ImportOutcome.REFUSED, Reason.BAD_CALL_DATA, str(error)),
                )
            )
    items += [
        Incoming(
            name, None, CallData(), FileOutcome(name, ImportOutcome.REFUSED, Reason.MISSING_FILE)
        )
        for name in named
    ]
    return items


def _row(row: dict[str, Any], *, folder: Path, zone: ZoneInfo) -> Incoming:
    name = str(row["file"])
    try:
        data = call_data(
            {key: cell for key, cell in row.items() if isinstance(key, str)}, zone=zone
        )
    except CallDataRefused as error:
        return Incoming(
            name,
            None,
            CallData(),
            FileOutcome(name, ImportOutcome.REFUSED, Reason.BAD_CALL_DATA, str(error)),
        )
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        return Incoming(
            name,
            None,
            data,
            FileOutcome(
                name, ImportOutcome.REFUSED, Reason.OUTSIDE_FOLDER, external_id=data.external_id
            ),
        )
    if not target.is_file():
        return Incoming(
            name,
            None,
            data,
            FileOutcome(
                name, ImportOutcome.REFUSED, Reason.MISSING_FILE, external_id=data.external_id
            ),
        )
    return Incoming(name, target, data)


def identify(path: Path) -> str:
    """Compute the SHA-256 of the file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def known_recording(
    session: Session, *, name: str, sha256: str, data: CallData
) -> FileOutcome | None:
    """Find the outcome of a file with which nothing is left to do; None if there is something.

    The recording is known, or its external id belongs to another one.
    """
    call_id = store.call_id_by_hash(session, sha256)
    if call_id is not None:
        return FileOutcome(
            name,
            ImportOutcome.KNOWN,
            Reason.SAME_RECORDING,
            call_id=call_id,
            external_id=data.external_id,
        )
    if data.external_id and store.call_id_by_external(session, data.external_id) is not None:
        return FileOutcome(
            name,
            ImportOutcome.REFUSED,
            Reason.EXTERNAL_ID_TAKEN,
            data.external_id,
            external_id=data.external_id,
        )
    return None


def prepare(
    path: Path,
    *,
    name: str,
    data: CallData,
    sha256: str,
    audio: RecordingDecoder,
    storage: RecordingStore,
) -> "DecodedRecording | FileOutcome":
    """Decode a recording and store its files; no database.

    What is kept under the content's hash may be kept twice without harm.
    """
    if storage.free_share() < FREE_DISK:
        return FileOutcome(
            name, ImportOutcome.REFUSED, Reason.DISK_FULL, external_id=data.external_id
        )
    prepared = audio.prepare(path, declared_seconds=data.duration)
    if isinstance(prepared, Reason):
        return FileOutcome(name, ImportOutcome.REFUSED, prepared, external_id=data.external_id)
    folder = f"{sha256[:2]}/{sha256}"
    storage.save(f"{folder}/original", path.read_bytes())
    storage.save(f"{folder}/peaks", prepared.peaks)
    if prepared.playback is not None:
        storage.save(f"{folder}/playback", prepared.playback)
    return prepared


def record(
    session: Session,
    *,
    name: str,
    sha256: str,
    data: CallData,
    prepared: DecodedRecording,
    place: Callable[[Session, CallData], CallOwner],
    at: datetime,
    modified: datetime,
) -> FileOutcome:
    """Add the call's row. A call that came in meanwhile by another way counts as known."""
    earlier = known_recording(session, name=name, sha256=sha256, data=data)
    if earlier:
        return earlier
    owner = place(session, data)
    origin_fields = {
        "project_id": owner.project_id,
        "agent_id": owner.agent_id,
        "source_name": name[:300],
        "received_at": at,
    }
    data_fields = {
        "queue": data.queue,
        "direction": data.direction,
        "language": data.language,
        "customer": data.customer,
        "details": data.details,
    }
    sound_fields = {
        "channels": prepared.channels,
        "lost_seconds": prepared.lost_seconds,
        "media_type": prepared.media_type,
    }
    sound_fields |= {
        "content_sha256": sha256,
        "duration_seconds": prepared.seconds,
        "started_at": data.started_at or modified,
    }
    try:
        with session.begin_nested():
            call_id = store.add_call(
                session,
                external_id=data.external_id or f"file-{sha256[:16]}",
                **origin_fields,
                **data_fields,
                **sound_fields,
            )
    except IntegrityError:
        return FileOutcome(
            name,
            ImportOutcome.KNOWN,
            Reason.SAME_RECORDING,
            call_id=store.call_id_by_hash(session, sha256),
            external_id=data.external_id,
        )
    if prepared.lost_seconds:
        detail = f"{prepared.lost_seconds:.1f} s"
        return FileOutcome(
            name, ImportOutcome.FLAGGED, Reason.INCOMPLETE, detail, call_id, data.external_id
        )
    return FileOutcome(name, ImportOutcome.IMPORTED, call_id=call_id, external_id=data.external_id)


def parse_day(text: str | None) -> date | None:
    """Parse a day written as 2026-03-01; None where there is none or it cannot be read."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def read_ratings(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a file of customers' ratings, CSV or JSON like a manifest.

    Raises ManifestRefused.
    """
    rows = _rows_of(path, "ratings")
    if not all(isinstance(row, dict) and row.get("external_id") for row in rows):
        raise ManifestRefused(f"{path.name}: every row needs an `external_id`")
    return rows


def save_ratings(
    session: Session, rows: Sequence[Mapping[str, Any]], *, source: str, at: datetime
) -> RatingsImport:
    """Save customers' ratings of calls, on a scale of 0–100.

    A later one of the same call replaces the earlier. Unknown calls and values are refused.
    """
    call_ids = store.ids_of(session, [str(row["external_id"]) for row in rows])
    saved, refused = 0, []
    for row in rows:
        name = str(row["external_id"])
        value = rating(row.get("rating"), row.get("scale"))
        if name not in call_ids:
            refused.append((name, "there is no call of this external_id"))
        elif value is None:
            refused.append(
                (name, "the rating is no number on its scale (give `scale` as 1-5, 0-10, 0-100)")
            )
        else:
            wording = f"{row.get('rating')} of {row.get('scale') or '1-5'}"
            store.save_rating(
                session, call_ids[name], value=value, given=wording[:40], source=source[:80], at=at
            )
            record_event(
                session,
                subject=Subject.CALL,
                subject_id=call_ids[name],
                event=EventKind.RATED,
                at=at,
                source=source[:80],
            )
            saved += 1
    return RatingsImport(saved, tuple(refused))


def record_opened(session: Session, *, call_id: int, by: int, at: datetime) -> None:
    """Log that a user opened a call."""
    _record_access(session, call_id, EventKind.OPENED, by=by, at=at)


def record_played(session: Session, *, call_id: int, by: int, at: datetime) -> None:
    """Log that a user played a call from its beginning."""
    _record_access(session, call_id, EventKind.PLAYED, by=by, at=at)


def _record_access(
    session: Session, call_id: int, event: EventKind, *, by: int, at: datetime
) -> None:
    record_event(session, subject=Subject.CALL, subject_id=call_id, event=event, at=at, actor_id=by)
