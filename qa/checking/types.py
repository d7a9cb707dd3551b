"""Define findings: automatic answers with confidence and the evidence one can hear."""

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from qa.forms.types import Act
from qa.transcription.types import Transcript


class SpeechActs(Protocol):
    """Tells for every utterance the probability of each speech act in it."""

    @property
    def version(self) -> str: ...

    def __call__(self, transcript: Transcript) -> Sequence[Mapping[Act, float]]: ...


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


class StepState(enum.Enum):
    SAID = "said"
    SKIPPED = "skipped"
    OUT_OF_ORDER = "out_of_order"
    UNSURE = "unsure"


@dataclass(frozen=True)
class ScriptStepFinding:
    """The finding for one step of a script.

    `similarity` (0–1) is how close the words came; of a skipped step 0.
    """

    id: str
    state: StepState
    similarity: float
    start: float | None = None

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state.value,
            "similarity": round(self.similarity, 3),
            "start": self.start,
        }


@dataclass(frozen=True)
class Judgement:
    """The conclusion of a rule.

    `confidence` (0–1) is how likely the verdict is right; of an unsure one it is 0.5. `steps` only
    of scripts.
    """

    verdict: Verdict
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    steps: tuple[ScriptStepFinding, ...] = ()


@dataclass(frozen=True)
class PlattCurve:
    """A calibration curve: logit P(right) = offset + slope · logit(confidence).

    `count` answers of people stand behind it.
    """

    offset: float
    slope: float
    count: int

    def apply(self, confidence: float) -> float:
        """Compute the calibrated confidence (0.01–0.99)."""
        p = min(0.99, max(0.01, confidence))
        z = self.offset + self.slope * math.log(p / (1 - p))
        return min(0.99, max(0.01, 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))))


@dataclass(frozen=True)
class ConfidenceCalibration:
    """Curves by `form/criterion`, learnt from people's answers.

    `version` is the month from which it holds.
    """

    version: str
    curves: Mapping[str, PlattCurve]

    def document(self) -> dict[str, Any]:
        return {"version": self.version, "curves": {k: vars(c) for k, c in self.curves.items()}}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "ConfidenceCalibration":
        return cls(document["version"], {k: PlattCurve(**c) for k, c in document["curves"].items()})


@dataclass(frozen=True)
class Finding:
    criterion: str
    verdict: Verdict
    confidence: float
    rule: str
    evidence: tuple[Evidence, ...] = ()
    steps: tuple[ScriptStepFinding, ...] = ()
    # before calibration, where one was applied: what the next one learns from
    raw_confidence: float | None = None

    def document(self) -> dict[str, Any]:
        steps = {"steps": [s.document() for s in self.steps]} if self.steps else {}
        raw = {"raw_confidence": self.raw_confidence} if self.raw_confidence is not None else {}
        return (
            steps
            | raw
            | {
                "criterion": self.criterion,
                "verdict": self.verdict.value,
                "confidence": round(self.confidence, 3),
                "rule": self.rule,
                "evidence": [
                    {
                        "utterance": e.utterance,
                        "speaker": e.speaker,
                        "start": round(e.start, 3),
                        "end": round(e.end, 3),
                        "text": e.text,
                    }
                    for e in self.evidence
                ],
            }
        )

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Finding":
        steps = tuple(
            ScriptStepFinding(s["id"], StepState(s["state"]), s["similarity"], s["start"])
            for s in document.get("steps", ())
        )
        evidence = tuple(Evidence(**e) for e in document["evidence"])
        return cls(
            document["criterion"],
            Verdict(document["verdict"]),
            document["confidence"],
            document["rule"],
            evidence,
            steps,
            document.get("raw_confidence"),
        )


@dataclass(frozen=True)
class Findings:
    """Everything a form's checks say about one call.

    `low` and `high` (0–100) count each unsure answer as not met and as met.
    """

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
