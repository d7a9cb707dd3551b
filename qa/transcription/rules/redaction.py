"""Find and mask private data: card numbers, bank accounts, identity and telephone numbers, names.

Also card codes, tax numbers and e-mail addresses.

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

from qa.intake.rules import CARD_NUMBER_LENGTHS
from qa.transcription.rules.digits import FILLERS, REPEATS, Digit, pieces, runs
from qa.transcription.types import Redaction, Transcript, Utterance, Word

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
class _SpokenWord:
    """A word with its place in the transcript; words of one side are looked at as one stream."""

    utterance: int
    place: int
    word: Word


@dataclass(frozen=True)
class _PrivateData:
    kind: str
    words: tuple[_SpokenWord, ...]
    digits: str = ""

    @property
    def start(self) -> float:
        return min(w.word.start for w in self.words)

    @property
    def end(self) -> float:
        return max(w.word.end for w in self.words)


def redact(transcript: Transcript, *, names: Sequence[str] = ()) -> Transcript:
    """Mask what is private as `[card]` and the like, and list the spans of sound to silence.

    The spans are half a second wider than the words.
    """
    streams = [_stream(transcript, speaker) for speaker in ("agent", "customer")]
    private = [
        part
        for stream in streams
        for part in _in_stream(stream, streams, transcript.language, names)
    ]
    private += [
        part for stream in streams for part in _echoes(stream, private, transcript.language)
    ]
    masked: dict[tuple[int, int], str] = {
        (word.utterance, word.place): part.kind for part in private for word in part.words
    }
    if not masked:
        return transcript
    utterances = tuple(
        _masked(i, utterance, masked) for i, utterance in enumerate(transcript.utterances)
    )
    spans = tuple(
        sorted(
            (
                Redaction(
                    kind=part.kind,
                    start=max(0.0, part.start - MARGIN),
                    end=min(part.end + MARGIN, max(transcript.duration, part.end)),
                )
                for part in private
            ),
            key=lambda span: span.start,
        )
    )
    return transcript.model_copy(update={"utterances": utterances, "redactions": spans})


def _stream(transcript: Transcript, speaker: str) -> list[_SpokenWord]:
    return [
        _SpokenWord(index, place, word)
        for index, utterance in transcript.by(speaker)
        for place, word in enumerate(words_of(utterance))
    ]


def words_of(utterance: Utterance) -> tuple[Word, ...]:
    """List the words of an utterance; without times of their own they share its time by letters."""
    if utterance.words:
        return utterance.words
    texts = re.findall(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", utterance.text)
    total = sum(map(len, texts)) or 1
    words, start = [], utterance.start
    for text in texts:
        end = start + (utterance.end - utterance.start) * len(text) / total
        words.append(
            Word(start=start, end=max(start, end), text=text, confidence=utterance.confidence)
        )
        start = end
    return tuple(words)


def _in_stream(
    stream: list[_SpokenWord], streams: list[list[_SpokenWord]], language: str, names: Sequence[str]
) -> Iterator[_PrivateData]:
    breaks = _breaks(stream, streams)
    card_until = float("-inf")
    for run in runs([spoken.word.text for spoken in stream], language, breaks=breaks):
        kind = _kind(run, stream, streams, language, card_until)
        if kind:
            number = _private_number(kind, run, stream)
            card_until = number.end + CUE_SECONDS if kind == "card" else card_until
            yield number
    yield from _spelt_codes(stream, streams, language, breaks)
    yield from _email_addresses(stream, language)
    yield from _names(stream, names)


def _breaks(stream: list[_SpokenWord], streams: list[list[_SpokenWord]]) -> frozenset[int]:
    """Find where a number cannot go on.

    After a long pause, and where the other side asked for something or spoke at length in
    between.
    """
    others = sorted(
        (spoken for other in streams if other is not stream for spoken in other),
        key=lambda spoken: spoken.word.start,
    )
    breaks, next_other = set(), 0
    for position in range(1, len(stream)):
        before, here = stream[position - 1].word.end, stream[position].word.start
        if stream[position].utterance == stream[position - 1].utterance:
            continue
        while (
            next_other < len(others)
            and others[next_other].word.start < stream[position - 1].word.start
        ):
            next_other += 1
        between = [
            piece
            for other in others[next_other : next_other + LONG_REMARK + 1]
            if other.word.start < here
            for piece in pieces(other.word.text)
        ]
        has_cue = any(phrase in " ".join(between) for cue in CUES.values() for phrase in cue)
        if here - before > LONGEST_PAUSE or has_cue or len(between) > LONG_REMARK:
            breaks.add(position)
    return frozenset(breaks)


def _kind(
    run: list[Digit],
    stream: list[_SpokenWord],
    streams: list[list[_SpokenWord]],
    language: str,
    card_until: float,
) -> str | None:
    """Classify a run of digits; None for one that may stay."""
    digits = "".join(digit.value for digit in run)
    start = stream[run[0].word].word.start
    if _is_chinese_identity(digits, stream, run):
        return "id"
    if len(digits) >= CARD_NUMBER_LENGTHS.start:
        return "card"  # with or without a right check digit: one may have been misheard
    texts_before = _texts_before(streams, start)
    cued = {
        cue
        for cue, words in CUES.items()
        if any(phrase in text for text in texts_before for phrase in words)
    }
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


def _is_chinese_identity(digits: str, stream: list[_SpokenWord], run: list[Digit]) -> bool:
    after = pieces(stream[run[-1].word + 1].word.text) if run[-1].word + 1 < len(stream) else ()
    own = pieces(stream[run[-1].word].word.text)
    ends_in_x = (after[:1] == ("x",) or own[-1:] == ("x",)) and len(digits) == 17
    return ric.is_valid(digits) or (ends_in_x and ric.is_valid(digits + "X"))


def _is_unbroken(run: list[Digit], stream: list[_SpokenWord]) -> bool:
    """Tell whether nothing but digits and fillers was said from the first digit to the last."""
    numeric = {digit.word for digit in run}
    return all(
        position in numeric or set(pieces(stream[position].word.text)) <= (FILLERS | set(REPEATS))
        for position in range(run[0].word, run[-1].word)
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


def _was_spoken_of(cue: str, streams: list[list[_SpokenWord]], at: float) -> bool:
    """Tell whether somebody spoke of it shortly before."""
    return any(phrase in text for text in _texts_before(streams, at) for phrase in CUES[cue])


def _texts_before(streams: list[list[_SpokenWord]], at: float) -> list[str]:
    """Join what each side said in the seconds before."""
    texts = []
    for stream in streams:
        first = bisect_left(stream, at - CUE_SECONDS, key=lambda spoken: spoken.word.start)
        last = bisect_right(stream, at + 1.0, key=lambda spoken: spoken.word.start)
        texts.append(
            " ".join(piece for spoken in stream[first:last] for piece in pieces(spoken.word.text))
        )
    return texts


def _private_number(kind: str, run: list[Digit], stream: list[_SpokenWord]) -> _PrivateData:
    places = range(run[0].word, run[-1].word + 1)
    return _PrivateData(
        kind, tuple(stream[place] for place in places), "".join(digit.value for digit in run)
    )


def _spelt_codes(
    stream: list[_SpokenWord],
    streams: list[list[_SpokenWord]],
    language: str,
    breaks: frozenset[int],
) -> Iterator[_PrivateData]:
    """Find codes of letters and digits: an IBAN, a codice fiscale; typed together or spelt out."""
    begin, code = 0, ""
    for position, (spoken, part) in enumerate(
        (word, _characters(word.word.text, language)) for word in stream
    ):
        if part is None or position in breaks:
            yield from _code(code, stream[begin:position], streams)
            begin, code = position + 1, ""
        if part is not None:
            begin = begin if code else position
            code += part
        if re.fullmatch(r"(?=.*\d)[A-Za-z0-9]{10,}", spoken.word.text):
            yield from _code(spoken.word.text, [spoken], streams)
    yield from _code(code, stream[begin:], streams)


def _code(
    code: str, words: list[_SpokenWord], streams: list[list[_SpokenWord]]
) -> Iterator[_PrivateData]:
    if len(code) < 10 or not words or not re.search(r"[a-z]", code, re.IGNORECASE):
        return
    text = code.upper()
    if codicefiscale.is_valid(text) or (
        len(text) in range(14, 18) and _was_spoken_of("id", streams, words[0].word.start)
    ):
        yield _PrivateData("id", tuple(words))
    elif iban.is_valid(text) or (
        len(text) >= 12 and _was_spoken_of("iban", streams, words[0].word.start)
    ):
        yield _PrivateData("iban", tuple(words))


def _characters(text: str, language: str) -> str | None:
    """Read the letters and digits that a word spells; None where it is no spelling.

    "come Roma" after a letter counts for nothing.
    """
    letters = ""
    for piece in pieces(text):
        if piece in SPELLING:
            continue
        digit = next(iter(runs([piece], language)), None)
        if digit:
            letters += "".join(each.value for each in digit)
        elif len(piece) == 1:
            letters += piece
        elif piece in LETTERS[language]:
            letters += LETTERS[language][piece]
        else:
            return None
    return letters


def _email_addresses(stream: list[_SpokenWord], language: str) -> Iterator[_PrivateData]:
    keys = [pieces(said.word.text) for said in stream]
    for position, spoken in enumerate(stream):
        if TYPED_MAIL.search(spoken.word.text):
            yield _PrivateData("email", (spoken,))
        if not any(key in AT[language] for key in keys[position]) or "@" in spoken.word.text:
            continue
        ending = next(
            (
                ending_at
                for ending_at in range(position + 1, min(position + 9, len(stream)))
                if any(key in ENDINGS for key in keys[ending_at])
                and _has_dot(keys, position, ending_at, language)
            ),
            None,
        )
        if ending is not None:
            begin = position - 1
            while (
                begin > 0
                and position - begin < 10
                and (_links(keys[begin - 1], language) or _links(keys[begin], language))
            ):
                begin -= 1
            yield _PrivateData("email", tuple(stream[max(0, begin) : ending + 1]))


def _links(keys: tuple[str, ...], language: str) -> bool:
    """Tell whether a word belongs to an address being spelt: "dot", a single letter, a digit."""
    return len(keys) == 1 and (keys[0] in DOT[language] or len(keys[0]) == 1 or keys[0].isdigit())


def _has_dot(keys: list[tuple[str, ...]], first: int, last: int, language: str) -> bool:
    return any(key in DOT[language] for part in keys[first : last + 1] for key in part)


def _names(stream: list[_SpokenWord], names: Sequence[str]) -> Iterator[_PrivateData]:
    sequences = [pieces(name) for name in names if pieces(name)]
    flat = [(piece, spoken) for spoken in stream for piece in pieces(spoken.word.text)]
    for name in sequences:
        for begin in range(len(flat) - len(name) + 1):
            if tuple(piece for piece, _ in flat[begin : begin + len(name)]) == name:
                yield _PrivateData(
                    "name",
                    tuple(dict.fromkeys(spoken for _, spoken in flat[begin : begin + len(name)])),
                )


def _echoes(
    stream: list[_SpokenWord], private: list[_PrivateData], language: str
) -> Iterator[_PrivateData]:
    """Find parts of a masked number that either side says again soon."""
    numbers = [
        part for part in private if part.digits and part.kind in ("card", "cvv", "iban", "id")
    ]
    masked_places = {(word.utterance, word.place) for part in private for word in part.words}
    for run in runs([spoken.word.text for spoken in stream], language, most_between=1):
        digits = "".join(digit.value for digit in run)
        again = _private_number("card", run, stream)
        if len(digits) >= 3 and not all(
            (word.utterance, word.place) in masked_places for word in again.words
        ):
            near = [
                number
                for number in numbers
                if number.start - 2 <= again.start <= number.end + ECHO_SECONDS
                and digits in number.digits
            ]
            if near:
                yield _PrivateData(near[0].kind, again.words)


def _masked(index: int, utterance: Utterance, masked: dict[tuple[int, int], str]) -> Utterance:
    """Replace runs of masked words in an utterance by one word `[kind]` over their time."""
    words: list[Word] = []
    open_kind = ""
    for place, word in enumerate(words_of(utterance)):
        kind = masked.get((index, place), "")
        if kind and kind == open_kind:
            words[-1] = words[-1].model_copy(update={"end": max(word.end, words[-1].end)})
        else:
            words.append(word.model_copy(update={"text": f"[{kind}]"}) if kind else word)
        open_kind = kind
    if not any(word.text.startswith("[") for word in words):
        return utterance
    glue = (
        ""
        if all(len(word.text) <= 2 or word.text.startswith("[") for word in words)
        and re.search(r"[\u4e00-\u9fff]", utterance.text)
        else " "
    )
    return utterance.model_copy(
        update={"words": tuple(words), "text": glue.join(word.text for word in words)}
    )
