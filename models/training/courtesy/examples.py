"""Examples of speech acts from templates written for this project: `examples/<language>.txt`.

A heading `# act` starts an act; `# none` holds what is no act, `# unsure act` what a fair listener
would not decide (sarcasm). `+ act` adds a second act, `# quoted` marks what is told and not meant.
`[a|b]` are choices, `{name}` slots. All examples of a template are one group.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

from qa.forms.types import ACTS

LANGUAGES = ("en", "it", "zh")
FILLINGS = 14
FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """`acts` are surely there, `unsure` perhaps; `group` is the number of the template."""

    text: str
    acts: frozenset[str]
    unsure: frozenset[str]
    group: int
    is_quoted: bool


def read(language: str, rng: random.Random) -> list[Example]:
    """All templates filled several times, without repetitions."""
    slots: dict[str, list[str]] = {}
    heading, out = "", []
    for number, line in enumerate(
        (FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    ):
        if line.startswith("@@"):
            continue
        if line.startswith("@"):
            name, values = line[1:].split("=", 1)
            slots[name] = values.split("|")
        elif line.startswith("# "):
            heading = line[2:]
        elif line:
            template, is_quoted = line.removesuffix(" # quoted"), line.endswith(" # quoted")
            template, _, second = template.partition(" + ")
            unsure = frozenset(
                {heading.removeprefix("unsure ")} if heading.startswith("unsure ") else ()
            )
            acts = frozenset(a for a in (heading, second) if a in ACTS)
            texts = {_filled(template, slots, rng) for _ in range(FILLINGS)}
            out.extend(Example(t, acts, unsure, number, is_quoted) for t in sorted(texts))
    return out


def word_classes(language: str) -> dict[str, str]:
    """Words of one meaning (`@@class=a|b`), so that what is learnt of one holds of its sisters."""
    lines = (FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    classes = dict(line[2:].split("=", 1) for line in lines if line.startswith("@@"))
    return {word: name for name, words in classes.items() for word in words.split("|")}


def misheard(text: str, language: str, rng: random.Random) -> str:
    """As a recogniser may hand it on: no punctuation,
    now and then a word lost or a letter wrong.
    """
    text = re.sub(r"[.,?!，。？！]", "" if language == "zh" else " ", text.lower())
    units = list(text) if language == "zh" else text.split()
    if len(units) > 3 and rng.random() < 0.3:
        units.pop(rng.randrange(len(units)))
    if units and language != "zh" and rng.random() < 0.3:
        place = rng.randrange(len(units))
        word = units[place]
        cut = rng.randrange(len(word))
        units[place] = word[:cut] + rng.choice(["", rng.choice("aeioustrn")]) + word[cut + 1 :]
    return ("" if language == "zh" else " ").join(units)


def joined(parts: list[Example], language: str, rng: random.Random) -> Example:
    """Several sentences of one speaker, with or without punctuation between them."""
    glue = rng.choice(["", "，", "。"] if language == "zh" else [" ", ", ", ". "])
    acts = frozenset().union(*(p.acts for p in parts))
    unsure = frozenset().union(*(p.unsure for p in parts)) - acts
    return Example(
        glue.join(p.text for p in parts),
        acts,
        unsure,
        parts[0].group,
        any(p.is_quoted for p in parts),
    )


def _filled(template: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    text = re.sub(r"\[([^\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), template)
    text = re.sub(r"\{(\w+)\}", lambda m: rng.choice(slots[m.group(1)]), text)
    return re.sub(r"\s+", " ", text).strip(" ,，")
