"""Numbers as people say them become digits, in three languages: "double four", "quarantacinque",
"幺三九", "4539".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

HAN_DIGITS = dict(zip("零〇一二三四五六七八九幺两洞拐勾", "00123456789120" + "79", strict=True))
ENGLISH_UNITS = dict(
    zip("zero one two three four five six seven eight nine".split(), "0123456789", strict=True)
) | {"oh": "0", "nought": "0"}
ENGLISH_TEENS = dict(
    zip(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        map(str, range(10, 20)),
        strict=True,
    )
)
ENGLISH_TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),
        map(str, range(20, 100, 10)),
        strict=True,
    )
) | {"fourty": "40"}
MISHEARD = {
    "for": "4",
    "fore": "4",
    "to": "2",
    "too": "2",
    "won": "1",
    "ate": "8",
    "o": "0",
    "sex": "6",
    "tree": "3",
    "fife": "5",
    "niner": "9",
}
REPEATS = {
    "double": 2,
    "triple": 3,
    "treble": 3,
    "doppio": 2,
    "doppia": 2,
    "triplo": 3,
    "tripla": 3,
}
ITALIAN_UNITS = "zero uno due tre quattro cinque sei sette otto nove".split()
ITALIAN_TEENS = (
    "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove"
).split()
ITALIAN_TENS = " venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split(" ")
ITALIAN_MISHEARD = {"un": "1", "du": "2", "ses": "6", "nov": "9"}
MOST_BETWEEN = {"en": 2, "it": 2, "zh": 1}
FILLERS = frozenset(
    "uh um er and then dash hyphen space comma okay ok yes so again it s is that a next e poi"
    " spazio trattino virgola allora ehm si e quindi ancora ecco 然 后 嗯 呃 杠 再 空 格 接 着"
    " 是 那 个".split()
)


@dataclass(frozen=True)
class Digit:
    """One digit and the place of the word it was said in."""

    value: str
    word: int


@cache
def spoken(language: str) -> Mapping[str, str]:
    """Number words of a language with their digits."""
    if language == "it":
        return _italian() | ITALIAN_MISHEARD
    return ENGLISH_UNITS | ENGLISH_TEENS | ENGLISH_TENS if language == "en" else {}


@lru_cache(maxsize=50_000)
def pieces(text: str) -> tuple[str, ...]:
    """Letters and digits in small letters without accents; Chinese characters one by one."""
    plain = "".join(
        c
        for c in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
        if not unicodedata.combining(c)
    )
    return tuple(re.findall(r"[\u3400-\u9fff]|\d+|[a-z]+", plain))


def runs(
    words: Iterable[str],
    language: str,
    *,
    breaks: frozenset[int] = frozenset(),
    most_between: int | None = None,
) -> Iterator[list[Digit]]:
    """Digits said one after the other.

    A run ends after more than `most_between` other words (characters), and before each word in
    `breaks`.
    """
    most_between = MOST_BETWEEN[language] if most_between is None else most_between
    run: list[Digit] = []
    between, repeat, tens = 0, 1, False
    for place, piece in ((i, p) for i, w in enumerate(words) for p in _numeric(w)):
        if place in breaks and run and run[-1].word < place:
            yield run
            run, between, repeat, tens = [], 0, 1, False
        found = _digits(piece, language, after_digit=bool(run) and between == 0)
        if found is None:
            repeat = REPEATS.get(piece, 1)
            tens = False
            between += piece not in FILLERS and piece not in REPEATS
            if between > most_between and run:
                yield run
                run, between = [], 0
            continue
        if tens and len(found) == 1 and found != "0" and between == 0:
            run[-1] = Digit(found, place)  # "forty" "two"
        else:
            run.extend(Digit(d, place) for d in found * repeat)
        tens = len(found) == 2 and found[1] == "0" and not piece.isdigit() and found != "10"
        between, repeat = 0, 1
    if run:
        yield run


def _numeric(text: str) -> tuple[str, ...]:
    """The pieces of a word; of a code that mixes letters and digits (more than an X at its end)
    none counts as a number.
    """
    found = pieces(text)
    letters = [p for p in found if p.isascii() and p.isalpha()]
    if letters and any(p.isdigit() for p in found) and letters != ["x"]:
        return ("code",)
    return found


def _digits(piece: str, language: str, *, after_digit: bool) -> str | None:
    if piece.isdigit():
        return piece
    if piece in HAN_DIGITS:
        return HAN_DIGITS[piece]
    if language == "zh":
        return None
    known = spoken(language).get(piece)
    if known is None and language == "en" and after_digit:
        return MISHEARD.get(piece)  # among digits "for" is four
    return known


def _italian() -> dict[str, str]:
    """The number words from 0 to 999 and the thousands, elisions included ("ventuno",
    "centottanta").
    """
    below = {w: n for n, w in enumerate([*ITALIAN_UNITS, *ITALIAN_TEENS])}
    for ten, word in enumerate(ITALIAN_TENS[1:], start=2):
        below[word] = 10 * ten
        for unit, name in list(enumerate(ITALIAN_UNITS))[1:]:
            below[(word[:-1] if unit in (1, 8) else word) + name] = 10 * ten + unit
    out = dict(below)
    for hundred in range(1, 10):
        stem = ("" if hundred == 1 else ITALIAN_UNITS[hundred]) + "cento"
        out[stem] = 100 * hundred
        out.update(
            {
                form + w: 100 * hundred + n
                for w, n in below.items()
                if n
                for form in (stem, stem[:-1])
            }
        )
    thousands = {"mille": 1000} | {f"{ITALIAN_UNITS[n]}mila": 1000 * n for n in range(2, 10)}
    out.update(
        {
            t + w: n + m
            for t, n in thousands.items()
            for w, m in [("", 0), *out.items()]
            if m or not w
        }
    )
    return {w: str(n) for w, n in out.items()}
