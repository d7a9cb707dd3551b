"""A finding: the automatic answer to a criterion, with its confidence and the evidence one can hear."""

import enum
from dataclasses import dataclass, field
from typing import Any


class Verdict(enum.Enum):
    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Evidence:
    """A stretch of one utterance: who said what, from when to when (seconds)."""

    utterance: int
    speaker: str
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Judgement:
    """What a rule concludes. `confidence` (0–1) is how likely the verdict is right; of an unsure one it is 0.5."""

    verdict: Verdict
    confidence: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Finding:
    criterion: str
    verdict: Verdict
    confidence: float
    rule: str
    evidence: tuple[Evidence, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion,
            "verdict": self.verdict.value,
            "confidence": round(self.confidence, 3),
            "rule": self.rule,
            "evidence": [
                {"utterance": e.utterance, "speaker": e.speaker, "start": round(e.start, 3), "end": round(e.end, 3), "text": e.text} for e in self.evidence
            ],
        }


@dataclass(frozen=True)
class Findings:
    """Everything a form's checks say about one call. `low` and `high` (0–100) count each unsure answer as not met and as met."""

    form: str
    version: int
    findings: tuple[Finding, ...]
    low: float | None
    high: float | None
    rules_version: str = field(default="")

    def document(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "version": self.version,
            "rules_version": self.rules_version,
            "findings": [f.document() for f in self.findings],
            "score": {"low": self.low, "high": self.high},
        }
