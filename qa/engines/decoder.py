"""Decode one untrusted recording: `python -m qa.engines.decoder IN OUT MAX_SECONDS MEMORY_MB`.

It runs in a process of its own.

Writes 16 kHz 16-bit samples, channels side by side, and prints one JSON line: what was found, or
why it is refused. The parent never opens the file with a decoder, so a bomb or a crafted container
can only end this process.
"""

import json
import resource
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

RATE = 16_000
CONTAINERS = "wav,w64,flac,mp3,ogg,amr,mov,mp4,m4a,3gp,matroska,webm,au,aac"
PLAYS_IN_BROWSERS = {
    "pcm_s16le",
    "pcm_alaw",
    "pcm_mulaw",
    "pcm_u8",
    "mp3",
    "mp3float",
    "flac",
    "opus",
    "vorbis",
}


class Refused(Exception):
    """`args[0]` is the reason's code: see qa.intake.types.Reason."""


def looks_like(head: bytes) -> str:
    """Recognise the container by its first bytes; empty where it is none that we take."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:5] == b"#!AMR":
        return "amr"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm"
    return "au" if head[:4] == b".snd" else ""


def declared_wav_seconds(path: Path) -> float | None:
    """Read the length that a WAV header promises: size of the data chunk over bytes a second.

    None for a header that leaves it open.
    """
    with path.open("rb") as file:
        file.seek(12)
        rate = 0
        while len(chunk := file.read(8)) == 8:
            name, size = chunk[:4], struct.unpack("<I", chunk[4:])[0]
            if name == b"data":
                return size / rate if rate and 0 < size < 0xFFFFFF00 else None
            body = file.read(min(size + size % 2, 1 << 16))
            if name == b"fmt " and len(body) >= 12:
                rate = struct.unpack("<I", body[8:12])[0]
    return None


def decode(path: Path, out: BinaryIO, max_seconds: float) -> dict[str, Any]:
    """Decode samples into `out` and return the properties of the recording. Raises Refused."""
    import av

    with path.open("rb") as file:
        kind = looks_like(file.read(16))
    if not kind:
        raise Refused("wrong_format")
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        container = av.open(str(path), options=options, metadata_errors="ignore")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise Refused("damaged") from error
    with container:
        if not container.streams.audio:
            raise Refused("no_audio")
        return {**_read(container, path, kind, out, max_seconds), "kind": kind}


def _read(
    container: Any, path: Path, kind: str, out: BinaryIO, max_seconds: float
) -> dict[str, Any]:
    import av

    stream = container.streams.audio[0]
    declared = (
        declared_wav_seconds(path)
        if kind == "wav"
        else (container.duration / av.time_base if container.duration else None)
    )
    if stream.codec_context.channels > 2:
        raise Refused("too_many_channels")
    if declared and declared > max_seconds * 1.01:
        raise Refused("too_long")
    written, lost_packets = _samples(container, stream, out, limit=int(max_seconds * RATE))
    codec = stream.codec_context
    plays = codec.name in PLAYS_IN_BROWSERS and kind in ("wav", "mp3", "flac", "ogg")
    properties = {
        "seconds": written / RATE,
        "declared": declared,
        "channels": codec.channels,
        "rate": codec.sample_rate,
    }
    return properties | {"codec": codec.name, "bad_packets": lost_packets, "plays": plays}


def _samples(container: Any, stream: Any, out: BinaryIO, *, limit: int) -> tuple[int, int]:
    """Decode packet by packet, so that damage costs a packet and not the rest of the call.

    Returns samples per channel, and packets lost.
    """
    import av

    codec, channels = _codec(stream), stream.codec_context.channels
    resampler = av.AudioResampler(
        format="s16", layout="stereo" if channels == 2 else "mono", rate=RATE
    )
    written = lost = 0

    def write(pieces: list[Any]) -> int:
        size = 0
        for piece in pieces:
            data = piece.to_ndarray().tobytes()
            out.write(data)
            size += len(data) // (2 * channels)
        return size

    packets = container.demux(stream)
    while (packet := _next(packets)) is not None:
        try:
            frames = codec.decode(packet)
        except (av.FFmpegError, ValueError):
            lost += 1
            continue
        for frame in frames:
            frame.pts = None
            written += write(resampler.resample(frame))
        if written > limit:
            raise Refused("too_long")
    return written + write(resampler.resample(None)), lost


def _codec(stream: Any) -> Any:
    """The stream's decoder; for AMR the one that understands the pauses of real telephones."""
    import av

    if stream.codec_context.name == "amrnb" and "libopencore_amrnb" in av.codecs_available:
        codec = av.CodecContext.create("libopencore_amrnb", "r")
        codec.sample_rate, codec.layout = 8000, "mono"
        return codec
    return stream.codec_context


def _next(packets: Any) -> Any:
    """The next packet, or None at the end or where the container cannot be read on."""
    import av

    try:
        return next(packets, None)
    except (av.FFmpegError, OSError):
        return None


def main(arguments: list[str]) -> int:
    source, target, max_seconds, memory = (
        Path(arguments[0]),
        Path(arguments[1]),
        float(arguments[2]),
        int(arguments[3]),
    )
    resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 34, 1 << 34))
    try:
        with target.open("wb") as out:
            answer = decode(source, out, max_seconds)
        if answer["seconds"] < 0.5:
            raise Refused("empty")
    except Refused as refused:
        answer = {"refused": refused.args[0]}
    except MemoryError:
        answer = {"refused": "too_large"}
    except Exception as error:  # noqa: BLE001  # whatever a hostile file provokes, the process ends
        answer = {"refused": "damaged", "detail": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
