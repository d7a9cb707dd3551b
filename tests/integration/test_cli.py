"""The command-line contract: what others build on."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from rapidfuzz.distance import Levenshtein

from qa import cli, settings
from qa.checking.rules.words import keys_of
from qa.cli import terminal
from qa.settings import PROJECT_ROOT


@pytest.fixture
def qa(tmp_path, monkeypatch):
    """The `qa` command on a fresh data folder; returns (exit code, stdout, stderr)."""
    made = settings.Settings(data_dir=tmp_path / "var", transcriber="scripted")
    monkeypatch.setattr(terminal, "load", lambda: made)

    def run(*arguments):
        result = CliRunner().invoke(cli.main, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.mark.parametrize("command", ["web", "worker", "scheduler"])
def test_a_service_refuses_a_folder_that_was_never_set_up(qa, command):
    code, out, err = qa(command)
    assert (code, out) == (1, "")
    assert err == "error: the database is not set up or not up to date; run `qa init`\n"


def test_a_worker_without_a_broker_says_so_in_one_line(qa):
    qa("init")
    code, _, err = qa("worker")
    assert code == 1 and err.startswith("error: the broker is not reached at unix://")
    assert err.count("\n") == 1


TRANSCRIPT = {
    "language": "en",
    "duration": 30,
    "utterances": [
        {"speaker": "customer", "start": 6, "end": 9, "text": "hi I need my balance"},
        {
            "speaker": "agent",
            "start": 1,
            "end": 5,
            "text": "Hello, this is Acme Telecom, my name is Sarah, how can I help you?",
        },
    ],
}


def write(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_check_prints_exactly_one_findings_document(qa, tmp_path):
    code, out, _ = qa(
        "check",
        "--form",
        "customer_service",
        "--set",
        "company=Acme Telecom",
        "--transcript",
        write(tmp_path / "t.json", TRANSCRIPT),
        "--json",
    )
    document = json.loads(out)
    assert code == 0
    assert (document["form"], document["version"]) == ("customer_service", 3)
    assert (
        set(document["score"]) == {"low", "high"}
        and document["score"]["low"] <= document["score"]["high"]
    )
    by_id = {f["criterion"]: f for f in document["findings"]}

    ids = {
        "opening.greeting",
        "opening.introduction",
        "opening.offers_help",
        "identity.asked",
        "request.confirmed",
        "hold.courtesy",
        "resolution.next_steps",
        "closing.further_help",
        "closing.thanks",
        "closing.farewell",
        "conduct.discourtesy",
    }
    assert ids <= set(by_id)
    greeting = by_id["opening.greeting"]
    assert set(greeting) == {"criterion", "verdict", "confidence", "rule", "evidence"}
    assert greeting["verdict"] == "met"
    assert set(greeting["evidence"][0]) == {"utterance", "speaker", "start", "end", "text"}


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        "null",
        '{"language": "de", "duration": 1}',
        '{"language": "en"}',
        '{"language":"en","duration":1,'
        '"utterances":[{"speaker":"robot","start":0,"end":1,"text":"x"}]}',
        '{"language":"en","duration":1,'
        '"utterances":[{"speaker":"agent","start":2,"end":1,"text":"x"}]}',
        '{"language":"en","duration":NaN}',
        '{"language":"en","duration":1,"utterances":[{"text":"x"}]}',
    ],
)
def test_a_transcript_that_is_none_gets_one_clear_line_and_exit_1(qa, tmp_path, document):
    code, out, err = qa(
        "check",
        "--form",
        "customer_service",
        "--transcript",
        write(tmp_path / "t.json", document),
        "--json",
    )
    assert (code, out) == (1, "")
    assert err.startswith("error: ") and "Traceback" not in err


def test_score_prints_the_score_document_and_refuses_by_name(qa, tmp_path):
    form = write(
        tmp_path / "f.yaml",
        "form: f\nversion: 1\nlanguages: [en]\ntitle: T\npass_mark: 70\nsections: [{id: s, title:"
        " T, weight: 10, criteria: [{id: a, title: A, weight: 3, scale: met_not_met}, {id: b,"
        " title: B, scale: met_not_met}]}]",
    )
    code, out, _ = qa(
        "score",
        "--form",
        form,
        "--answers",
        write(tmp_path / "a.json", {"answers": {"a": "met", "b": "not_met"}}),
        "--json",
    )
    assert code == 0
    assert json.loads(out) == {
        "score": 75.0,
        "score_without_fails": 75.0,
        "critical_score": None,
        "passed": True,
        "sections": [{"id": "s", "score": 75.0, "weight": 10.0}],
        "criteria": [
            {"id": "a", "points": 1.0, "max": 1.0, "share": 0.75, "counted": True},
            {"id": "b", "points": 0.0, "max": 1.0, "share": 0.25, "counted": True},
        ],
    }
    code, _, err = qa(
        "score",
        "--form",
        form,
        "--answers",
        write(tmp_path / "a.json", {"answers": {"a": "maybe"}}),
        "--json",
    )
    assert (
        code == 1
        and "a: unknown option" in err
        and "b: missing" in err
        and "met, not_met, na" in err
    )


def test_forms_validate_names_file_line_and_what_to_write(qa, tmp_path):
    bad = write(
        tmp_path / "bad.yaml",
        "form: f\nversion: 1\nlanguages: [en]\ntitle: T\nsections: [{id: s, title: T, criteria:"
        " [{id: a, title: A, scael: met_not_met}]}]",
    )
    code, out, _ = qa("forms", "validate", bad, tmp_path / "gone.yaml")
    assert code == 1
    assert (
        f"{bad}:5: " in out
        and "Did you mean `scale`?" in out
        and "gone.yaml:1: cannot be read" in out
    )
    assert qa("forms", "validate")[0] == 0


@pytest.mark.slow
def test_import_sample_work_report_training_from_an_empty_folder(qa, tmp_path):
    code, _, err = qa("import", PROJECT_ROOT / "audio_samples")
    assert code == 1 and "qa init" in err
    assert qa("init")[0] == 0
    code, out, _ = qa("import", PROJECT_ROOT / "audio_samples", "--json")
    document = json.loads(out)
    assert code == 0 and document["counts"] == {
        "imported": 12,
        "flagged": 0,
        "known": 0,
        "refused": 0,
    }
    assert {
        f["outcome"]
        for f in json.loads(qa("import", PROJECT_ROOT / "audio_samples", "--json")[1])["files"]
    } == {"known"}
    drawn = json.loads(qa("sample", "--date", "2026-11-03", "--json")[1])["draws"][0]
    assert (
        drawn["frame"]["size"] == 3
        and {s["stratum"] for s in drawn["strata"]}
        and all(0 < c["probability"] <= 1 for c in drawn["calls"])
    )
    again = json.loads(qa("sample", "--date", "2026-11-03", "--json")[1])["draws"][0]
    assert again == {**drawn, "new": False}, "a day draws once"
    assert qa("sample", "--plan", "none")[0] == 1
    code, _, err = qa("work", "--drain")
    assert code == 0 and "0 set aside" in err
    assert qa("report", "2026-11", "--out", tmp_path / "out")[0] == 0
    report = json.loads((tmp_path / "out" / "quality-2026-11.json").read_text())
    assert (
        report["coverage"]["checked"] == 12 and report["whole"]["estimate"]["basis"] == "no_cards"
    )
    assert json.loads(qa("training", "2026-11", "--json")[1])["needs"] == []
    for arguments in (
        ("report", "2026-13"),
        ("report", "2026-11", "--format", "doc"),
        ("report", "2026-11", "--team", "none"),
        ("training", "soon"),
    ):
        code, _, err = qa(*arguments)
        assert code == 1 and err.startswith("error: "), arguments
    code, out, _ = qa("doctor", "--json")
    assert code == 1 and [f["what"] for f in json.loads(out)["findings"] if not f["is_ok"]] == [
        "sign-in"
    ]
    assert (
        qa("users", "add", "boss", "--role", "administrator", "--password", "correct horse")[0] == 0
    )
    assert qa("doctor")[0] == 0
    assert (
        "taken"
        in qa("users", "add", "boss", "--role", "administrator", "--password", "correct horse")[2]
    )
    assert (
        "--team"
        in qa("users", "add", "lead", "--role", "team_leader", "--password", "correct horse")[2]
    )


def test_a_refused_file_gives_exit_1_and_its_reason(qa, tmp_path):
    qa("init")
    code, out, _ = qa("import", write(tmp_path / "a.wav", "no sound"), "--json")
    assert code == 1
    assert json.loads(out)["files"][0]["reason"] == "wrong_format"


@pytest.mark.speech
def test_transcribe_and_acoustics_hear_a_sample(qa):
    file = PROJECT_ROOT / "audio_samples" / "en_rude_customer.wav"
    document = json.loads(qa("transcribe", file, "--language", "en", "--json")[1])
    assert (document["language"], document["engine"]["program"]) == ("en", "faster-whisper")
    first = document["utterances"][0]
    assert (
        first["speaker"] == "agent"
        and first["words"][0]["end"] > first["words"][0]["start"] >= first["start"]
    )
    truth = json.loads(
        (PROJECT_ROOT / "audio_samples" / "truth" / "en_rude_customer.json").read_text()
    )
    for speaker in ("agent", "customer"):
        said, heard = (
            [k for u in d["utterances"] if u["speaker"] == speaker for k in keys_of(u["text"])]
            for d in (truth, document)
        )
        assert Levenshtein.distance(said, heard) <= 0.2 * len(said), (said, heard)
    acoustics = json.loads(qa("acoustics", file, "--json")[1])
    assert (
        0.2 < acoustics["agent"]["talk_share"] < 0.9
        and acoustics["speakers_known"]
        and len(acoustics["line"]) == 2
    )


def test_a_file_that_is_no_sound_is_refused_in_one_line(qa, tmp_path):
    code, out, err = qa("transcribe", write(tmp_path / "a.wav", "x"), "--json")
    assert (code, out) == (1, "") and "not an audio file" in err


def test_help_and_the_web_process_load_nothing_heavy():
    heavy = (
        "('librosa', 'numba', 'sklearn', 'ctranslate2', 'faster_whisper', 'av', 'torch',"
        " 'onnxruntime')"
    )
    code = "\n".join(
        f"{imports}; print([m for m in {heavy} if m in sys.modules])"
        for imports in (
            "import sys, qa.cli",
            "import qa.app",
            "import qa.jobs.worker, qa.jobs.service",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT
    )
    assert done.stdout.split() == ["[]", "[]", "[]"], done.stdout + done.stderr


@pytest.mark.slow
def test_what_goes_wrong_on_the_way_is_logged_to_stderr_and_stdout_stays_one_document(
    qa, tmp_path, monkeypatch
):
    from qa import pipeline

    qa("init")
    qa("import", PROJECT_ROOT / "audio_samples" / "manifest.csv")

    def broken(wiring, subject):
        raise RuntimeError("the model fell over")

    monkeypatch.setitem(pipeline.STEPS, "transcribe", broken)
    code, out, err = qa("work", "--drain")
    assert (code, out) == (0, "")
    assert "the model fell over" in err


def test_a_user_gets_a_new_password_on_the_command_line(qa):
    qa("init")
    assert (
        qa("users", "add", "ada", "--role", "administrator", "--password", "correct horse")[0] == 0
    )
    assert qa("users", "password", "ada", "--password", "battery staple")[0] == 0
    code, _, err = qa("users", "password", "ada", "--password", "short")
    assert code == 1 and "10 characters" in err
    assert qa("users", "password", "nobody", "--password", "battery staple")[0] == 1
