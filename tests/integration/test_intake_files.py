"""Files of every kind: good ones become calls, each bad one has its reason,
nothing else is opened.
"""

import json
import shutil

import numpy as np
import pytest
import soundfile

from qa.engines import acoustics
from qa.engines.audio import RecordingUnreadable, decode
from qa.intake.types import Reason
from qa.jobs.service import import_recordings
from qa.settings import PROJECT_ROOT
from qa.states import ImportOutcome

SAMPLES = PROJECT_ROOT / "audio_samples"


def plain(items, what):
    return iter(items)


def tone(path, seconds=3.0, rate=8000, channels=2, **kwargs):
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * 300 * t)[:, None] * np.ones(channels)
    soundfile.write(path, wave, rate, **kwargs)
    return path


def heard_silence(wiring, call_id=1):
    """A call that has been listened to: before that nobody may hear it."""
    from qa.transcription import store
    from qa.transcription.rules import measure
    from qa.transcription.types import Transcript

    silence = Transcript(language="en", duration=3.0)
    with wiring.database.write() as session:
        store.save_transcript(
            session,
            call_id=call_id,
            transcript=silence,
            mechanics=measure(silence, [], []),
            at=wiring.clock(),
        )


def encode(path, codec, rate=16000, layout="mono", fmt=None, seconds=3.0):
    import av

    with av.open(str(path), "w", format=fmt) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        samples = (
            (8000 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate)) / rate))
            .astype(np.int16)
            .reshape(1, -1)
        )
        for i in range(0, samples.shape[1], 960):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, i : i + 960]), format="s16", layout="mono"
            )
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def heard(path, **kwargs):
    return decode(path, max_seconds=600, memory_megabytes=1536, **kwargs)


@pytest.mark.parametrize(
    ("name", "make", "plays"),
    [
        ("pcm.wav", lambda p: tone(p, subtype="PCM_16"), True),
        ("alaw.wav", lambda p: tone(p, subtype="ALAW"), True),
        ("ulaw.wav", lambda p: tone(p, subtype="ULAW"), True),
        ("8bit.wav", lambda p: tone(p, subtype="PCM_U8"), True),
        ("mono.wav", lambda p: tone(p, channels=1), True),
        ("gsm.wav", lambda p: tone(p, channels=1, subtype="GSM610"), False),
        ("adpcm.wav", lambda p: tone(p, channels=1, subtype="IMA_ADPCM"), False),
        ("call.flac", lambda p: tone(p), True),
        ("call.ogg", lambda p: tone(p, rate=16000, format="OGG"), True),
        ("call.opus", lambda p: encode(p, "libopus", rate=48000, fmt="ogg"), True),
        ("call.mp3", lambda p: encode(p, "libmp3lame"), True),
        ("call.m4a", lambda p: encode(p, "aac", fmt="mp4"), False),
        ("call.amr", lambda p: encode(p, "libopencore_amrnb", rate=8000, fmt="amr"), False),
    ],
)
def test_telephone_and_browser_formats_are_read_whole(tmp_path, name, make, plays):
    path = tmp_path / name
    try:
        make(path)
    except (ValueError, LookupError, OSError) as error:
        if "amr" not in name:
            raise
        pytest.skip(f"this av build cannot make AMR: {error}")
    sound = heard(path)
    assert sound.seconds == pytest.approx(3.0, abs=0.15)
    assert sound.lost_seconds == 0
    assert sound.plays_in_browsers is plays
    assert 0.1 < np.abs(sound.samples).max() < 0.5


HOSTILE = {
    "text.wav": b"hello, I am no sound",
    "empty.wav": b"",
    "header.wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "concat.wav": b"ffconcat version 1.0\nfile good.wav\n",
    "list.m3u8": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
    "session.sdp": (
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
    ),
    "dash.mpd": b'<?xml version="1.0"?><MPD></MPD>',
    "noise.mp3": b"\xff\xfb" + bytes(range(256)) * 40,
    "noise.ogg": b"OggS" + bytes(range(256)) * 40,
    "noise.flac": b"fLaC" + b"\x00" * 4000,
    "noise.webm": b"\x1aE\xdf\xa3" + b"\x01" * 4000,
    "noise.mp4": b"\x00\x00\x00\x20ftypisom" + b"\x00" * 4000,
    "zip.wav": b"PK\x03\x04" + b"\x00" * 4000,
}


def test_a_folder_of_hostile_files_beside_good_ones(wiring, cast, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content)
    tone(folder / "good.wav")
    tone(folder / "三声道.wav", channels=3)
    tone(folder / ("x" * 200 + ".wav"), seconds=2)
    outcomes = {o.name: o for o in import_recordings(wiring, folder, manifest=None, progress=plain)}
    good = {n for n, o in outcomes.items() if o.outcome is ImportOutcome.IMPORTED}
    assert good == {"good.wav", "x" * 200 + ".wav"}
    assert all(o.reason is not None and o.explanation for n, o in outcomes.items() if n not in good)
    assert outcomes["concat.wav"].reason is Reason.WRONG_FORMAT, "it never opens another file"
    assert outcomes["三声道.wav"].reason is Reason.TOO_MANY_CHANNELS
    assert outcomes["empty.wav"].reason is Reason.EMPTY
    again = import_recordings(wiring, folder, manifest=None, progress=plain)
    assert {o.name for o in again if o.outcome is ImportOutcome.KNOWN} == good, (
        "a second time nothing new comes in"
    )


def test_a_recording_cut_short_is_flagged_and_nothing_in_it_counts_as_not_said(
    wiring, cast, tmp_path
):
    whole = (SAMPLES / "en_billing_rude_agent.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (outcome,) = import_recordings(wiring, tmp_path / "cut.wav", manifest=None, progress=plain)
    assert (outcome.outcome, outcome.reason) == (ImportOutcome.FLAGGED, Reason.INCOMPLETE)
    from qa.intake import store

    with wiring.database.read() as session:
        assert store.call(session, outcome.call_id).lost_seconds == pytest.approx(24, abs=1)


def test_what_telephony_says_about_the_length_shows_a_loss_that_the_header_hides(tmp_path):
    assert heard(
        tone(tmp_path / "a.ogg", seconds=5, rate=16000, format="OGG"), declared_seconds=60
    ).lost_seconds == pytest.approx(55, abs=0.2)
    assert heard(tmp_path / "a.ogg", declared_seconds=5.5).lost_seconds == 0, (
        "a small difference is none"
    )


def test_a_damaged_mp3_is_read_over_the_damage(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", seconds=30)
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 2000] = b"\x5a" * 2000
    path.write_bytes(content)
    assert heard(path).seconds > 28


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path):
    soundfile.write(tmp_path / "bomb.flac", np.zeros(8000 * 3600 * 2, np.int16), 8000)
    assert (tmp_path / "bomb.flac").stat().st_size < 2_000_000
    with pytest.raises(RecordingUnreadable) as refused:
        decode(tmp_path / "bomb.flac", max_seconds=3600, memory_megabytes=1024)
    assert refused.value.reason == "too_long"


def manifest(tmp_path, rows, name="manifest.json"):
    (tmp_path / name).write_text(json.dumps(rows))
    return tmp_path / name


def test_a_manifest_brings_call_data_and_its_bad_rows_have_reasons(wiring, cast, tmp_path):
    tone(tmp_path / "a.wav")
    tone(tmp_path / "b.wav", seconds=4)
    tone(tmp_path.parent / "outside.wav", seconds=5)
    rows = [
        {
            "file": "a.wav",
            "external_id": "x1",
            "agent": "sarah.miles",
            "started_at": "2026-11-03T09:00:00+01:00",
            "ticket.number": "T1",
        },
        {"file": "../outside.wav"},
        {"file": "gone.wav"},
        {"file": "b.wav", "started_at": "soon"},
        {"file": "b.wav", "external_id": "x1"},
    ]
    outcomes = import_recordings(wiring, manifest(tmp_path, rows), manifest=None, progress=plain)
    assert [o.reason for o in outcomes] == [
        None,
        Reason.OUTSIDE_FOLDER,
        Reason.MISSING_FILE,
        Reason.BAD_CALL_DATA,
        Reason.EXTERNAL_ID_TAKEN,
    ]
    from qa.intake import store

    with wiring.database.read() as session:
        call = store.call(session, outcomes[0].call_id)
    assert (call.agent, call.details) == ("Sarah Miles", {"ticket": {"number": "T1"}})


@pytest.mark.parametrize("content", ["{", "[1]", '[{"agent": "x"}]', "null", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused_with_a_clear_word(wiring, cast, tmp_path, content):
    from qa.intake.service import ManifestRefused

    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ManifestRefused):
        import_recordings(wiring, tmp_path / "manifest.json", manifest=None, progress=plain)


def test_the_upload_page_takes_files_with_their_call_data_and_plays_them_by_ranges(
    wiring, cast, visit
):
    manager = visit(cast.manager)
    with (
        (SAMPLES / "en_rude_customer.wav").open("rb") as sound,
        (SAMPLES / "manifest.csv").open("rb") as data,
    ):
        page = manager.post(
            "/import",
            {"recordings": (sound, "en_rude_customer.wav"), "manifest": (data, "manifest.csv")},
            content_type="multipart/form-data",
        )
    assert page.status_code == 200 and "1 files taken in, 11 refused" in page.text
    assert manager.get("/calls/1/audio").status_code == 404, (
        "nobody hears a call before what is private in it is silenced"
    )
    heard_silence(wiring)
    part = manager.get("/calls/1/audio", headers={"Range": "bytes=100-199"})
    assert (part.status_code, len(part.data), part.headers["Content-Type"]) == (
        206,
        100,
        "audio/wav",
    )
    peaks = manager.get("/calls/1/peaks").data
    assert (
        peaks[:4] == b"PK1\x02"
        and len(peaks) == 4 + 2 * -(-44463 * 50 // 1000)
        or len(peaks) > 4000
    )
    assert manager.post("/import", {}, content_type="multipart/form-data").status_code == 422
    assert manager.get("/calls/1/audio", headers={"Range": "bytes=999999999-"}).status_code == 416


def test_where_a_browser_cannot_play_the_original_there_is_a_copy(wiring, cast, visit, tmp_path):
    tone(tmp_path / "gsm.wav", channels=1, subtype="GSM610")
    import_recordings(wiring, tmp_path / "gsm.wav", manifest=None, progress=plain)
    heard_silence(wiring)
    answer = visit(cast.manager).get("/calls/1/audio")
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.data[:3] == b"ID3" or answer.data[0] == 0xFF


def test_nothing_is_written_outside_the_storage_whatever_a_file_is_called(wiring, cast, visit):
    name = "../../../../tmp/evil.wav"
    with (SAMPLES / "zh_agent_rude.wav").open("rb") as sound:
        page = visit(cast.manager).post(
            "/import", {"recordings": (sound, name)}, content_type="multipart/form-data"
        )
    assert page.status_code == 200
    stored = [p for p in (wiring.settings.data_dir / "recordings").rglob("*") if p.is_file()]
    assert {p.name for p in stored} == {"original", "peaks"}


def test_only_the_listed_properties_of_the_line_are_measured():
    sound = heard(SAMPLES / "en_router_fault.wav")
    for channel in acoustics.line_quality(sound):
        assert set(channel) == {"level_db", "noise_floor_db", "bandwidth_hz", "clipping_share"}
        assert 2000 < channel["bandwidth_hz"] < 4000, "telephone band"


def test_a_full_disk_is_said_and_nothing_half_is_kept(wiring, cast, tmp_path, monkeypatch):
    monkeypatch.setattr(type(wiring.storage), "free_share", lambda self: 0.01)
    shutil.copy(SAMPLES / "zh_agent_rude.wav", tmp_path / "a.wav")
    (outcome,) = import_recordings(wiring, tmp_path / "a.wav", manifest=None, progress=plain)
    assert outcome.reason is Reason.DISK_FULL
