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
    """Join everything that was said, with the words that people corrected."""
    lines, glue = [], "" if transcript.language == "zh" else " "
    for number, utterance in enumerate(transcript.utterances):
        words = [
            corrections.get((number, position), word.text)
            for position, word in enumerate(utterance.words or ())
        ]
        lines.append(
            glue.join(words)
            if words and any((number, position) in corrections for position in range(len(words)))
            else utterance.text
        )
    return " ".join(lines)
