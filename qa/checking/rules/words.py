"""Split speech into normalised tokens, with times and confidence; compare by sound."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

from qa.transcription.types import Transcript, Utterance, Word

HAN = re.compile(r"[\u3400-\u9fff]")
PIECES = re.compile(r"[\u3400-\u9fff]|[^\W_]+")
ANNOTATION = re.compile(r"\[[^\]]{0,30}\]|<[^>]{0,30}>")
FILLERS = {"uh", "um", "er", "erm", "hmm", "mm", "uhm", "ehm", "mhm", "嗯", "呃", "哦"}
CONTRACTIONS = [
    (re.compile(p), r)
    for p, r in (
        (r"\bcan['’]?t\b|\bcannot\b", "can not"),
        (r"\bwon['’]t\b", "will not"),
        (r"n['’]t\b", " not"),
        (r"['’]re\b", " are"),
        (r"['’]m\b", " am"),
        (r"['’]ll\b", " will"),
        (r"['’]ve\b", " have"),
        (r"['’]d\b", " would"),
        (r"\b(what|that|here|there|it|how|where|who|let|name)['’]s\b", r"\1 is"),
    )
]
JOIN_SECONDS = 4.0
STOPWORDS = {
    "en": frozenset(
        (
            "the is you i to a and my can your for of it that are have in on with what this do not"
        ).split()
    ),
    "it": frozenset(
        (
            "il la di che e un una per non mi sono le lei ho del con posso si ha in suo sua grazie"
        ).split()
    ),
}


@dataclass(frozen=True)
class Token:
    key: str
    utterance: int
    start: float
    end: float
    text: str
    confidence: float | None


@dataclass(frozen=True)
class TokenSpan:
    """The tokens of one speaker without a longer break.

    Phrases are searched inside a span, so one may be split over two utterances.
    """

    tokens: tuple[Token, ...]
    turn: int

    @functools.cached_property
    def line(self) -> str:
        return " ".join(t.key for t in self.tokens)


@functools.lru_cache(maxsize=50_000)
def keys_of(text: str) -> tuple[str, ...]:
    """Normalise a text into tokens: no case, accents or fillers; a Chinese character is a token.

    Full and half width alike, contractions written out.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = ANNOTATION.sub(" ", text)
    for pattern, written_out in CONTRACTIONS:
        text = pattern.sub(written_out, text)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return tuple(p for p in PIECES.findall(text) if p not in FILLERS)


@functools.lru_cache(maxsize=20_000)
def sound_of(key: str) -> str:
    """Compute a rough phonetic key of a word.

    Pinyin with the usual confusions merged for Chinese, consonants for other words.
    """
    if HAN.match(key):
        syllable = lazy_pinyin(key, style=Style.NORMAL)[0]
        for a, b in (
            ("zh", "z"),
            ("ch", "c"),
            ("sh", "s"),
            ("ing", "in"),
            ("eng", "en"),
            ("ang", "an"),
        ):
            syllable = syllable.replace(a, b)
        return syllable
    for a, b in (
        ("ph", "f"),
        ("ck", "k"),
        ("gh", "g"),
        ("qu", "k"),
        ("q", "k"),
        ("x", "ks"),
        ("z", "s"),
        ("y", "i"),
        ("c", "k"),
        ("h", ""),
    ):
        key = key.replace(a, b)
    body = re.sub(r"[aeiou]", "", key[1:])
    return re.sub(r"(.)\1+", r"\1", key[:1] + body)


def token_spans(transcript: Transcript, speaker: str) -> tuple[TokenSpan, ...]:
    """Split the speech of a speaker (or `anyone`) where they pause for more than a few seconds."""
    out: list[TokenSpan] = []
    pending: list[Token] = []
    last: Utterance | None = None
    for index, utterance in transcript.by(speaker):
        if (
            last is not None
            and (utterance.start - last.end > JOIN_SECONDS or utterance.speaker != last.speaker)
            and pending
        ):
            out.append(TokenSpan(tuple(pending), len(out)))
            pending = []
        pending.extend(_tokens(index, utterance))
        last = utterance
    if pending:
        out.append(TokenSpan(tuple(pending), len(out)))
    return tuple(out)


def token_span_of(index: int, utterance: Utterance) -> TokenSpan:
    """One utterance alone."""
    return TokenSpan(tuple(_tokens(index, utterance)), index)


def looks_like(language: str, tokens: Sequence[Token]) -> bool:
    """Tell whether the words can be of that language; short texts get the benefit of the doubt."""
    if len(tokens) < 12:
        return True
    keys = [token.key for token in tokens]
    han = sum(1 for key in keys if HAN.match(key)) / len(keys)
    if language == "zh":
        return han > 0.3
    share = {
        code: sum(key in words for key in keys) / len(keys) for code, words in STOPWORDS.items()
    }
    other = "it" if language == "en" else "en"
    return han < 0.3 and not (share[other] > 0.12 and share[other] > 3 * share[language])


def _tokens(index: int, utterance: Utterance) -> Iterable[Token]:
    words = utterance.words or (
        Word(
            start=utterance.start,
            end=utterance.end,
            text=utterance.text,
            confidence=utterance.confidence,
        ),
    )
    for word in words:
        keys = keys_of(word.text)
        if not keys:
            continue
        pieces = _pieces(word.text, len(keys))
        lengths = [max(1, len(k)) for k in keys]
        step = (word.end - word.start) / sum(lengths)
        at = word.start
        for key, piece, length in zip(keys, pieces, lengths, strict=True):
            yield Token(key, index, at, at + step * length, piece, word.confidence)
            at += step * length


def _pieces(text: str, count: int) -> list[str]:
    """Split off the written form of each token where it can be told apart.

    Else the whole text stands on the first.
    """
    written = text.split() if not HAN.search(text) else PIECES.findall(text)
    written = [word for word in written if keys_of(word)]
    if len(written) == count:
        return written
    pieces: list[str] = []
    for word in written:
        pieces.append(word)
        pieces.extend("" for _ in keys_of(word)[1:])
    return (pieces + [""] * count)[:count]
