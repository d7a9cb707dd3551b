"""Decode recordings safely in a child process; compute waveform peaks and playback copies."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
PEAKS_PER_SECOND = 50


class RecordingUnreadable(Exception):
    """A recording that cannot be taken.

    `reason` is a code (see qa.intake.types.Reason), `detail` is for the log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Sound:
    """A decoded recording: float32 in −1…1, shape (channels, samples), 16 kHz.

    `lost_seconds` is what the header promised and the file lacks.
    """

    samples: "np.ndarray[Any, np.dtype[np.float32]]"
    seconds: float
    lost_seconds: float
    source_rate: int
    codec: str
    kind: str
    plays_in_browsers: bool

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])


def decode(
    path: Path, *, max_seconds: float, memory_megabytes: int, declared_seconds: float | None = None
) -> Sound:
    """Decode a recording from an untrusted file.

    `declared_seconds` is what telephony says about its length.

    Raises RecordingUnreadable.
    """
    if path.stat().st_size == 0:
        raise RecordingUnreadable("empty")
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        out = Path(folder) / "samples"
        command = [
            sys.executable,
            "-m",
            "qa.engines.decoder",
            str(path.resolve()),
            str(out),
            str(max_seconds),
            str(memory_megabytes),
        ]
        try:
            child = subprocess.run(
                command,
                capture_output=True,
                timeout=900,
                check=False,
                cwd=folder,
                env=_child_environment(),
            )
        except subprocess.TimeoutExpired as error:
            raise RecordingUnreadable("damaged", "the decoder did not end") from error
        properties = _answer(child)
        raw = np.fromfile(out, dtype=np.int16)
    samples = np.ascontiguousarray(
        raw.reshape(-1, properties["channels"]).T.astype(np.float32) / 32768.0
    )
    promised = max(properties["declared"] or 0.0, declared_seconds or 0.0)
    lost_seconds = max(0.0, promised - properties["seconds"])
    return Sound(
        samples=samples,
        seconds=properties["seconds"],
        lost_seconds=lost_seconds if lost_seconds > max(0.01 * promised, 2.0) else 0.0,
        source_rate=properties["rate"],
        codec=properties["codec"],
        kind=properties["kind"],
        plays_in_browsers=properties["plays"],
    )


def _child_environment() -> dict[str, str]:
    return {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PATH": "/usr/bin:/bin",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _answer(child: "subprocess.CompletedProcess[bytes]") -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(child.stdout.decode().strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        reason = "too_large" if b"MemoryError" in child.stderr else "damaged"
        raise RecordingUnreadable(reason, f"decoder ended with {child.returncode}") from error
    if "refused" in answer:
        raise RecordingUnreadable(answer["refused"], answer.get("detail", ""))
    return answer


def peaks(sound: Sound) -> bytes:
    """Compute the waveform for the page: per channel, 50 levels a second as bytes (0–255).

    A byte is the largest level of its time.

    Layout: b"PK1", channels, then each channel's bytes one after the other.
    """
    step = RATE // PEAKS_PER_SECOND
    count = -(-sound.samples.shape[1] // step)
    padded = np.zeros((sound.channels, count * step), np.float32)
    padded[:, : sound.samples.shape[1]] = np.abs(sound.samples)
    levels = padded.reshape(sound.channels, count, step).max(axis=2)
    body: bytes = np.clip(levels * 255, 0, 255).astype(np.uint8).tobytes()
    return b"PK1" + bytes([sound.channels]) + body


def silenced(sound: Sound, spans: Iterable[tuple[float, float]]) -> Sound:
    """Silence these spans (seconds) on all channels.

    What one side says is heard faintly on the other.
    """
    samples = sound.samples.copy()
    for start, end in spans:
        samples[:, int(start * RATE) : int(end * RATE) + 1] = 0.0
    return replace(sound, samples=samples)


def playback_copy(sound: Sound, path: Path) -> None:
    """Write an MP3 that every browser plays, for originals that one cannot."""
    import av

    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream(
            "libmp3lame", rate=RATE, layout="stereo" if sound.channels == 2 else "mono"
        )
        stream.bit_rate = 48_000 * sound.channels  # type: ignore[union-attr]  # an audio stream
        block = 1152 * 20
        for start in range(0, sound.samples.shape[1], block):
            chunk = np.ascontiguousarray(
                (sound.samples[:, start : start + block] * 32767).astype(np.int16).T.reshape(1, -1)
            )
            frame = av.AudioFrame.from_ndarray(
                chunk, format="s16", layout="stereo" if sound.channels == 2 else "mono"
            )
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))  # type: ignore[union-attr]
        container.mux(stream.encode(None))  # type: ignore[union-attr]
