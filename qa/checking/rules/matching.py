"""Find phrases in a transcript despite recognition errors: fuzzy token alignment and slots."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from qa.checking.rules.words import HAN, Token, TokenSpan, keys_of, sound_of
from qa.forms.types import SLOTS
from qa.transcription.rules.digits import NUMBER_WORDS

EXTRA_WORD = 0.5  # cost of a spoken word that the phrase does not have, in tokens
SAME_SOUND = 0.88
SHORT_SAME_SOUND = 0.7
PREFILTER = 55.0
PREFILTER_SLACK = 10.0  # what word sounds may add to what letters show
LONG_PHRASE = 12  # letters from which on joined words are compared
JOINED_DISCOUNT = 0.06
NEGATIONS = {"not", "never", "no", "non", "mai", "senza", "不", "没", "未", "别", "无"}
QUOTING = re.compile(
    r"((you|he|she|they|who|colleague|agent|somebody|someone) (just"
    r" )?(said|say|says|told|called|wrote|shouted)|calls? me|called me|told me|wrote that"
    r"|the customer (said|says)|(would|did) (never|not|you) (just )?say|nobody (here )?said"
    r"|ha (appena )?detto|hai detto|hanno detto|mi ha dato del|mi chiam|dice che|diceva|c e"
    r" scritto|lei dice|direi mai"
    r"|[您你他她] ?说|刚 ?才 ?(是 ?)?说|客 ?户 ?说|骂 ?[我了]|叫 ?我|写 ?我|客 ?服 ?说|有 ?人"
    r" ?说|同 ?事 ?说|绝 ?不 ?会 ?说)"
)
ITALIAN_TENS = re.compile(
    r"(venti|trent|quarant|cinquant|sessant|settant|ottant|novant|cento|mila|dici)"
)
TIME_WORDS = frozenset(
    (
        "second seconds minute minutes moment hour hours day days week weeks month months today"
        " tomorrow tonight morning afternoon evening noon monday tuesday wednesday thursday friday"
        " saturday sunday oclock am pm secondi secondo minuti minuto momento attimo ora ore giorno"
        " giorni settimana settimane mese mesi oggi domani stasera mattina pomeriggio sera lunedi"
        " martedi mercoledi giovedi venerdi sabato domenica mezzogiorno 秒 分 钟 时 点 天 周 月 日"
        " 号 今 明 晚 早 午 期"
    ).split()
)
MONEY_WORDS = frozenset(
    ("dollar dollars euro euros pound pounds cent cents centesimi sterline 元 块 钱 角").split()
)
NOT_NAMES = frozenset(
    (
        "a an the not sorry calling going here just very so happy glad unable able i you we it to"
        " che un una il la non di felice lieto qui molto spiacente dispiaciuto 不 很 想 要 在"
        " 来 有 这"
    ).split()
)


@dataclass(frozen=True)
class Hit:
    """A match of a phrase: the tokens it covers and its similarity (0–1)."""

    span: TokenSpan
    start: int
    end: int
    similarity: float
    phrase: str

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.span.tokens[self.start : self.end]


@dataclass(frozen=True)
class Pattern:
    """A phrase cut into literal words and slots."""

    source: str
    parts: tuple[tuple[str, ...] | str, ...]  # a tuple of keys, or a slot's name

    @property
    def literal(self) -> tuple[str, ...]:
        return tuple(key for part in self.parts if not isinstance(part, str) for key in part)


def compile_phrase(phrase: str, variables: Mapping[str, str]) -> Pattern | None:
    """Compile a phrase with its variables filled in.

    None when it has no words left (a variable nobody set).
    """
    for name, value in variables.items():
        phrase = phrase.replace(f"{{{name}}}", value)
    parts: list[tuple[str, ...] | str] = []
    for piece in re.split(r"(\{[a-z_]+\})", phrase):
        slot = piece[1:-1] if piece.startswith("{") else ""
        if slot in SLOTS:
            parts.append(slot)
        elif slot:
            return None
        elif keys := keys_of(piece):
            parts.append(keys)
    pattern = Pattern(phrase, tuple(parts))
    return pattern if pattern.literal else None


def best_hits(pattern: Pattern, spans: Sequence[TokenSpan], *, at_least: float) -> Iterator[Hit]:
    """Find every place where the phrase occurs with at least this similarity.

    Per token span, the best hit first.
    """
    if not spans:
        return
    literal = " ".join(pattern.literal)
    scores = process.cdist(
        [literal],
        [span.line for span in spans],
        scorer=fuzz.partial_ratio,
        score_cutoff=max(PREFILTER, 100 * at_least - PREFILTER_SLACK) if len(literal) > 6 else 0,
    )[0]
    for span, score in zip(spans, scores, strict=True):
        if score > 0 or (HAN.search(literal) and _shares_sounds(pattern.literal, span)):
            yield from _hits_in(pattern, span, at_least)


def _shares_sounds(literal: tuple[str, ...], span: TokenSpan) -> bool:
    """Tell whether at least half of a Chinese phrase's syllables occur in a span.

    Homophones escape a comparison of letters.
    """
    sounds = {sound_of(token.key) for token in span.tokens}
    return 2 * sum(sound_of(key) in sounds for key in literal) >= len(literal)


def is_negated(hit: Hit, pattern: Pattern) -> bool:
    """Tell whether a "not" that the phrase does not have stands in the hit or right before it."""
    in_phrase = {key for key in pattern.literal if key in NEGATIONS}
    before = hit.span.tokens[max(0, hit.start - 1) : hit.start]
    in_speech = [
        token.key
        for token in (*before, *hit.tokens)
        if token.key in NEGATIONS and not (token in before and token.key == "no")
    ]
    return bool(in_speech) != bool(in_phrase)


def is_quoted(hit: Hit) -> bool:
    """Tell whether the speaker repeats what somebody else said."""
    before = hit.span.tokens[max(0, hit.start - 8) : hit.start]
    joined = (
        "".join(token.key for token in before)
        if before and HAN.match(before[-1].key)
        else " ".join(token.key for token in before)
    )
    return bool(QUOTING.search(joined))


def _hits_in(pattern: Pattern, span: TokenSpan, at_least: float) -> Iterator[Hit]:
    # start, end, similarity × weight, weight
    starts: list[tuple[int, int, float, int]] = [(-1, -1, 0.0, 0)]
    for position, part in enumerate(pattern.parts):
        grown: list[tuple[int, int, float, int]] = []
        for begin, end, gained, weight in starts:
            if isinstance(part, str):
                (
                    grown.extend(
                        (begin, stop, gained, weight) for stop in _slot_ends(part, span.tokens, end)
                    )
                    if end >= 0
                    else grown.append((-2, -2, 0.0, 0))
                )
            else:
                size = sum(_weight(key) for key in part)
                for match_start, match_end, aligned in _align(part, span.tokens, at_least - 0.15):
                    similarity = max(
                        aligned,
                        *(
                            _joined_similarity(part, span.tokens[left:right])
                            for left, right in (
                                (match_start, match_end),
                                (max(0, match_start - 1), match_end),
                                (match_start, match_end + 1),
                            )
                        ),
                    )
                    if end >= 0 and not end <= match_start <= end + 2:
                        continue
                    first = match_start
                    if begin == -2:  # the pattern began with a slot: it must stand right before
                        slot_start = _slot_before(
                            str(pattern.parts[position - 1]), span.tokens, match_start
                        )
                        if slot_start is None:
                            continue
                        first = slot_start
                    grown.append(
                        (
                            first if begin < 0 else begin,
                            match_end,
                            gained + similarity * size,
                            weight + size,
                        )
                    )
        starts = grown[:40]
    best: dict[int, Hit] = {}
    for begin, end, gained, weight in starts:
        similarity = gained / weight if weight else 0.0
        if similarity >= at_least and (end not in best or best[end].similarity < similarity):
            best[end] = Hit(span, begin, end, similarity, pattern.source)
    yield from sorted(best.values(), key=lambda hit: -hit.similarity)[:10]


def _align(
    phrase: tuple[str, ...], tokens: Sequence[Token], at_least: float
) -> list[tuple[int, int, float]]:
    """Align a phrase with any stretch of the tokens (semi-global, Sellers).

    Returns places (start, end, similarity), best first.

    Places (start, end, similarity), best first.
    """
    weights = [_weight(key) for key in phrase]
    total = float(sum(weights))
    length = len(phrase)
    costs = [0.0] * (length + 1)
    for i in range(length):
        costs[i + 1] = costs[i] + weights[i]
    begins = [0] * (length + 1)
    allowed = (1 - at_least) * total
    places: list[tuple[int, int, float]] = []
    for j, token in enumerate(tokens, start=1):
        diagonal_cost, diagonal_begin = costs[0], begins[0]
        costs[0], begins[0] = 0.0, j
        heard_weight = _weight(token.key)
        for i in range(1, length + 1):
            weight = weights[i - 1]
            substitution = diagonal_cost + weight * (1 - _similarity(phrase[i - 1], token.key))
            extra = costs[i] + EXTRA_WORD * min(weight, heard_weight)
            missing = costs[i - 1] + weight
            diagonal_cost, previous_begin = costs[i], begins[i]
            if substitution <= extra and substitution <= missing:
                costs[i], begins[i] = substitution, diagonal_begin
            elif extra <= missing:
                costs[i], begins[i] = extra, previous_begin
            else:
                costs[i], begins[i] = missing, begins[i - 1]
            diagonal_begin = previous_begin
        if costs[length] <= allowed and begins[length] < j:
            places.append((begins[length], j, 1 - costs[length] / total))
    return _separate(places)


def _joined_similarity(phrase: tuple[str, ...], tokens: Sequence[Token]) -> float:
    """Compare the letters without the spaces.

    Recognisers join and split words ("aver atteso", "averteso").
    """
    joined, spoken = "".join(phrase), "".join(token.key for token in tokens)
    if (
        len(joined) < LONG_PHRASE
        or HAN.match(joined)
        or not 0.85 <= len(spoken) / len(joined) <= 1.25
    ):
        return 0.0  # a word too few or too many is no matter of spaces
    return float(fuzz.ratio(joined, spoken)) / 100 - JOINED_DISCOUNT


def _separate(places: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Keep the best of each run of overlapping places."""
    chosen: list[tuple[int, int, float]] = []
    for place in sorted(places, key=lambda candidate: (-candidate[2], candidate[1] - candidate[0])):
        if all(place[1] <= other[0] or place[0] >= other[1] for other in chosen):
            chosen.append(place)
            if len(chosen) == 20:
                break
    return chosen


@functools.lru_cache(maxsize=100_000)
def _weight(key: str) -> int:
    return 3 if HAN.match(key) else min(6, max(2, len(key)))


@functools.lru_cache(maxsize=200_000)
def _similarity(phrase: str, spoken: str) -> float:
    """Compare two words (0–1) by spelling and sound; below a floor they are different words."""
    if phrase == spoken:
        return 1.0
    if HAN.match(phrase) or HAN.match(spoken):
        return (
            SAME_SOUND
            if HAN.match(phrase) and HAN.match(spoken) and sound_of(phrase) == sound_of(spoken)
            else 0.0
        )
    shorter = min(len(phrase), len(spoken))
    if shorter <= 2:
        return 0.0
    spelling = fuzz.ratio(phrase, spoken) / 100
    if shorter <= 4:
        if phrase[0] == spoken[0] and spelling >= 0.75:
            return spelling
        return (
            SHORT_SAME_SOUND
            if len(phrase) == len(spoken) and sound_of(phrase) == sound_of(spoken)
            else 0.0
        )
    if sound_of(phrase) == sound_of(spoken):
        return max(spelling, SAME_SOUND)
    alike = max(spelling, JaroWinkler.similarity(phrase, spoken) - 0.12)
    return alike if alike >= 0.6 else 0.0


def _slot_ends(slot: str, tokens: Sequence[Token], at: int) -> list[int]:
    """List where a slot that begins at `at` may end; empty where nothing fits it."""
    ends = []
    for length in range(1, 7):
        if at + length > len(tokens):
            break
        if _fits(slot, [token.key for token in tokens[at : at + length]]):
            ends.append(at + length)
    return ends[:1] if slot in ("name", "any") else ends[-1:]


def _slot_before(slot: str, tokens: Sequence[Token], end: int) -> int | None:
    for length in range(1, 4):
        if end - length >= 0 and _fits(slot, [token.key for token in tokens[end - length : end]]):
            return end - length
    return None


def _fits(slot: str, keys: list[str]) -> bool:
    if slot == "any":
        return True
    if slot == "name":
        return keys[0] not in NOT_NAMES and not is_number(keys[0])
    if slot == "amount":
        return any(is_number(key) for key in keys) and keys[-1] in MONEY_WORDS
    if slot in ("time", "date"):
        return keys[-1] in TIME_WORDS and all(
            is_number(key) or key in TIME_WORDS or len(keys) > 1 for key in keys
        )
    return all(is_number(key) or (slot == "ticket" and len(key) == 1) for key in keys)


def is_number(key: str) -> bool:
    return (
        key.isdigit()
        or key in NUMBER_WORDS
        or (len(key) > 5 and ITALIAN_TENS.search(key) is not None)
    )
