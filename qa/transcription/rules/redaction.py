"""What must not be kept of a call: card numbers and codes, bank accounts, identity and tax numbers,
telephone numbers, e-mail addresses, names.

Everything errs towards masking. Check digits come from python-stdnum, telephone numbers from
phonenumbers.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import phonenumbers
from stdnum import iban
from stdnum.cn import ric
from stdnum.it import codicefiscale

from qa.transcription.rules.digits import FILLERS, REPEATS, Digit, pieces, runs
from qa.transcription.types import Redaction, Transcript, Utterance, Word

CARD = range(13, 20)
# a card number of which digits were not recognised, where somebody spoke of a card
NEAR_CARD = range(8, 13)
LONGEST_PAUSE = 20.0  # seconds within a number: the other side says "yes" between the groups
CUE_SECONDS = 25.0
LONG_REMARK = 8  # words (characters) of the other side after which a number is another one
ECHO_SECONDS = 40.0  # a number is read back within this time
MARGIN = 0.5
REGIONS = {"en": ("GB", "US"), "it": ("IT",), "zh": ("CN",)}
CUES = {  # Chinese characters stand apart, as in the stream
    "card": (
        (
            "card number",
            "the card",
            "your card",
            "my card",
            "la carta",
            "sua carta",
            "mia carta",
            "credit card",
            "debit card",
            "long number",
            "carta di credito",
            "numero di carta",
            "numero della carta",
            "carta di debito",
        )
        + ("bancomat", "信 用 卡", "银 行 卡", "卡 号", "借 记 卡")
    ),
    "cvv": (
        (
            "cvv",
            "cvc",
            "c v v",
            "c v c",
            "security code",
            "three digits on the back",
            "last three digits",
            "on the back of the card",
            "verification code",
        )
        + (
            "codice di sicurezza",
            "tre cifre",
            "sul retro",
            "codice di controllo",
            "安 全 码",
            "背 面",
            "后 三 位",
            "末 三 位",
            "三 位 数",
            "校 验 码",
        )
    ),
    "expiry": (
        "expiry",
        "expires",
        "expiration",
        "valid until",
        "valid through",
        "good through",
        "scadenza",
        "scade",
        "有 效 期",
        "到 期",
    ),
    "iban": ("iban", "i b a n"),
    "id": (
        "social security",
        "national insurance",
        "passport",
        "tax code",
        "codice fiscale",
        "carta d identita",
        "身 份 证",
        "护 照",
    ),
    "phone": (
        "phone",
        "mobile",
        "call me",
        "reach me",
        "telefono",
        "cellulare",
        "richiam",
        "电 话",
        "手 机",
    ),
}
LETTERS = {
    "it": dict(
        zip(
            "a bi ci di e effe gi acca i elle emme enne o pi cu erre esse ti u vu zeta kappa"
            " ipsilon ics".split(),
            "abcdefghilmnopqrstuvzkyx",
            strict=True,
        )
    ),
    "en": dict(
        zip(
            (
                "ay bee cee dee ee ef gee aitch jay kay el em en "
                "pee cue ar ess tee vee ex wy zed zee"
            ).split(),
            "abcdefghjklmnpqrstvxyzz",
            strict=True,
        )
    ),
    "zh": {},
}
SPELLING = frozenset(("as", "come", "for", "like", "di"))
AT = {"en": ("at",), "it": ("chiocciola", "at"), "zh": ("艾", "圈")}
DOT = {"en": ("dot", "point"), "it": ("punto",), "zh": ("点",)}
ENDINGS = frozenset("com net org it eu uk co info cn gov edu de fr".split())
TYPED_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")


@dataclass(frozen=True)
class _Said:
    """A word with its place in the transcript; words of one side are looked at as one stream."""

    utterance: int
    place: int
    word: Word


@dataclass(frozen=True)
class _Found:
    kind: str
    words: tuple[_Said, ...]
    digits: str = ""

    @property
    def start(self) -> float:
        return min(w.word.start for w in self.words)

    @property
    def end(self) -> float:
        return max(w.word.end for w in self.words)


def redact(transcript: Transcript, *, names: Sequence[str] = ()) -> Transcript:
    """The transcript with what is private masked as `[card]` and the like, and the stretches of
    sound to silence (half a second wider).
    """
    streams = [_stream(transcript, s) for s in ("agent", "customer")]
    found = [
        f for stream in streams for f in _in_stream(stream, streams, transcript.language, names)
    ]
    found += [e for stream in streams for e in _echoes(stream, found, transcript.language)]
    masked: dict[tuple[int, int], str] = {
        (w.utterance, w.place): f.kind for f in found for w in f.words
    }
    if not masked:
        return transcript
    utterances = tuple(_masked(i, u, masked) for i, u in enumerate(transcript.utterances))
    spans = tuple(
        sorted(
            (
                Redaction(
                    kind=f.kind,
                    start=max(0.0, f.start - MARGIN),
                    end=min(f.end + MARGIN, max(transcript.duration, f.end)),
                )
                for f in found
            ),
            key=lambda r: r.start,
        )
    )
    return transcript.model_copy(update={"utterances": utterances, "redactions": spans})


def _stream(transcript: Transcript, speaker: str) -> list[_Said]:
    return [_Said(i, n, w) for i, u in transcript.by(speaker) for n, w in enumerate(words_of(u))]


def words_of(u: Utterance) -> tuple[Word, ...]:
    """The words of an utterance; without times of their own they share its time by letters."""
    if u.words:
        return u.words
    texts = re.findall(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", u.text)
    total = sum(map(len, texts)) or 1
    out, at = [], u.start
    for text in texts:
        end = at + (u.end - u.start) * len(text) / total
        out.append(Word(start=at, end=max(at, end), text=text, confidence=u.confidence))
        at = end
    return tuple(out)


def _in_stream(
    stream: list[_Said], streams: list[list[_Said]], language: str, names: Sequence[str]
) -> Iterator[_Found]:
    breaks = _breaks(stream, streams)
    card_until = float("-inf")
    for run in runs([s.word.text for s in stream], language, breaks=breaks):
        kind = _kind(run, stream, streams, language, card_until)
        if kind:
            found = _found(kind, run, stream)
            card_until = found.end + CUE_SECONDS if kind == "card" else card_until
            yield found
    yield from _spelt(stream, streams, language, breaks)
    yield from _mails(stream, language)
    yield from _named(stream, names)


def _breaks(stream: list[_Said], streams: list[list[_Said]]) -> frozenset[int]:
    """Where a number cannot go on: after a long pause, and where the other side asked for something
    or spoke at length in between.
    """
    others = sorted(
        (o for other in streams if other is not stream for o in other), key=lambda o: o.word.start
    )
    out, at = set(), 0
    for i in range(1, len(stream)):
        before, here = stream[i - 1].word.end, stream[i].word.start
        if stream[i].utterance == stream[i - 1].utterance:
            continue
        while at < len(others) and others[at].word.start < stream[i - 1].word.start:
            at += 1
        between = [
            p
            for o in others[at : at + LONG_REMARK + 1]
            if o.word.start < here
            for p in pieces(o.word.text)
        ]
        asked = any(c in " ".join(between) for cue in CUES.values() for c in cue)
        if here - before > LONGEST_PAUSE or asked or len(between) > LONG_REMARK:
            out.add(i)
    return frozenset(out)


def _kind(
    run: list[Digit],
    stream: list[_Said],
    streams: list[list[_Said]],
    language: str,
    card_until: float,
) -> str | None:
    """What a run of digits is; None for one that may stay."""
    digits = "".join(d.value for d in run)
    start = stream[run[0].word].word.start
    if _is_chinese_identity(digits, stream, run):
        return "id"
    if len(digits) >= CARD.start:
        return "card"  # with or without a right check digit: one may have been misheard
    near = _said_before(streams, start)
    cued = {cue for cue, words in CUES.items() if any(w in n for n in near for w in words)}
    if "cvv" in cued and len(digits) in (3, 4):
        return "cvv"
    if "expiry" in cued and len(digits) in (3, 4, 6):
        return "expiry"
    if start <= card_until and len(digits) in (3, 4):
        return "cvv"
    if (_is_phone(digits, language) and _is_unbroken(run, stream)) or (
        "phone" in cued and "card" not in cued and len(digits) in range(7, 13)
    ):
        return "phone"
    if "id" in cued and len(digits) >= 7:
        return "id"
    if "iban" in cued and len(digits) >= 8:
        return "iban"
    return "card" if "card" in cued and len(digits) in NEAR_CARD else None


def _is_chinese_identity(digits: str, stream: list[_Said], run: list[Digit]) -> bool:
    after = pieces(stream[run[-1].word + 1].word.text) if run[-1].word + 1 < len(stream) else ()
    own = pieces(stream[run[-1].word].word.text)
    ends_in_x = (after[:1] == ("x",) or own[-1:] == ("x",)) and len(digits) == 17
    return ric.is_valid(digits) or (ends_in_x and ric.is_valid(digits + "X"))


def _is_unbroken(run: list[Digit], stream: list[_Said]) -> bool:
    """Whether nothing but digits and fillers was said from the first digit to the last."""
    numeric = {d.word for d in run}
    return all(
        i in numeric or set(pieces(stream[i].word.text)) <= (FILLERS | set(REPEATS))
        for i in range(run[0].word, run[-1].word)
    )


def _is_phone(digits: str, language: str) -> bool:
    for region in REGIONS[language]:
        for text in (digits, f"+{digits.removeprefix('00')}"):
            try:
                number = phonenumbers.parse(text, region)
            except phonenumbers.NumberParseException:
                continue
            if len(digits) >= 9 and phonenumbers.is_valid_number(number):
                return True
    return False


def _was_said(cue: str, streams: list[list[_Said]], at: float) -> bool:
    """Whether somebody spoke of it shortly before."""
    return any(c in near for near in _said_before(streams, at) for c in CUES[cue])


def _said_before(streams: list[list[_Said]], at: float) -> list[str]:
    """What each side said in the seconds before."""
    out = []
    for stream in streams:
        first = bisect_left(stream, at - CUE_SECONDS, key=lambda s: s.word.start)
        last = bisect_right(stream, at + 1.0, key=lambda s: s.word.start)
        out.append(" ".join(p for s in stream[first:last] for p in pieces(s.word.text)))
    return out


def _found(kind: str, run: list[Digit], stream: list[_Said]) -> _Found:
    places = range(run[0].word, run[-1].word + 1)
    return _Found(kind, tuple(stream[i] for i in places), "".join(d.value for d in run))


def _spelt(
    stream: list[_Said], streams: list[list[_Said]], language: str, breaks: frozenset[int]
) -> Iterator[_Found]:
    """Codes of letters and digits: an IBAN, a codice fiscale; typed together or spelt out."""
    begin, code = 0, ""
    for i, (said, part) in enumerate((s, _characters(s.word.text, language)) for s in stream):
        if part is None or i in breaks:
            yield from _code(code, stream[begin:i], streams)
            begin, code = i + 1, ""
        if part is not None:
            begin = begin if code else i
            code += part
        if re.fullmatch(r"(?=.*\d)[A-Za-z0-9]{10,}", said.word.text):
            yield from _code(said.word.text, [said], streams)
    yield from _code(code, stream[begin:], streams)


def _code(code: str, words: list[_Said], streams: list[list[_Said]]) -> Iterator[_Found]:
    if len(code) < 10 or not words or not re.search(r"[a-z]", code, re.IGNORECASE):
        return
    text = code.upper()
    if codicefiscale.is_valid(text) or (
        len(text) in range(14, 18) and _was_said("id", streams, words[0].word.start)
    ):
        yield _Found("id", tuple(words))
    elif iban.is_valid(text) or (
        len(text) >= 12 and _was_said("iban", streams, words[0].word.start)
    ):
        yield _Found("iban", tuple(words))


def _characters(text: str, language: str) -> str | None:
    """The letters and digits that a word spells; None where it is no spelling. "come Roma" after a
    letter counts for nothing.
    """
    out = ""
    for piece in pieces(text):
        if piece in SPELLING:
            continue
        digit = next(iter(runs([piece], language)), None)
        if digit:
            out += "".join(d.value for d in digit)
        elif len(piece) == 1:
            out += piece
        elif piece in LETTERS[language]:
            out += LETTERS[language][piece]
        else:
            return None
    return out


def _mails(stream: list[_Said], language: str) -> Iterator[_Found]:
    keys = [pieces(s.word.text) for s in stream]
    for i, said in enumerate(stream):
        if TYPED_MAIL.search(said.word.text):
            yield _Found("email", (said,))
        if not any(k in AT[language] for k in keys[i]) or "@" in said.word.text:
            continue
        ending = next(
            (
                j
                for j in range(i + 1, min(i + 9, len(stream)))
                if any(k in ENDINGS for k in keys[j]) and _has_dot(keys, i, j, language)
            ),
            None,
        )
        if ending is not None:
            begin = i - 1
            while (
                begin > 0
                and i - begin < 10
                and (_links(keys[begin - 1], language) or _links(keys[begin], language))
            ):
                begin -= 1
            yield _Found("email", tuple(stream[max(0, begin) : ending + 1]))


def _links(keys: tuple[str, ...], language: str) -> bool:
    """A word that belongs to an address being spelt: "dot", a single letter, a digit."""
    return len(keys) == 1 and (keys[0] in DOT[language] or len(keys[0]) == 1 or keys[0].isdigit())


def _has_dot(keys: list[tuple[str, ...]], i: int, j: int, language: str) -> bool:
    return any(k in DOT[language] for part in keys[i : j + 1] for k in part)


def _named(stream: list[_Said], names: Sequence[str]) -> Iterator[_Found]:
    wanted = [pieces(n) for n in names if pieces(n)]
    flat = [(p, said) for said in stream for p in pieces(said.word.text)]
    for name in wanted:
        for at in range(len(flat) - len(name) + 1):
            if tuple(p for p, _ in flat[at : at + len(name)]) == name:
                yield _Found(
                    "name", tuple(dict.fromkeys(said for _, said in flat[at : at + len(name)]))
                )


def _echoes(stream: list[_Said], found: list[_Found], language: str) -> Iterator[_Found]:
    """Parts of a masked number that either side says again soon."""
    numbers = [f for f in found if f.digits and f.kind in ("card", "cvv", "iban", "id")]
    known = {(w.utterance, w.place) for f in found for w in f.words}
    for run in runs([s.word.text for s in stream], language, most_between=1):
        digits = "".join(d.value for d in run)
        again = _found("card", run, stream)
        if len(digits) >= 3 and not all((w.utterance, w.place) in known for w in again.words):
            near = [
                n
                for n in numbers
                if n.start - 2 <= again.start <= n.end + ECHO_SECONDS and digits in n.digits
            ]
            if near:
                yield _Found(near[0].kind, again.words)


def _masked(index: int, u: Utterance, masked: dict[tuple[int, int], str]) -> Utterance:
    """The utterance with runs of masked words as one word `[kind]` over their time."""
    words: list[Word] = []
    open_kind = ""
    for place, word in enumerate(words_of(u)):
        kind = masked.get((index, place), "")
        if kind and kind == open_kind:
            words[-1] = words[-1].model_copy(update={"end": max(word.end, words[-1].end)})
        else:
            words.append(word.model_copy(update={"text": f"[{kind}]"}) if kind else word)
        open_kind = kind
    if not any(w.text.startswith("[") for w in words):
        return u
    glue = (
        ""
        if all(len(w.text) <= 2 or w.text.startswith("[") for w in words)
        and re.search(r"[\u4e00-\u9fff]", u.text)
        else " "
    )
    return u.model_copy(update={"words": tuple(words), "text": glue.join(w.text for w in words)})
