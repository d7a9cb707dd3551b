"""Checks on outside calls: labelled role-played bank calls (JSON lines), on the words said and on
the words recognised.

    python benchmarks/bank_calls.py CALLS.jsonl

Prints, per criterion: of the verdicts "met" how many are found, and with the evidence turns cut out
how many are answered "not met"; of the verdicts "not met" how many are answered so.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from qa.checking.rules import check_call
from qa.forms.reader import read_form
from qa.settings import PROJECT_ROOT
from qa.transcription.types import Transcript

CRITERIA = {
    "greeting_company": "opening.greeting",
    "self_intro": "opening.introduction",
    "offers_help": "opening.offers_help",
    "asks_identity": "identity.asked",
    "confirms_request": "request.confirmed",
    "next_steps_time": "resolution.next_steps",
    "further_help": "closing.further_help",
    "thanks_caller": "closing.thanks",
    "polite_close": "closing.farewell",
}
COMPANY = {"company": "Harper Valley National Bank"}


def transcript(call: dict, words: str, without: frozenset[int] = frozenset()) -> Transcript:
    turns = [t for i, t in enumerate(call["turns"]) if t[words].strip() and i not in without]
    utterances = [
        {
            "speaker": "agent" if t["role"] == "agent" else "customer",
            "start": t["start_ms"] / 1000,
            "end": (t["start_ms"] + t["duration_ms"]) / 1000,
            "text": t[words],
        }
        for t in turns
    ]
    return Transcript.model_validate(
        {"language": "en", "duration": max(u["end"] for u in utterances), "utterances": utterances}
    )


def main() -> None:
    form = read_form((PROJECT_ROOT / "scoring_forms" / "customer_service.v3.yaml").read_text())
    calls = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    for words in ("human", "asr"):
        found, cut, denied = Counter(), Counter(), Counter()
        for call in calls:
            verdicts = {
                f.criterion: f.verdict.value
                for f in check_call(form, transcript(call, words), variables=COMPANY).findings
            }
            for label, criterion in CRITERIA.items():
                gold = call["gold"].get(label)
                if gold and gold["verdict"] == "not_met":
                    denied[verdicts[criterion]] += 1
                if not gold or gold["verdict"] != "met":
                    continue
                found[label, verdicts[criterion]] += 1
                rest = check_call(
                    form, transcript(call, words, frozenset(gold["turns"])), variables=COMPANY
                )
                cut[
                    label, next(f.verdict.value for f in rest.findings if f.criterion == criterion)
                ] += 1
        for label in CRITERIA:
            met = [n for (k, v), n in found.items() if k == label and v == "met"]
            total = sum(n for (k, _), n in found.items() if k == label)
            absent = sum(n for (k, v), n in cut.items() if k == label and v == "not_met")
            print(
                f"  {words:6} {label:18} found {sum(met)}/{total}, without its turns not met"
                f" {absent}/{total}"
            )
        total, hits = sum(found.values()), sum(n for (_, v), n in found.items() if v == "met")
        print(
            f"{words}: of {sum(denied.values())} verdicts not met {denied['not_met']} are answered"
            f" so, {denied['met']} the other way round; {100 * hits / total:.1f} % of met found,"
            f" {100 * sum(n for (_, v), n in cut.items() if v == 'not_met') / total:.1f} % not met"
            " without the evidence"
        )


if __name__ == "__main__":
    main()
