"""The language of scoring forms: what a form's author may write, as frozen records.

Shapes and defaults are those of scoring_forms/README.md. The reader (`qa.forms.reader`) turns YAML
into these and reports every fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal["en", "it", "zh"]
Party = Literal["agent", "customer", "anyone"]
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=120)
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
LocalText = Title | dict[Language, Title]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Phrases = Annotated[list[Phrase], Field(min_length=1, max_length=200)]
LocalPhrases = Phrases | dict[Language, Phrases]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(gt=0, le=1_000_000)]

NOT_APPLICABLE = "na"
Act = Literal[
    "greeting",
    "introduction",
    "thanks",
    "apology",
    "empathy",
    "hold_request",
    "further_help",
    "farewell",
    "commitment",
    "rudeness",
    "blame",
]
ACTS: tuple[Act, ...] = get_args(Act)
SLOTS = ("name", "number", "time", "date", "amount", "ticket", "any")


class MessageTemplate(str):
    """A sentence in English that a page can say in the reader's language: it remembers its pattern
    and what is filled in.
    """

    pattern: str
    values: dict[str, Any]

    def __new__(cls, pattern: str, **values: Any) -> Self:
        made = super().__new__(cls, pattern % values)
        made.pattern, made.values = pattern, values
        return made


_ = MessageTemplate  # the name by which texts are found for translation


class Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Window(Node):
    """Where in the call a phrase counts.

    `before` and `after` name another criterion whose evidence is the limit.
    """

    first_seconds: Seconds | None = None
    last_seconds: Seconds | None = None
    first_turns: Annotated[int, Field(ge=1, le=1000)] | None = None
    last_turns: Annotated[int, Field(ge=1, le=1000)] | None = None
    before: Identifier | None = None
    after: Identifier | None = None


class Says(Node):
    """A phrase is said. `any` holds phrases, with slots such as {name} where a pattern is meant."""

    any: LocalPhrases
    unless: LocalPhrases | None = None
    by: Party = "agent"
    within: Window = Window()
    similarity: Annotated[float, Field(ge=0.5, le=1)] = 0.82


class Order(Node):
    """`first` is heard before `then`. Where `then` is never heard the rule does not apply."""

    first: Says
    then: Says


class ScriptStep(Node):
    """One step of a script. Legal text wants a similarity near 1, courtesy less."""

    id: Identifier
    any: LocalPhrases
    similarity: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    optional: bool = False


class ScriptRule(Node):
    """Steps said one after the other.

    `share` is how many of the required ones must be heard; `in_order: false` lets them come anyhow.
    """

    steps: Annotated[list[ScriptStep], Field(min_length=1, max_length=60)]
    by: Party = "agent"
    share: Share = 1.0
    in_order: bool = True


class ActRule(Node):
    """A speech act as the courtesy classifier hears it, whatever the words.

    Under its threshold the classifier abstains: unsure.
    """

    is_: Act = Field(alias="is")
    by: Literal["agent", "customer"] = "agent"
    within: Window = Window()
    never: bool = False


class AnswersRule(Node):
    """Questions get an answer.

    `question` names the phrases of a question; without it every question of the other side counts.

    `by` answers, within `within_seconds` after the question; `reply` says what an answer must
    contain.
    """

    question: Says | None = None
    reply: Says | None = None
    by: Literal["agent", "customer"] = "agent"
    within_seconds: Annotated[float, Field(gt=0, le=600)] = 15


class ReadsBackRule(Node):
    """One side repeats what the other has just said: numbers, times, names, or the request in their
    words.
    """

    by: Literal["agent", "customer"] = "agent"
    within_seconds: Annotated[float, Field(gt=0, le=3600)] = 120
    details: Annotated[int, Field(ge=1, le=50)] = 2


class Limit(Node):
    """A number of the speech mechanics against a limit. Both ends inclusive."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(_("write `min: …`, `max: …` or both"))
        return self


class SilenceRule(Node):
    """Stretches in which nobody speaks."""

    longest_seconds: Limit | None = None
    share: Limit | None = None
    longer_than: Seconds = 3.0
    count: Limit | None = None


class HoldRule(Node):
    """Time on hold: silence or music after the agent announced it."""

    longest_seconds: Limit | None = None
    count: Limit | None = None


class OverlapRule(Node):
    """Both speak at once, as a share of the call."""

    share: Limit


class InterruptionRule(Node):
    """Who cuts in while the other is speaking."""

    by: Literal["agent", "customer"] = "agent"
    count: Limit


class PaceRule(Node):
    """Words (characters in Chinese) a minute, in the time really spoken."""

    by: Literal["agent", "customer"] = "agent"
    per_minute: Limit


class TalkShareRule(Node):
    """The agent's share of all speech."""

    by: Literal["agent", "customer"] = "agent"
    share: Limit


class MonologueRule(Node):
    """The longest stretch of one speaker alone."""

    by: Literal["agent", "customer"] = "agent"
    longest_seconds: Limit


class MetadataRule(Node):
    """A field of the call data.

    Where it is missing the rule is unsure, unless `missing` says otherwise.
    """

    field: Annotated[
        str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=80)
    ]
    is_: list[str | bool | float] | None = Field(None, alias="is", min_length=1)
    present: bool | None = None
    contains_field: str | None = None
    limit: Limit | None = None
    missing: Literal["unsure", "not_met", "not_applicable"] = "unsure"

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (
            sum(x is not None for x in (self.is_, self.present, self.contains_field, self.limit))
            != 1
        ):
            raise ValueError(
                _(
                    "write exactly one of `is: […]`, `present: true`, `contains_field: …`, `limit:"
                    " {min: …, max: …}`"
                )
            )
        return self


class AtLeast(Node):
    count: Annotated[int, Field(ge=1, le=100)]
    of: Annotated[list["Rule"], Field(min_length=1, max_length=100)]


class Rule(Node):
    """One rule: exactly one kind, and perhaps a precondition without which the criterion is not
    applicable.
    """

    says: Says | None = None
    never_says: Says | None = None
    order: Order | None = None
    script: ScriptRule | None = None
    act: ActRule | None = None
    answers: AnswersRule | None = None
    reads_back: ReadsBackRule | None = None
    silence: SilenceRule | None = None
    hold: HoldRule | None = None
    overlap: OverlapRule | None = None
    interruption: InterruptionRule | None = None
    pace: PaceRule | None = None
    talk_share: TalkShareRule | None = None
    monologue: MonologueRule | None = None
    metadata: MetadataRule | None = None
    all: Annotated[list["Rule"], Field(min_length=1, max_length=100)] | None = None
    any: Annotated[list["Rule"], Field(min_length=1, max_length=100)] | None = None
    not_: "Rule | None" = Field(None, alias="not")
    at_least: AtLeast | None = None
    applies_if: "Rule | None" = None

    @property
    def kind(self) -> str:
        return next(k for k in RULE_KINDS if getattr(self, k) is not None).rstrip("_")

    def with_inner(self) -> Iterator["Rule"]:
        """The rule and all inside it."""
        yield self
        inner = [
            *(self.all or []),
            *(self.any or []),
            *(self.at_least.of if self.at_least else []),
            self.not_,
            self.applies_if,
        ]
        for rule in inner:
            if rule is not None:
                yield from rule.with_inner()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [k for k in RULE_KINDS if getattr(self, k) is not None]
        if len(given) != 1:
            kinds = ", ".join(k.rstrip("_") for k in RULE_KINDS)
            raise ValueError(
                _(
                    "a rule has exactly one kind, here %(n)s; kinds: %(kinds)s",
                    n=len(given),
                    kinds=kinds,
                )
            )
        return self


RULE_KINDS = tuple(k for k in Rule.model_fields if k != "applies_if")


class Option(Node):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
    points: float
    title: LocalText | None = None
    fail: Literal["section", "form"] | None = None


class When(Node):
    criterion: Identifier
    is_: Annotated[list[str], Field(alias="is", min_length=1)]


class Criterion(Node):
    id: Identifier
    title: LocalText
    guidance: LocalText | None = None
    weight: Weight = 1
    scale: Literal["met_not_met"] | None = None
    options: Annotated[list[Option], Field(min_length=2, max_length=256)] | None = None
    na: bool = True
    bonus: bool = False
    comment: Literal["never", "on_loss", "always"] = "never"
    when: When | None = None
    training_topic: Identifier | None = None
    check: Rule | None = None

    @property
    def choices(self) -> tuple[Option, ...]:
        """The options, the short scales written out."""
        return tuple(self.options or (Option(id="met", points=1), Option(id="not_met", points=0)))

    @property
    def maximum(self) -> Fraction:
        return max(as_fraction(o.points) for o in self.choices)

    @property
    def is_critical(self) -> bool:
        return any(o.fail for o in self.choices)

    def option(self, option_id: str) -> Option | None:
        return next((o for o in self.choices if o.id == option_id), None)


class Section(Node):
    id: Identifier
    title: LocalText
    weight: Weight = 1
    criteria: Annotated[list[Criterion], Field(max_length=200)] = []
    sections: Annotated[list["Section"], Field(max_length=100)] = []

    def all_criteria(self) -> Iterator[Criterion]:
        yield from self.criteria
        for section in self.sections:
            yield from section.all_criteria()


class AppliesTo(Node):
    project: str = "*"
    direction: Literal["inbound", "outbound", "*"] = "*"
    queue: str = "*"
    min_duration_seconds: Seconds = 0


class Form(Node):
    form: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    languages: Annotated[list[Language], Field(min_length=1)]
    title: LocalText
    applies_to: AppliesTo = AppliesTo()
    variables: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], LocalText] = {}
    weighting: Literal["sections", "criteria"] = "sections"
    na_policy: Literal["redistribute", "full_credit"] = "redistribute"
    cap_at_100: bool = True
    pass_mark: Annotated[float, Field(ge=0, le=100)] | None = None
    release: Literal["at_submission", "second_reader", "by_manager"] = "at_submission"
    release_after_days: Annotated[int, Field(ge=0, le=45)] = 0
    dispute_days: Annotated[int, Field(ge=0, le=90)] = 14
    dispute_rounds: Annotated[int, Field(ge=1, le=3)] = 3
    sections: Annotated[list[Section], Field(min_length=1, max_length=100)]

    def criteria(self) -> tuple[Criterion, ...]:
        """Every criterion, in the order of the form."""
        return tuple(c for s in self.sections for c in s.all_criteria())

    def criterion(self, criterion_id: str) -> Criterion | None:
        return next((c for c in self.criteria() if c.id == criterion_id), None)


@dataclass(frozen=True)
class VersionFacts:
    """A version of a form in the list; `edition` counts the saves of a draft."""

    id: int
    form: str
    version: int
    state: str  # draft, published, retired
    title: dict[str, str]
    edition: int
    changed_at: datetime | None

    @property
    def is_draft(self) -> bool:
        return self.state == "draft"


@dataclass(frozen=True)
class Fault:
    """What is wrong in a form, where, and what to write instead."""

    file: str
    line: int
    where: str
    problem: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where}: {self.problem}. {self.instead}"


class FormFaults(Exception):
    """A form could not be read. `faults` has every fault found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def in_language(text: LocalText | None, language: str) -> str:
    """The words for one language; English, then any, where that language is missing."""
    if text is None:
        return ""
    if isinstance(text, str):
        return text
    by_language = cast(dict[str, str], text)
    return by_language.get(language) or by_language.get("en") or next(iter(by_language.values()))


def phrases_in(phrases: LocalPhrases | None, language: str) -> list[str]:
    """The phrases for one language; empty where the form has none for it."""
    if phrases is None:
        return []
    if isinstance(phrases, list):
        return list(phrases)
    return list(cast(dict[str, list[str]], phrases).get(language, []))


def as_fraction(number: float) -> Fraction:
    """A number of a form without binary rounding: 0.1 is one tenth."""
    return Fraction(Decimal(repr(number)))
