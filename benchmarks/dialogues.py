"""The shipped checks on short dialogues of our own with the right verdict: precision, recall and
abstention per language and criterion.

python benchmarks/dialogues.py [--wrong]
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qa.checking.rules import check_call
from qa.engines.courtesy import shipped
from qa.forms.reader import read_form
from qa.settings import PROJECT_ROOT
from qa.transcription.types import Transcript

FOLDER = PROJECT_ROOT / "tests" / "dialogues"
EXPECTED = {"met": "met", "not_met": "not_met", "na": "not_applicable"}
SECONDS_A_LETTER = 0.07


@dataclass(frozen=True)
class Dialogue:
    language: str
    company: str
    criterion: str
    expected: str
    transcript: Transcript


def dialogues(folder: Path = FOLDER) -> Iterator[Dialogue]:
    for path in sorted(folder.glob("*.txt")):
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        company = first.partition("company = ")[2].split(".")[0]
        for line in lines:
            head, *turns = [part.strip() for part in line.split("|")]
            criterion, verdict = head.split()
            yield Dialogue(
                path.stem, company, criterion, EXPECTED[verdict], _transcript(path.stem, turns)
            )


def _transcript(language: str, turns: list[str]) -> Transcript:
    at, utterances = 0.5, []
    for turn in turns:
        who, _, words = turn.partition(": ")
        end = at + max(0.6, len(words) * SECONDS_A_LETTER * (3 if language == "zh" else 1))
        utterances.append(
            {
                "speaker": "agent" if who == "A" else "customer",
                "start": at,
                "end": end,
                "text": words,
            }
        )
        at = end + 0.4
    return Transcript.model_validate(
        {"language": language, "duration": at, "utterances": utterances}
    )


def main() -> None:
    form = read_form(
        (PROJECT_ROOT / "scoring_forms" / "customer_service.v3.yaml").read_text(encoding="utf-8")
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for d in dialogues():
        findings = check_call(
            form, d.transcript, variables={"company": d.company}, acts=shipped()
        ).findings
        found = next(f for f in findings if f.criterion == d.criterion)
        verdict = found.verdict.value
        outcome = (
            "unsure" if verdict == "unsure" else ("right" if verdict == d.expected else "wrong")
        )
        for group in (d.language, d.criterion, "all"):
            counts[group][outcome] += 1
            counts[group]["said met"] += verdict == "met"
            counts[group]["said met rightly"] += verdict == d.expected == "met"
            counts[group]["is met"] += d.expected == "met"
        if outcome != "right" and "--wrong" in sys.argv:
            print(
                f"  {outcome}: {d.language} {d.criterion} should be {d.expected}, is {verdict}:"
                f" {' / '.join(u.text for u in d.transcript.utterances)}"
            )
    for group, c in counts.items():
        total = c["right"] + c["wrong"] + c["unsure"]
        precision, recall = (
            c["said met rightly"] / max(1, c["said met"]),
            c["said met rightly"] / max(1, c["is met"]),
        )
        print(
            f"{group:22} {total:4} dialogues: right {c['right']}, wrong {c['wrong']}, unsure"
            f" {c['unsure']}; met: precision {precision:.3f}, recall {recall:.3f}"
        )


if __name__ == "__main__":
    main()
