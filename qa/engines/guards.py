"""Recognise what a speech model invents: loops, and phrases of film subtitles over silence."""

from collections.abc import Sequence

from qa.checking.rules.words import keys_of
from qa.transcription.types import Word

# text that compresses better than this repeats itself (Radford et al. 2022, section 4.5)
LOOP_RATIO = 2.4
LONGEST_LOOP = 8
REPEATS = 3
# words (characters in Chinese) a second; speech stays below 6 and 9
FASTEST = {
    "en": 7.0,
    "it": 8.0,
    "zh": 12.0,
}
DOUBTFUL = -0.9  # mean log probability of a token below which a phantom phrase is not believed
NO_SPEECH = 0.6
PHANTOMS = {
    "en": (
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "subtitles by",
        "see you in the next video",
        "like and subscribe",
        "amara org",
    ),
    "it": (
        "sottotitoli",
        "grazie per aver guardato",
        "iscrivetevi al canale",
        "alla prossima",
        "qtss",
    ),
    "zh": ("字幕", "谢谢观看", "请订阅", "点赞", "明镜与点点", "优优独播剧场"),
}


def is_invented(
    text: str, language: str, *, log_probability: float, no_speech: float, compression: float
) -> bool:
    """Tell whether a segment is not to be believed as a whole."""
    if compression > LOOP_RATIO or (no_speech > NO_SPEECH and log_probability < DOUBTFUL):
        return True
    spoken = " ".join(keys_of(text))
    joined = spoken.replace(" ", "") if language == "zh" else spoken
    return (no_speech > NO_SPEECH or log_probability < DOUBTFUL) and any(
        p in joined for p in PHANTOMS[language]
    )


def without_loops(words: Sequence[Word]) -> list[Word]:
    """Words with anything said more than three times in a row kept three times."""
    keys = [keys_of(w.text) for w in words]
    out: list[Word] = []
    kept: list[tuple[str, ...]] = []
    for word, key in zip(words, keys, strict=True):
        out.append(word)
        kept.append(key)
        for size in range(1, LONGEST_LOOP + 1):
            needed = size * (REPEATS + 1)
            tail = kept[-needed:]
            if len(tail) == needed and all(tail[i] == tail[i % size] for i in range(needed)):
                del out[-size:], kept[-size:]
                break
    return out


def is_too_fast(words: Sequence[Word], language: str) -> bool:
    """More words than can be said in that time."""
    if len(words) < 4:
        return False
    seconds = max(0.05, words[-1].end - words[0].start)
    return sum(len(keys_of(w.text)) for w in words) / seconds > FASTEST[language]
