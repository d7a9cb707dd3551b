"""Words as the search knows them: without case and accents, every Chinese character a word of its
own, so that a phrase of any length is found. Pure.
"""

import re
import unicodedata

from qa.transcription.types import Corrections, Transcript

CJK = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def searchable(said: str) -> str:
    """The words of a text with blanks between; the same for what was said and for what is looked
    for.
    """
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", said.lower()) if not unicodedata.combining(c)
    )
    return " ".join(re.findall(r"\w+", CJK.sub(r" \1 ", plain)))


def corrected_text(transcript: Transcript, corrections: Corrections) -> str:
    """Everything that was said, with the words that people set right."""
    lines = []
    for n, u in enumerate(transcript.utterances):
        words = [corrections.get((n, i), w.text) for i, w in enumerate(u.words or ())]
        lines.append(
            ("" if transcript.language == "zh" else " ").join(words)
            if words and any((n, i) in corrections for i in range(len(words)))
            else u.text
        )
    return " ".join(lines)
