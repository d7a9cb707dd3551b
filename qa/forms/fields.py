"""Change a form's options, conditions and checks through fields, without writing YAML."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.forms.types import ACTS, Rule, phrases_in
from qa.forms.types import MessageTemplate as _


class EditRefused(ValueError):
    """The change does not fit the form: no such section or criterion, or a value that cannot be."""


@dataclass(frozen=True)
class FieldSpec:
    """One thing that a rule's author may set.

    `path` leads to it from the rule's kind; `phrases` and `words` are written one a line.
    """

    path: str
    widget: Literal["phrases", "words", "number", "text", "yes", "choice"]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A part of a rule as it stands: the way to it from the criterion, and its value as a page
    shows it.
    """

    path: str
    spec: FieldSpec
    value: str


_EITHER = FieldSpec("by", "choice", ("agent", "customer"))
_WITHIN = (FieldSpec("within.first_seconds", "number"), FieldSpec("within.last_seconds", "number"))
_SAYS = (
    FieldSpec("any", "phrases"),
    FieldSpec("unless", "phrases"),
    FieldSpec("by", "choice", ("agent", "customer", "anyone")),
    *_WITHIN,
    FieldSpec("similarity", "number"),
)


def _ends(path: str) -> tuple[FieldSpec, FieldSpec]:
    return FieldSpec(f"{path}.min", "number"), FieldSpec(f"{path}.max", "number")


PARTS: dict[str, tuple[FieldSpec, ...]] = {
    "says": _SAYS,
    "never_says": _SAYS,
    "order": tuple(
        FieldSpec(f"{which}.{p.path}", p.widget, p.choices)
        for which in ("first", "then")
        for p in (_SAYS[0], _SAYS[2])
    ),
    "script": (
        FieldSpec("by", "choice", ("agent", "customer", "anyone")),
        FieldSpec("share", "number"),
        FieldSpec("in_order", "yes"),
    ),
    "act": (FieldSpec("is", "choice", ACTS), _EITHER, FieldSpec("never", "yes"), *_WITHIN),
    "answers": (
        _EITHER,
        FieldSpec("within_seconds", "number"),
        FieldSpec("question.any", "phrases"),
        FieldSpec("reply.any", "phrases"),
    ),
    "reads_back": (_EITHER, FieldSpec("within_seconds", "number"), FieldSpec("details", "number")),
    "silence": (
        *_ends("longest_seconds"),
        *_ends("share"),
        FieldSpec("longer_than", "number"),
        *_ends("count"),
    ),
    "hold": (*_ends("longest_seconds"), *_ends("count")),
    "overlap": _ends("share"),
    "interruption": (_EITHER, *_ends("count")),
    "pace": (_EITHER, *_ends("per_minute")),
    "talk_share": (_EITHER, *_ends("share")),
    "monologue": (_EITHER, *_ends("longest_seconds")),
    "metadata": (
        FieldSpec("field", "text"),
        FieldSpec("is", "words"),
        FieldSpec("present", "yes"),
        FieldSpec("contains_field", "text"),
        *_ends("limit"),
        FieldSpec("missing", "choice", ("unsure", "not_met", "not_applicable")),
    ),
    "at_least": (FieldSpec("count", "number"),),
    "all": (),
    "any": (),
    "not": (),
}
_PLACEHOLDER = {"en": "the words to be said", "it": "le parole da dire", "zh": "要说的话"}


def fields_of(rule: Rule, path: str, language: str) -> list[Field]:
    """List what can be set in a rule, with its values; `path` leads to it from its criterion."""
    kind = rule.kind
    node = getattr(rule, kind if hasattr(rule, kind) else f"{kind}_")
    return [
        Field(f"{path}.{kind}.{part.path}", part, _value(node, part, language))
        for part in PARTS[kind]
    ]


def inner_rules(rule: Rule, path: str) -> list[tuple[str, Rule]]:
    """List the rules that a rule is made of, each with its path."""
    rules = [(f"{path}.all.{position}", inner) for position, inner in enumerate(rule.all or ())] + [
        (f"{path}.any.{position}", inner) for position, inner in enumerate(rule.any or ())
    ]
    rules += (
        [
            (f"{path}.at_least.of.{position}", inner)
            for position, inner in enumerate(rule.at_least.of)
        ]
        if rule.at_least
        else []
    )
    return rules + ([(f"{path}.not", rule.not_)] if rule.not_ else [])


def list_of_inner(rule: Rule, path: str) -> str | None:
    """Find the path of the list that a further rule can be added to."""
    return {"all": f"{path}.all", "any": f"{path}.any", "at_least": f"{path}.at_least.of"}.get(
        rule.kind
    )


def script_fields(rule: Rule, path: str, language: str) -> list[tuple[str, str, str]]:
    """List the steps of a script: the path to each, its id, its phrases one a line."""
    steps = rule.script.steps if rule.script else []
    return [
        (f"{path}.script.steps.{position}", step.id, "\n".join(phrases_in(step.any, language)))
        for position, step in enumerate(steps)
    ]


def _value(node: Any, part: FieldSpec, language: str) -> str:
    for step in part.path.split("."):
        node = getattr(node, step, None) if hasattr(node, step) else getattr(node, f"{step}_", None)
        if node is None:
            return ""
    if part.widget == "phrases":
        return "\n".join(phrases_in(node, language))
    if part.widget == "words":
        return "\n".join(_word(w) for w in node)
    if part.widget == "yes":
        return "1" if node else ""
    return f"{node:g}" if part.widget == "number" else str(node)


def _word(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else value


def change_check(
    criterion: Any, act: str, path: str, value: str, *, language: str, languages: Sequence[str]
) -> None:
    """Change the check of a criterion's YAML in place.

    check_kind: the rule at `way` becomes one of the kind `value`. check_set: the part at `way` gets
    a value, an empty one takes it out. check_add: one more rule of the kind `value`, or one more
    step, in the list at `way`. check_remove: what stands at `way` goes. Raises EditRefused.
    """
    steps = [int(s) if s.isdigit() else s for s in path.split(".")]
    if steps[0] != "check":
        raise EditRefused(_("there is no %(what)s", what=path))
    if act == "check_kind":
        _set(criterion, steps, _begun(value, languages) | _precondition(criterion, steps))
    elif act == "check_add":
        rules = _get(criterion, steps)
        if not isinstance(rules, list):
            raise EditRefused(_("%(what)s is no list", what=path))
        rules.append(
            _step(rules, languages) if steps[-1] == "steps" else _begun(value or "says", languages)
        )
    elif act == "check_remove" or not value.strip() and not _is_yes(steps):
        _remove(criterion, steps)
    else:
        _set(criterion, steps, _read(steps, value, _get(criterion, steps), language, languages))


def _precondition(criterion: Any, steps: list[str | int]) -> dict[str, Any]:
    old = _get(criterion, steps)
    return (
        {"applies_if": old["applies_if"]} if isinstance(old, dict) and "applies_if" in old else {}
    )


def _begun(kind: str, languages: Sequence[str]) -> dict[str, Any]:
    """A rule of a kind that can be read, for its author to go on with."""
    words = {code: [_PLACEHOLDER[code]] for code in languages if code in _PLACEHOLDER}
    says = {"any": words}
    starts: dict[str, Any] = {
        "says": says,
        "never_says": says,
        "order": {"first": says, "then": {"any": copy.deepcopy(words)}},
        "script": {"steps": [{"id": "step_1", "any": words}]},
        "act": {"is": "greeting"},
        "answers": {"within_seconds": 15},
        "reads_back": {"details": 2},
        "silence": {"longest_seconds": {"max": 20}},
        "hold": {"longest_seconds": {"max": 120}},
        "overlap": {"share": {"max": 0.1}},
        "interruption": {"count": {"max": 3}},
        "pace": {"per_minute": {"max": 200}},
        "talk_share": {"share": {"max": 0.7}},
        "monologue": {"longest_seconds": {"max": 60}},
        "metadata": {"field": "ticket_id", "present": True},
        "all": [{"says": says}],
        "any": [{"says": says}],
        "not": {"says": says},
        "at_least": {"count": 1, "of": [{"says": says}]},
    }
    if kind not in starts:
        raise EditRefused(_("there is no %(what)s", what=kind))
    # a copy each, or the YAML would say the same thing once and refer to it
    return {kind: copy.deepcopy(starts[kind])}


def _step(steps: list[Any], languages: Sequence[str]) -> dict[str, Any]:
    taken, suffix = {step.get("id") for step in steps if isinstance(step, dict)}, len(steps) + 1
    while f"step_{suffix}" in taken:
        suffix += 1
    return {
        "id": f"step_{suffix}",
        "any": {code: [_PLACEHOLDER[code]] for code in languages if code in _PLACEHOLDER},
    }


def _spec_at(steps: list[str | int]) -> FieldSpec | None:
    """Find the part that a path leads to: whatever follows the innermost kind of rule."""
    for position in range(len(steps) - 1, 0, -1):
        rest = ".".join(map(str, steps[position + 1 :]))
        spec = next(
            (part for part in PARTS.get(str(steps[position]), ()) if part.path == rest), None
        )
        if spec:
            return spec
    return FieldSpec("any", "phrases") if "steps" in steps and steps[-1] == "any" else None


def _is_yes(steps: list[str | int]) -> bool:
    part = _spec_at(steps)
    return part is not None and part.widget == "yes"


def _read(
    steps: list[str | int], value: str, old: Any, language: str, languages: Sequence[str]
) -> Any:
    part = _spec_at(steps)
    if part is None:
        raise EditRefused(_("%(what)s cannot be set here", what=".".join(map(str, steps))))
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if part.widget == "phrases":
        if isinstance(old, list) or not language:
            return lines
        return {**(old or {}), language: lines} if old or len(languages) > 1 else lines
    if part.widget == "words":
        return [{"true": True, "false": False}.get(w.lower(), w) for w in lines]
    if part.widget == "yes":
        return value.strip() == "1"
    return number(value) if part.widget == "number" else value.strip()


def number(value: str) -> float | int:
    """Parse a number as people write it, with a point or a comma. Raises EditRefused."""
    try:
        parsed = float(value.replace(",", "."))
    except ValueError as error:
        raise EditRefused(_("this has to be a number")) from error
    if not abs(parsed) <= 1e9:
        raise EditRefused(_("this number is too large"))
    return int(parsed) if parsed.is_integer() else parsed


def _get(node: Any, steps: Sequence[Any]) -> Any:
    for step in steps:
        if (
            isinstance(node, list)
            and isinstance(step, int)
            and 0 <= step < len(node)
            or isinstance(node, dict)
            and step in node
        ):
            node = node[step]
        else:
            return None
    return node


def _set(node: Any, steps: list[str | int], value: Any) -> None:
    for step in steps[:-1]:
        if isinstance(node, dict) and step not in node and isinstance(step, str):
            node[step] = {}
        node = _get(node, [step])
    last: Any = steps[-1]
    if not isinstance(node, dict) and (not isinstance(node, list) or _get(node, [last]) is None):
        raise EditRefused(_("there is no %(what)s", what=".".join(map(str, steps))))
    node[last] = value


def _remove(node: Any, steps: list[str | int]) -> None:
    """Take something out, and what is empty without it."""
    holder: Any = _get(node, steps[:-1]) if len(steps) > 1 else node
    if _get(holder, steps[-1:]) is None:
        return
    last: Any = steps[-1]
    del holder[last]
    if len(holder) == 0 and len(steps) > 1:
        _remove(node, steps[:-1])


def change_options(
    criterion: Any,
    act: str,
    which: str,
    value: str,
    *,
    language: str,
    languages: Sequence[str],
    fresh: str,
) -> None:
    """Change the options of a criterion's YAML in place. Raises EditRefused.

    Operations: option_add (`value` is the title), option_remove, option_up, option_down,
    option_title, option_points, option_fail (`which` is the option's id).
    """
    options = criterion.get("options")
    if not isinstance(options, list):
        options = [{"id": "met", "points": 1}, {"id": "not_met", "points": 0}]
        criterion["options"] = options
        criterion.pop("scale", None)
    if act == "option_add":
        options.append({"id": fresh, "points": 0, "title": dict.fromkeys(languages, value)})
        return
    position = next(
        (
            position
            for position, option in enumerate(options)
            if isinstance(option, dict) and option.get("id") == which
        ),
        None,
    )
    if position is None:
        raise EditRefused(_("there is no %(what)s", what=which))
    if act == "option_remove":
        if len(options) <= 2:
            raise EditRefused(_("a criterion has at least two options"))
        options.pop(position)
    elif act in ("option_up", "option_down"):
        target = position + (-1 if act == "option_up" else 1)
        if 0 <= target < len(options):
            options.insert(target, options.pop(position))
    elif act == "option_points":
        options[position]["points"] = number(value)
    elif act == "option_fail":
        options[position].pop("fail", None)
        if value:
            options[position]["fail"] = value
    else:
        set_text(options[position], "title", value, language)


def change_when(criterion: Any, what: str, value: str) -> None:
    """Change when a criterion is asked.

    `criterion` names the one it hangs on (empty: always asked), `is` takes an answer in or out.
    """
    if what == "criterion":
        criterion.pop("when", None)
        if value:
            criterion["when"] = {"criterion": value, "is": ["met"]}
        return
    answers = criterion.get("when", {}).get("is")
    if not isinstance(answers, list):
        raise EditRefused(_("say first which criterion it hangs on"))
    if value not in answers:
        answers.append(value)
    elif len(answers) > 1:
        answers.remove(value)


def set_text(node: Any, key: str, value: str, language: str) -> None:
    """Set a text in one language; where the form has one text for all, that text."""
    old = node.get(key)
    if isinstance(old, dict) and language:
        old[language] = value
    elif not value:
        node.pop(key, None)
    elif not isinstance(old, dict) or not language:
        node[key] = value
