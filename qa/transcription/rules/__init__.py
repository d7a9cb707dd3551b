"""What a transcript tells: speech mechanics (`mechanics`), spoken numbers (`digits`), and what must
not be kept (`private`).
"""

from qa.transcription.rules.mechanics import measure, merged, turns_of

__all__ = ["measure", "merged", "turns_of"]
