"""Bound texts that people write."""


def bounded_text(text: str, limit: int) -> str:
    """Strip blanks from both ends and cut to at most `limit` characters."""
    return text.strip()[:limit]
