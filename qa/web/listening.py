"""What the player shows on the waveform."""

from typing import Any

from qa.transcription.types import Mechanics

SHOWN_SILENCE = 3.0


def marks(mechanics: Mechanics | None) -> list[dict[str, Any]]:
    """Silences, holds and overlaps with their kind and times (seconds), in order."""
    if mechanics is None:
        return []
    silences = [s for s in mechanics.silences if s.seconds >= SHOWN_SILENCE and s not in mechanics.holds]
    kinds = (("hold", mechanics.holds), ("silence", silences), ("overlap", mechanics.overlap))
    found = [{"kind": kind, "start": s.start, "end": s.end} for kind, spans in kinds for s in spans]
    return sorted(found, key=lambda m: m["start"])
