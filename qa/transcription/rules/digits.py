"""Convert spoken numbers to digits in three languages.

For example "double four", "quarantacinque", "幺三九", "4539".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

HAN_DIGITS = dict(zip("零〇一二三四五六七八九幺两", "0012345678912", strict=True))
HAN_RADIO_DIGITS = {"洞": "0", "拐": "7", "勾": "9"}
ENGLISH_UNITS = dict(
    zip("zero one two three four five six seven eight nine".split(), "0123456789", strict=True)
) | {"oh": "0"}
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
)
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
ENGLISH_VARIANTS = {"nought": "0", "fourty": "40"}
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
# the words for 0 to 9 in all languages, and all the number words that are written as one word
DIGIT_WORDS = {
    **ENGLISH_UNITS,
    **dict(zip(ITALIAN_UNITS, "0123456789", strict=True)),
    **HAN_DIGITS,
    **HAN_RADIO_DIGITS,
}
NUMBER_WORDS = (
    frozenset((*ENGLISH_UNITS, *ENGLISH_TEENS, *ENGLISH_TENS, *HAN_DIGITS))
    | frozenset((*ITALIAN_UNITS, *ITALIAN_TEENS, *ITALIAN_TENS[1:]))
    | frozenset(
        "hundred thousand million half quarter un una cento mille mezzo mezz mezza paio"
        " 十 百 千 万 半 几".split()
    )
)
ITALIAN_MISHEARD = {"un": "1", "du": "2", "ses": "6", "nov": "9"}
MOST_BETWEEN = {"en": 2, "it": 2, "zh": 1}
FILLERS = frozenset(
    "uh um er and then dash hyphen space comma okay ok yes so again it s is that a next e poi"
    " spazio trattino virgola allora ehm si e quindi ancora ecco 然 后 嗯 呃 杠 再 空 格 接 着"
    " 是 那 个".split()
)


@dataclass(frozen=True)
class Digit:
    """A digit and the place of the word it was said in."""

    value: str
    word: int


@cache
def spoken(language: str) -> Mapping[str, str]:
    """Map the number words of a language to their digits."""
    if language == "it":
        return _italian() | ITALIAN_MISHEARD
    if language == "en":
        return ENGLISH_UNITS | ENGLISH_TEENS | ENGLISH_TENS | ENGLISH_VARIANTS
    return {}


@lru_cache(maxsize=50_000)
def pieces(text: str) -> tuple[str, ...]:
    """Split into lower-case letters without accents and digits; Chinese characters one by one."""
    plain = "".join(
        char
        for char in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
        if not unicodedata.combining(char)
    )
    return tuple(re.findall(r"[\u3400-\u9fff]|\d+|[a-z]+", plain))


def runs(
    words: Iterable[str],
    language: str,
    *,
    breaks: frozenset[int] = frozenset(),
    most_between: int | None = None,
) -> Iterator[list[Digit]]:
    """Find runs of digits said one after the other.

    A run ends after more than `most_between` other words (characters), and before each word in
    `breaks`.
    """
    most_between = MOST_BETWEEN[language] if most_between is None else most_between
    run: list[Digit] = []
    between, repeat, after_tens = 0, 1, False
    for place, piece in (
        (index, part) for index, word in enumerate(words) for part in _numeric(word)
    ):
        if place in breaks and run and run[-1].word < place:
            yield run
            run, between, repeat, after_tens = [], 0, 1, False
        digits = _digits(piece, language, after_digit=bool(run) and between == 0)
        if digits is None:
            repeat = REPEATS.get(piece, 1)
            after_tens = False
            between += piece not in FILLERS and piece not in REPEATS
            if between > most_between and run:
                yield run
                run, between = [], 0
            continue
        if after_tens and len(digits) == 1 and digits != "0" and between == 0:
            run[-1] = Digit(digits, place)  # "forty" "two"
        else:
            run.extend(Digit(digit, place) for digit in digits * repeat)
        after_tens = (
            len(digits) == 2 and digits[1] == "0" and not piece.isdigit() and digits != "10"
        )
        between, repeat = 0, 1
    if run:
        yield run


def _numeric(text: str) -> tuple[str, ...]:
    """Split a word into pieces; of a code that mixes letters and digits none counts as a number.

    More than an X at its end makes it such a code.
    """
    parts = pieces(text)
    letters = [part for part in parts if part.isascii() and part.isalpha()]
    if letters and any(part.isdigit() for part in parts) and letters != ["x"]:
        return ("code",)
    return parts


def _digits(piece: str, language: str, *, after_digit: bool) -> str | None:
    if piece.isdigit():
        return piece
    if piece in HAN_DIGITS or piece in HAN_RADIO_DIGITS:
        return HAN_DIGITS.get(piece) or HAN_RADIO_DIGITS[piece]
    if language == "zh":
        return None
    digits = spoken(language).get(piece)
    if digits is None and language == "en" and after_digit:
        return MISHEARD.get(piece)  # among digits "for" is four
    return digits


def _italian() -> dict[str, str]:
    """Build the number words from 0 to 999 and the thousands, elisions included.

    For example "ventuno", "centottanta".
    """
    below = {word: value for value, word in enumerate([*ITALIAN_UNITS, *ITALIAN_TEENS])}
    for ten, word in enumerate(ITALIAN_TENS[1:], start=2):
        below[word] = 10 * ten
        for unit, name in list(enumerate(ITALIAN_UNITS))[1:]:
            below[(word[:-1] if unit in (1, 8) else word) + name] = 10 * ten + unit
    numbers = dict(below)
    for hundred in range(1, 10):
        stem = ("" if hundred == 1 else ITALIAN_UNITS[hundred]) + "cento"
        numbers[stem] = 100 * hundred
        numbers.update(
            {
                form + word: 100 * hundred + value
                for word, value in below.items()
                if value
                for form in (stem, stem[:-1])
            }
        )
    thousands = {"mille": 1000} | {
        f"{ITALIAN_UNITS[value]}mila": 1000 * value for value in range(2, 10)
    }
    numbers.update(
        {
            thousand + word: value + rest
            for thousand, value in thousands.items()
            for word, rest in [("", 0), *numbers.items()]
            if rest or not word
        }
    )
    return {word: str(value) for word, value in numbers.items()}
