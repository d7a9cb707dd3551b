"""Listening as a whole: the shipped model, mono, masking, the listening process, learning, and the
page where forms are tried.
"""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from qa.confidence import service as learning
from qa.confidence import store as learnt
from qa.confidence.types import LabelledAnswer
from qa.engines.audio import decode
from qa.engines.model_server import request_transcription
from qa.engines.speakers import tell_apart
from qa.engines.speech import speech_of, speech_spans
from qa.engines.transcribers import WhisperTranscriber
from qa.forms import store as forms
from qa.intake import store as calls
from qa.jobs.model_process import ModelProcess
from qa.jobs.service import import_recordings, work_once
from qa.months import Month
from qa.pipeline import STEPS
from qa.settings import PROJECT_ROOT, Settings
from qa.transcription import store as transcripts
from qa.transcription.types import Transcript
from tests.conftest import add_call

SAMPLES = PROJECT_ROOT / "audio_samples"
MODEL = str(PROJECT_ROOT / "models" / "speech" / "earshot-tiny")


def sound(name):
    return decode(SAMPLES / f"{name}.wav", max_seconds=600, memory_megabytes=1536)


def mono(stereo):
    return replace(stereo, samples=stereo.samples.sum(axis=0, keepdims=True))


@pytest.mark.speech
class TestMono:
    @pytest.mark.parametrize("name", ["en_router_fault", "it_modem_guasto", "zh_complaint"])
    def test_two_voices_in_one_channel_are_told_apart(self, name):
        stereo = sound(name)
        truth = [np.zeros(int(stereo.seconds * 100) + 100, bool) for _ in range(2)]
        for row, spans in zip(truth, speech_of(list(stereo.samples)), strict=True):
            for s in spans:
                row[int(s.start * 100) : int(s.end * 100)] = True
        mixed = mono(stereo).samples[0]
        found = tell_apart(mixed, speech_spans(mixed))
        heard = [np.zeros_like(truth[0]) for _ in range(2)]
        for s in found:
            heard[s.voice][int(s.start * 100) : int(s.end * 100)] = True
        alone = truth[0] ^ truth[1]
        wrong = min(
            sum((truth[i] & alone & ~heard[v]).sum() for i, v in enumerate(order))
            for order in ((0, 1), (1, 0))
        )
        assert wrong / alone.sum() <= 0.15
        assert all(0.5 <= s.confidence <= 1 for s in found)

    def test_the_agent_is_named_and_every_utterance_says_how_sure_that_is(self):
        heard = WhisperTranscriber(MODEL).transcribe(
            mono(sound("en_router_fault")), language="en", source_name="x"
        )
        assert heard.transcript.engine["speakers"] == "voices"
        first = heard.transcript.utterances[0]
        assert (
            first.speaker == "agent"
            and first.speaker_confidence > 0.75
            and "thank" in first.text.lower()
        )
        assert {u.speaker for u in heard.transcript.utterances} == {"agent", "customer"}
        assert len(heard.speech) == 2


@pytest.mark.speech
def test_the_language_of_a_call_is_found_per_channel_and_silence_gives_no_word():
    engine = WhisperTranscriber(MODEL)
    heard = engine.transcribe(sound("it_modem_guasto"), language=None, source_name="x")
    assert heard.transcript.quality.languages == ("it", "it")
    silent = replace(
        sound("it_modem_guasto"), samples=np.zeros((2, 16000 * 20), np.float32), seconds=20.0
    )
    nothing = engine.transcribe(silent, language=None, source_name="x").transcript
    assert nothing.utterances == () and nothing.quality.coverage == 1.0


@pytest.mark.slow
@pytest.mark.speech
def test_the_listening_process_answers_with_progress_and_goes_with_its_starter(monkeypatch):
    listening = ModelProcess()
    try:
        listening.ensure_running()
        shares = []
        heard = request_transcription(
            listening.socket_path,
            SAMPLES / "en_refund_middling.wav",
            language="en",
            source_name="x",
            on_progress=shares.append,
        )
        assert heard is not None and heard.transcript.utterances
        assert shares and shares[-1] == 1.0
        bad = PROJECT_ROOT / "README.md"
        with pytest.raises(Exception, match="wrong_format"):
            request_transcription(listening.socket_path, bad, language="en", source_name="x")
        listening._process.kill()
        listening._process.wait()
        listening.ensure_running()
        assert (
            request_transcription(
                listening.socket_path,
                SAMPLES / "en_refund_middling.wav",
                language="en",
                source_name="x",
            )
            is not None
        ), "it is started again"
    finally:
        listening.stop()
    assert listening._process.poll() is not None


@pytest.mark.speech
def test_where_nobody_speaks_hardly_a_word_is_invented():
    import random

    from models.training.speech.sounds import QUIET, telephone

    engine = WhisperTranscriber(MODEL)
    like = sound("en_refund_middling")
    words = seconds = 0
    for number, kind in enumerate(QUIET):
        rng, draw = random.Random(number), np.random.default_rng(number)
        made = (
            QUIET[kind](np.arange(20 * 16000) / 16000, rng, draw)
            + draw.standard_normal(20 * 16000) * 1e-4
        )
        samples = telephone(made, rng) if number % 2 else np.clip(made, -1, 1)
        heard = engine.transcribe(
            replace(like, samples=samples.astype(np.float32)[None], seconds=20.0),
            language="en",
            source_name=kind,
        ).transcript
        words += sum(len(u.words) for u in heard.utterances)
        seconds += 20
    assert words <= seconds / 60


CARD = "4539148803436467"
SPOKEN = [
    ("agent", "Can I take your card number?"),
    (
        "customer",
        "four five three nine one four eight eight zero three four three six four six seven",
    ),
    ("agent", "and the security code?"),
    ("customer", "nine four one"),
    ("agent", "thank you for calling"),
]


def recorded_card(folder):
    """A recording in which every word is a tone,
    and the words really spoken beside it (simulated).
    """
    at, utterances = 1.0, []
    for who, text in SPOKEN:
        spoken = [
            {"start": at + 0.3 * i, "end": at + 0.3 * (i + 1), "text": w, "confidence": 0.9}
            for i, w in enumerate(text.split())
        ]
        utterances.append(
            {"speaker": who, "start": at, "end": spoken[-1]["end"], "text": text, "words": spoken}
        )
        at = spoken[-1]["end"] + 1.5
    t = np.arange(int((at + 1) * 8000)) / 8000
    soundfile.write(
        folder / "card.wav", (0.3 * np.sin(2 * np.pi * 300 * t))[:, None] * np.ones(2), 8000
    )
    (folder / "truth").mkdir()
    (folder / "truth" / "card.json").write_text(
        json.dumps({"language": "en", "duration": at + 1, "utterances": utterances})
    )
    return utterances


@pytest.fixture
def card_call(wiring, cast, tmp_path, monkeypatch):
    from qa.engines.audio_engine import AudioEngine
    from qa.engines.transcribers import ScriptedTranscriber

    utterances = recorded_card(tmp_path)
    monkeypatch.setattr(AudioEngine, "_transcriber", ScriptedTranscriber(tmp_path / "truth"))
    import_recordings(
        wiring, tmp_path / "card.wav", manifest=None, progress=lambda items, what: iter(items)
    )
    return utterances


def drain(wiring):
    done = []
    while (claim := work_once(wiring)) is not None:
        done.append(claim.step)
    return done


@pytest.fixture
def decoder_starts(monkeypatch):
    """The recordings for which a decoder process was started, in order."""
    from qa.engines import audio

    start, decoded = audio.subprocess.run, []

    def counted(command, **options):
        if "qa.engines.decoder" in command:
            decoded.append(command[3])
        return start(command, **options)

    monkeypatch.setattr(audio.subprocess, "run", counted)
    return decoded


def test_a_recording_is_decoded_once_for_intake_and_once_for_transcription_and_masking(
    decoder_starts, wiring, cast, card_call
):
    assert len(decoder_starts) == 1, "intake"
    assert {"transcribe", "check", "forget"} <= set(drain(wiring))
    assert len(decoder_starts) == 2, "transcribed and masked from the same samples"


def test_the_model_process_masks_what_it_has_decoded(
    decoder_starts, wiring, cast, card_call, tmp_path
):
    from threading import Thread

    from qa.engines.audio_engine import AudioEngine
    from qa.engines.model_server import serve

    socket_path = tmp_path / "model.sock"
    engine = AudioEngine(wiring.settings)
    Thread(target=serve, args=(socket_path, engine), daemon=True).start()
    decoder_starts.clear()
    work_once(replace(wiring, audio=AudioEngine(wiring.settings, socket_path)))
    assert len(decoder_starts) == 1
    assert engine._last_decoded is None, "let go once it is masked"
    with wiring.storage.as_file(key_of(wiring)) as path:
        samples, rate = soundfile.read(path)
    spoken = card_call[1]
    assert not samples[int(spoken["start"] * rate) : int(spoken["end"] * rate)].any()


def test_a_recording_that_changed_is_decoded_again(decoder_starts, wiring, cast, card_call):
    from qa.engines.audio_engine import AudioEngine

    engine = AudioEngine(wiring.settings)
    path = SAMPLES / "en_refund_middling.wav"
    decoder_starts.clear()
    first = engine._decoded(path)
    assert engine._decoded(path) is first and len(decoder_starts) == 1
    with wiring.storage.as_file(key_of(wiring, "original")) as other:
        engine._decoded(other)
        other.write_bytes(path.read_bytes())
        assert engine._decoded(other).seconds == first.seconds
    assert len(decoder_starts) == 3


def key_of(wiring, name="playback"):
    with wiring.database.read() as session:
        return f"{calls.call(session, 1).storage_key}/{name}"


def test_a_spoken_card_is_nowhere_after_processing_and_its_sound_is_silent(
    wiring, cast, visit, card_call
):
    assert {"transcribe", "check", "forget"} <= set(drain(wiring))
    with wiring.database.read() as session:
        transcript, _ = transcripts.transcript(session, 1)
    assert [u.text for u in transcript.utterances][1::2] == ["[card]", "[cvv]"]
    stored = [p for p in wiring.settings.data_dir.rglob("*") if p.is_file()]
    for secret in (b"four five three nine", b"nine four one", CARD.encode()):
        assert not [p.name for p in stored if secret in p.read_bytes()]
    page = visit(cast.manager).get("/calls/1").text
    assert "[card]" in page and "nine four one" not in page and "masked" in page
    audio = visit(cast.manager).get("/calls/1/audio")
    assert audio.headers["Content-Type"] == "audio/flac"
    for key in ("original", "playback"):
        place = next(p for p in stored if p.name == key)
        samples, rate = soundfile.read(place)
        for u in (card_call[1], card_call[3]):
            assert not samples[
                int((u["start"] - 0.45) * rate) : int((u["end"] + 0.45) * rate)
            ].any(), "silent half a second around"
        assert samples[: int(0.4 * rate)].any(), "the rest is heard"


def test_a_project_may_keep_originals_but_never_with_a_card_code(wiring, cast, card_call):
    from qa.tables.people import ProjectRow

    with wiring.database.write() as session:
        for project in session.query(ProjectRow):
            project.keeps_originals = True
    assert "forget" in drain(wiring), "a code was spoken"


def test_where_masking_fails_nothing_is_kept(wiring, cast, card_call, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("redactor")

    monkeypatch.setattr("qa.transcription.service.redact", broken)
    work_once(wiring)
    with wiring.database.read() as session:
        assert not transcripts.has_transcript(session, 1)


def test_forgetting_twice_and_transcribing_again_change_nothing(wiring, cast, card_call):
    drain(wiring)
    STEPS["forget"](wiring, 1)
    before = sorted(p.read_bytes() for p in wiring.settings.data_dir.rglob("original"))
    STEPS["forget"](wiring, 1)
    assert sorted(p.read_bytes() for p in wiring.settings.data_dir.rglob("original")) == before


def judged(n, agree_every=1, criterion="opening.greeting", confidence=0.9):
    return [
        LabelledAnswer(
            "customer_service",
            criterion,
            "met",
            confidence,
            "met" if i % agree_every == 0 else "not_met",
            i,
            i,
        )
        for i in range(n)
    ]


def test_a_calibration_is_frozen_once_made_and_lowers_what_people_overturn(
    wiring, cast, monkeypatch
):
    answers = judged(40) + judged(40, agree_every=3, criterion="closing.thanks")
    monkeypatch.setattr(learnt, "labelled_answers", lambda session, until=None: answers)
    with wiring.database.write() as session:
        made = learning.fit_month(
            session,
            month=Month("2026-12"),
            is_closed=False,
            zone=wiring.settings.zone,
            at=wiring.clock(),
        )
    good, bad = (
        made.calibration.curves[f"customer_service/{c}"]
        for c in ("opening.greeting", "closing.thanks")
    )
    assert good.apply(0.9) > 0.9 > 0.6 > bad.apply(0.9)
    records = {c.criterion: c for c in made.criteria}
    assert (
        records["closing.thanks"].is_often_overturned
        and len(records["closing.thanks"].overturned_calls) == 20
    )
    assert not records["opening.greeting"].is_often_overturned
    assert records["closing.thanks"].brier_after < records["closing.thanks"].brier_before
    monkeypatch.setattr(
        learnt, "labelled_answers", lambda session, until=None: judged(200, agree_every=2)
    )
    with wiring.database.write() as session:
        again = learning.fit_month(
            session,
            month=Month("2026-12"),
            is_closed=False,
            zone=wiring.settings.zone,
            at=wiring.clock(),
        )
        assert (again.is_new, again.calibration) == (False, made.calibration)
        assert learnt.calibration(session, Month("2026-11")) is None, (
            "earlier months are not touched"
        )
        assert learnt.calibration(session, Month("2027-01")) == made.calibration
        with pytest.raises(learning.MonthIsClosed):
            learning.fit_month(
                session,
                month=Month("2026-10"),
                is_closed=True,
                zone=wiring.settings.zone,
                at=wiring.clock(),
            )


def test_few_answers_change_nothing_and_none_give_an_empty_list(wiring):
    from qa.confidence import rules

    assert rules.fit(judged(5)).apply(0.8) == pytest.approx(0.8)
    with wiring.database.write() as session:
        assert (
            learning.fit_month(
                session,
                month=Month("2027-02"),
                is_closed=False,
                zone=wiring.settings.zone,
                at=wiring.clock(),
            ).criteria
            == ()
        )


@pytest.fixture
def tried(wiring, cast):
    call_id = add_call(wiring, cast, agent=cast.agent)
    truth = Transcript.model_validate(
        json.loads((SAMPLES / "truth" / "en_router_fault.json").read_text())
    )
    from qa.transcription.rules import measure, turns_of

    with wiring.database.write() as session:
        transcripts.save_transcript(
            session,
            call_id=call_id,
            transcript=truth,
            mechanics=measure(truth, turns_of(truth, "agent"), turns_of(truth, "customer")),
            at=wiring.clock(),
        )
    return call_id


class TestTryingAForm:
    def test_it_shows_each_rules_hits_and_keeps_nothing(self, wiring, cast, visit, tried):
        with wiring.database.read() as session:
            version_id, _ = forms.version_id(session, "customer_service", 3)
        page = visit(cast.manager).get(f"/forms/{version_id}/try?call={tried}")
        assert page.status_code == 200
        assert (
            "has-hit" in page.text
            and "opening.greeting" in page.text
            and "data-play-from" in page.text
        )
        with wiring.database.read() as session:
            from qa.checking.store import latest_form_version

            assert latest_form_version(session, tried) is None

    def test_an_edited_form_is_tried_as_typed_and_faults_come_with_their_line(
        self, cast, visit, tried
    ):
        source = (
            "form: mine\nversion: 1\nlanguages: [en]\ntitle: Mine\nsections:\n  - id: s\n    title:"
            " S\n    criteria:\n      - {id: c.hello, title: Hello, scale: met_not_met, check:"
            " {script: {steps: [{id: hi, any: [good morning]}, {id: bye, any: [nice day]}]}}}\n"
        )
        page = visit(cast.manager).post("/forms/1/try", {"source": source, "call": tried})
        assert page.status_code == 200 and "c.hello" in page.text and "said" in page.text
        broken = visit(cast.manager).post(
            "/forms/1/try", {"source": source.replace("steps:", "stepps:"), "call": tried}
        )
        assert broken.status_code == 422 and "line 9" in broken.text and "stepps" in broken.text, (
            "what was typed is still there"
        )

    def test_a_call_that_is_not_there_and_hostile_text_are_answered_calmly(
        self, cast, visit, tried
    ):
        assert visit(cast.manager).get("/forms/1/try?call=9999").status_code == 422
        page = visit(cast.manager).post(
            "/forms/1/try", {"source": "<script>alert(1)</script>: [", "call": tried}
        )
        assert page.status_code == 422 and "<script>alert" not in page.text
        assert visit(cast.manager).get("/forms/999/try").status_code == 404

    def test_others_may_not(self, cast, visit, tried):
        for user in (cast.evaluator, cast.agent, cast.leader, cast.trainer):
            assert visit(user).get(f"/forms/1/try?call={tried}").status_code == 403


@pytest.mark.slow
@pytest.mark.speech
def test_the_speech_model_can_be_made_from_nothing_with_a_small_budget(tmp_path):
    pytest.importorskip("jax")
    out = tmp_path / "model"
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "models.training.speech",
            "--out",
            str(out),
            "--minutes",
            "0.2",
            "--small",
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    heard = WhisperTranscriber(str(out)).transcribe(
        sound("en_refund_middling"), language="en", source_name="x"
    )
    assert isinstance(heard.transcript, Transcript)
    assert re.fullmatch(r"[0-9a-f]{64}", heard.transcript.engine["model_sha256"])


@pytest.mark.slow
def test_the_courtesy_classifier_rebuilds_to_the_same_answers(tmp_path):
    from qa.engines.courtesy import CourtesyClassifier

    subprocess.run(
        [sys.executable, "-m", "models.training.courtesy", "--out", str(tmp_path)],
        cwd=PROJECT_ROOT,
        check=True,
        capture_output=True,
    )
    for language, text in (
        ("en", "Thank you for calling, how can I help?"),
        ("it", "La richiamo entro due ore"),
        ("zh", "请您稍等"),
    ):
        ours, shipped = (
            CourtesyClassifier(f).probabilities([text], language)[0]
            for f in (tmp_path, PROJECT_ROOT / "models" / "courtesy")
        )
        assert ours == pytest.approx(shipped, abs=0.02)


def test_settings_name_the_private_names(tmp_path):
    assert Settings(data_dir=tmp_path, private_names="Anna Smith, ,Bob ").names_to_mask == (
        "Anna Smith",
        "Bob",
    )
