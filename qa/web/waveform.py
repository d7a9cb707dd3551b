"""List the marks that the player shows on the waveform."""

from collections.abc import Sequence
from typing import Any

from qa.transcription.types import Mechanics, Redaction

SHOWN_SILENCE = 3.0


def marks(
    mechanics: Mechanics | None, redactions: Sequence[Redaction] = ()
) -> list[dict[str, Any]]:
    """List silences, holds, overlaps and what was masked, by time, with kind and seconds."""
    if mechanics is None:
        return []
    silences = [
        s for s in mechanics.silences if s.seconds >= SHOWN_SILENCE and s not in mechanics.holds
    ]
    kinds = (("hold", mechanics.holds), ("silence", silences), ("overlap", mechanics.overlap))
    marked = [
        {"kind": kind, "start": s.start, "end": s.end} for kind, spans in kinds for s in spans
    ]
    marked += [{"kind": "masked", "start": r.start, "end": r.end} for r in redactions]
    return sorted(marked, key=lambda m: m["start"])
