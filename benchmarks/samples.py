"""The shipped model on the sample calls: word error (character error for Mandarin) per call, and
the expected findings that are found.

python benchmarks/samples.py [--mono]

With --mono both channels are mixed into one first, and the right share of words put down to the
right speaker is printed too.
"""

import csv
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from qa.checking.rules import check_call
from qa.checking.rules.words import keys_of
from qa.engines.audio import decode
from qa.engines.transcribers import WhisperTranscriber
from qa.forms.reader import read_form
from qa.intake.rules import nested
from qa.settings import PROJECT_ROOT, load
from qa.transcription.service import measure_mechanics
from qa.transcription.types import Transcript


def edit_distance(said: list[str], heard: list[str]) -> int:
    """Insertions, deletions and substitutions between two token lists."""
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(said, heard))


def main() -> None:
    settings = load()
    transcriber = WhisperTranscriber(settings.whisper_model, threads=settings.threads)
    forms = {
        p.name.split(".")[0]: read_form(p.read_text(), file=p.name)
        for p in sorted((PROJECT_ROOT / "scoring_forms").glob("*.yaml"))
    }
    rows = {
        r["file"]: r
        for r in csv.DictReader((PROJECT_ROOT / "audio_samples" / "manifest.csv").open())
    }
    total: Counter[str] = Counter()
    for name, row in rows.items():
        truth_document = json.loads(
            (PROJECT_ROOT / "audio_samples" / "truth" / f"{Path(name).stem}.json").read_text()
        )
        truth = Transcript.model_validate(truth_document)
        sound = decode(
            PROJECT_ROOT / "audio_samples" / name, max_seconds=600, memory_megabytes=1536
        )
        if "--mono" in sys.argv:
            sound = replace(sound, samples=sound.samples.sum(axis=0, keepdims=True))
        result = transcriber.transcribe(sound, language=row["language"], source_name=name)
        heard = result.transcript
        errors = words = 0
        for speaker in ("agent", "customer"):
            said = [k for _, u in truth.by(speaker) for k in keys_of(u.text)]
            got = [k for _, u in heard.by(speaker) for k in keys_of(u.text)]
            errors, words = errors + edit_distance(said, got), words + len(said)
        found = check_call(
            forms[truth_document["form"]],
            heard,
            mechanics=measure_mechanics(result),
            details=nested(row),
            variables={"company": row["company"]},
        )
        verdicts = {f.criterion: f.verdict.value for f in found.findings}
        missed = {
            c: (v, verdicts.get(c))
            for c, v in truth_document["expected"].items()
            if verdicts.get(c) != v
        }
        total["errors"] += errors
        total["words"] += words
        total["expected"] += len(truth_document["expected"])
        total["unsure"] += sum(got == "unsure" for _, got in missed.values())
        total["missed"] += sum(got != "unsure" for _, got in missed.values())
        print(
            f"{name:32} {'CER' if truth.language == 'zh' else 'WER'} {100 * errors / words:5.1f} % "
            f"  score {found.low}–{found.high}   {missed or ''} {heard.quality}"
        )
    print(
        f"all: {100 * total['errors'] / total['words']:.1f} % error; of {total['expected']}"
        f" expected findings {total['missed']} wrong, {total['unsure']} unsure"
    )


if __name__ == "__main__":
    main()
