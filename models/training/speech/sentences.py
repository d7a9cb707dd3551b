"""Sentences of call centres from a grammar: `text/<language>.txt` holds slots (`@name=a|b`),
templates (`[a|b]`, `{name}`) and plain words.
"""

import hashlib
import random
import re
from pathlib import Path

LANGUAGES = ("en", "it", "zh")
HAN_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
DOMAINS = {
    "en": ["acme dot com", "blue mail dot com", "fast net dot org"],
    "it": ["acme punto it", "posta punto com", "rete veloce punto it"],
    "zh": [""],
}
FILLERS = {
    "en": ["Okay", "So", "Well", "Alright", "Yes", "No", "Look", "Right", "Um"],
    "it": ["Allora", "Bene", "Sì", "No", "Guardi", "Ecco", "Senta", "Ok"],
}
HELD_OUT = 9  # one template in nine is never trained on
CODE_LENGTHS = (3, 4, 4, 5, 5, 6, 8, 10)


class Grammar:
    """Random sentences of one language. `rng` decides everything, so a seed repeats them."""

    def __init__(self, language: str, folder: Path = Path(__file__).parent / "text") -> None:
        self.language = language
        self.slots: dict[str, list[str]] = {}
        templates: list[str] = []
        words: set[str] = set()
        part = ""
        for line in (folder / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                part = line[1:].strip()
            elif line.startswith("@"):
                name, values = line[1:].split("=", 1)
                self.slots[name] = values.split("|")
            elif part == "words":
                words.update(line.split())
            elif line:
                templates.append(line)
        long_enough = 12 if language == "zh" else 30
        self.held_out = [
            t
            for t in templates
            if len(t) > long_enough
            and int(hashlib.sha256(t.encode()).hexdigest(), 16) % HELD_OUT == 0
        ]
        self.seen = [t for t in templates if t not in set(self.held_out)]
        self.words = sorted(words)

    def fill(self, template: str, rng: random.Random) -> str:
        text = re.sub(r"\[([^\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), template)
        text = re.sub(r"\{(\w+)\}", lambda m: self._slot(m.group(1), rng), text)
        text = re.sub(r" +", " ", text).strip()
        return re.sub(r" ([.,?!])", r"\1", text)

    def sentence(self, rng: random.Random) -> str:
        """A sentence to train on: from a template, of loose words, or of pieces of several."""
        kind = rng.random()
        if kind < 0.2:
            return self._loose_words(rng)
        if kind < 0.35:
            return self._fragments(rng)
        text = self.fill(rng.choice(self.seen), rng)
        if kind < 0.5 and len(text) < (16 if self.language == "zh" else 45):
            text += ("" if self.language == "zh" else " ") + self.fill(rng.choice(self.seen), rng)[
                : 20 if self.language == "zh" else 60
            ]
        elif kind < 0.56 and self.language != "zh":
            text = (
                f"{rng.choice(FILLERS[self.language])},"
                f" {text if text.startswith('I') else text[0].lower() + text[1:]}"
            )
        return text

    def _slot(self, name: str, rng: random.Random) -> str:
        if name == "code":
            return _digits(rng, rng.choice(CODE_LENGTHS))
        if name == "phone":
            return (
                _digits(rng, 3)
                + ("" if self.language == "zh" else " ")
                + _digits(rng, rng.choice((4, 5, 6, 7)))
            )
        if name == "d":
            return _digits(rng, 1)
        return rng.choice(DOMAINS[self.language] if name == "domain" else self.slots[name])

    def _loose_words(self, rng: random.Random) -> str:
        count = rng.choice((3, 4, 6, 8, 10) if self.language == "zh" else (2, 3, 4, 5, 6, 7, 8))
        return self._finished([rng.choice(self.words) for _ in range(count)], rng)

    def _fragments(self, rng: random.Random) -> str:
        """Pieces of different templates: natural neighbours, no whole template to recite."""
        out: list[str] = []
        for _ in range(rng.choice((2, 2, 3, 3, 4))):
            text = re.sub(r"[.,?!，。？]", " ", self.fill(rng.choice(self.seen), rng))
            pieces = list(text.replace(" ", "")) if self.language == "zh" else text.split()
            length = rng.choice((2, 3, 4, 5) if self.language == "zh" else (1, 2, 2, 3, 4))
            begin = rng.randrange(max(1, len(pieces) - length + 1))
            out.extend(pieces[begin : begin + length])
        return self._finished(out, rng)

    def _finished(self, pieces: list[str], rng: random.Random) -> str:
        if rng.random() < 0.45:
            pieces.insert(
                rng.randrange(len(pieces) + 1), _digits(rng, rng.choice((1, 2, 3, 4, 5, 6, 8, 10)))
            )
        if self.language == "zh":
            return "".join(pieces) + "。"
        text = " ".join(pieces)
        return text[0].upper() + text[1:] + "."


def spoken_units(language: str, text: str) -> list[tuple[int, int, str]]:
    """What a voice says one by one, with places in the text: words, single digits, single Chinese
    characters.
    """
    if language == "zh":
        return [
            (m.start(), m.end(), HAN_DIGITS.get(m.group(), m.group()))
            for m in re.finditer(r"[\u4e00-\u9fff0-9]", text)
        ]
    return [
        (m.start(), m.end(), m.group()) for m in re.finditer(r"\d|[^\W\d_]+(?:'[^\W\d_]*)*", text)
    ]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))
