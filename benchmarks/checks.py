"""Checks per second: every shipped form on the sample calls' true words, and on one call of ninety
minutes.

python benchmarks/checks.py
"""

import json
import time

from qa.checking.rules import check_call
from qa.forms.reader import read_form
from qa.settings import PROJECT_ROOT
from qa.transcription.types import Transcript


def main() -> None:
    form = read_form((PROJECT_ROOT / "scoring_forms" / "customer_service.v3.yaml").read_text())
    checks = sum(c.check is not None for c in form.criteria())
    calls = [
        Transcript.model_validate(json.loads(p.read_text()))
        for p in sorted((PROJECT_ROOT / "audio_samples" / "truth").glob("*.json"))
    ]
    started = time.perf_counter()
    for _ in range(5):
        for call in calls:
            check_call(form, call, variables={"company": "Acme Telecom"})
    seconds = time.perf_counter() - started
    print(
        f"{len(calls) * 5 * checks / seconds:.0f} checks a second,"
        f" {1000 * seconds / (5 * len(calls)):.1f} ms a call of a minute"
    )
    turns = [u for call in calls if call.language == "en" for u in call.utterances]
    long_call = [
        u.model_copy(update={"start": u.start + 60 * k, "end": u.end + 60 * k, "words": ()})
        for k in range(90)
        for u in turns[:12]
    ]
    transcript = Transcript(language="en", duration=5400, utterances=tuple(long_call))
    started = time.perf_counter()
    check_call(form, transcript, variables={"company": "Acme Telecom"})
    print(
        f"{time.perf_counter() - started:.2f} s for one call of ninety minutes ({len(long_call)}"
        " utterances)"
    )


if __name__ == "__main__":
    main()
