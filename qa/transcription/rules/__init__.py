"""Derive from a transcript: `mechanics`, spoken `digits`, `redaction`, `search_text`."""

from qa.transcription.rules.mechanics import measure, merged, turns_of

__all__ = ["measure", "merged", "turns_of"]
