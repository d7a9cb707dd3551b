"""Read a form from YAML and report every fault with its line and what to write instead."""

import difflib
import io
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from qa.forms import types
from qa.forms.types import (
    SLOTS,
    Criterion,
    Fault,
    Form,
    FormFaults,
    LocalPhrases,
    LocalText,
    Rule,
    Says,
    Section,
)
from qa.forms.types import MessageTemplate as _

MAX_BYTES = 512_000
MAX_DEPTH = 40
KNOWN_MODELS = [m for m in vars(types).values() if isinstance(m, type) and issubclass(m, BaseModel)]
ALL_KEYS = sorted({(f.alias or n) for m in KNOWN_MODELS for n, f in m.model_fields.items()})


def read_form(source: str, *, file: str = "form") -> Form:
    """Read a form from its YAML.

    Raises FormFaults with every fault: unreadable YAML, unknown or missing keys, wrong values, then
    what only the whole form shows (ids used twice, conditions on later criteria, variables nobody
    declared, phrases missing in a language).
    """
    tree = _parse(source, file)
    try:
        form = Form.model_validate(tree)
    except ValidationError as error:
        raise FormFaults(tuple(_explain(e, tree, file) for e in _sharpest(error))) from None
    except RecursionError:
        raise FormFaults((_too_deep(file, 1),)) from None
    faults = tuple(
        Fault(file, _line(tree, where), _path(where), problem, instead)
        for where, problem, instead in _whole_form(form)
    )
    if faults:
        raise FormFaults(faults)
    return form


def _too_deep(file: str, line: int) -> Fault:
    return Fault(
        file, line, "form", _("is nested too deeply"), _("Nest rules at most a few levels.")
    )


def _parse(source: str, file: str) -> Any:
    if len(source.encode()) > MAX_BYTES:
        raise FormFaults(
            (
                Fault(
                    file,
                    1,
                    "form",
                    _("is larger than %(n)s bytes", n=MAX_BYTES),
                    _("Split it into several forms."),
                ),
            )
        )
    depth = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(source)):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH:  # the reader of YAML takes ever longer for every level
                raise FormFaults((_too_deep(file, event.start_mark.line + 1),))
            if isinstance(event, AliasEvent):
                raise FormFaults(
                    (
                        Fault(
                            file,
                            event.start_mark.line + 1,
                            "form",
                            _("uses a YAML alias (*name)"),
                            _("Write the value out."),
                        ),
                    )
                )
        tree = YAML(typ="rt").load(source)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FormFaults(
            (
                Fault(
                    file,
                    line,
                    "YAML",
                    str(error.problem or error.context),
                    _("Check indentation, quotes and that no key stands twice."),
                ),
            )
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise FormFaults(
            (
                Fault(
                    file,
                    1,
                    "YAML",
                    str(error)[:200] or _("cannot be read"),
                    _("Check the file is plain YAML text."),
                ),
            )
        ) from None
    if not isinstance(tree, dict):
        raise FormFaults(
            (
                Fault(
                    file,
                    1,
                    "form",
                    _("is empty or not a mapping"),
                    _("Begin with `form: name` and `version: 1`."),
                ),
            )
        )
    return tree


def _sharpest(error: ValidationError) -> Iterator[dict[str, Any]]:
    """One fault per place: pydantic tries each shape of a text (`str`, `dict`) and complains about
    both.
    """
    seen: set[tuple[Any, ...]] = set()
    for e in error.errors():
        place = tuple(
            x
            for x in e["loc"]
            if not (
                isinstance(x, str)
                and re.match(r"(constrained-str|dict\[|list\[|function-|str$|bool$|float$)", x)
            )
        )
        if place not in seen:
            seen.add(place)
            yield {**e, "place": place}


def _explain(error: dict[str, Any], tree: Any, file: str) -> Fault:
    place, kind, context = error["place"], error["type"], error.get("ctx", {})

    def fault(at: tuple[Any, ...], problem: str, instead: str) -> Fault:
        return Fault(file, _line(tree, at), _path(at), problem, instead)

    last, shown = str(place[-1]) if place else "form", repr(error["input"])[:80]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(last, ALL_KEYS, 1)
        instead = (
            _("Did you mean `%(key)s`?", key=near[0])
            if near
            else _("Remove it; the keys are listed in scoring_forms/README.md.")
        )
        return fault(place, _("unknown key `%(key)s`", key=last), instead)
    if kind == "missing":
        return fault(
            place[:-1], _("`%(key)s` is missing", key=last), _("Add `%(key)s: …`.", key=last)
        )
    if kind == "literal_error":
        return Fault(
            file,
            _line(tree, place),
            _path(place),
            _("%(value)s is not known here", value=shown),
            _("Write one of %(values)s.", values=context["expected"]),
        )
    if kind == "string_pattern_mismatch":
        return Fault(
            file,
            _line(tree, place),
            _path(place),
            _("%(value)s is not an id", value=shown),
            _("Write small letters, digits and _, parts joined by dots."),
        )
    if kind == "value_error":
        return fault(
            place, _said_by(context.get("error"), error["msg"]), _("See scoring_forms/README.md.")
        )
    return fault(
        place,
        _("%(value)s does not fit", value=shown),
        _wanted(kind, context) or error["msg"] + ".",
    )


def _said_by(error: Any, otherwise: str) -> str:
    """Find the sentence that a rule of a form's types refused with."""
    said = error.args[0] if isinstance(error, ValueError) and error.args else otherwise
    return said if isinstance(said, str) else str(said)


def _plain(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, int | float) else str(limit)


def _wanted(kind: str, context: dict[str, Any]) -> str | None:
    """Suggest what to write instead, for what pydantic refuses most often."""
    simple = {
        "string_type": _("Write text."),
        "string_too_short": _("Write some text."),
        "dict_type": _("Write keys with values here."),
        "list_type": _("Write a list."),
    }
    if kind in simple:
        return simple[kind]
    if kind.startswith(("float", "int")):
        return _("Write a number.")
    if kind.startswith("bool"):
        return _("Write true or false.")
    patterns = {
        "string_type": _("Write text."),
        "string_too_short": _("Write some text."),
        "dict_type": _("Write keys with values here."),
        "list_type": _("Write a list."),
        "less_than_equal": _("Write a number up to %(limit)s.", limit=_plain(context.get("le"))),
        "greater_than_equal": _(
            "Write a number from %(limit)s up.", limit=_plain(context.get("ge"))
        ),
        "greater_than": _("Write a number above %(limit)s.", limit=_plain(context.get("gt"))),
        "too_short": _("Write at least %(n)s.", n=context.get("min_length")),
        "too_long": _("Write at most %(n)s.", n=context.get("max_length")),
        "string_too_long": _("Write at most %(n)s characters.", n=context.get("max_length")),
    }
    return patterns.get(kind)


def _line(tree: Any, place: tuple[Any, ...]) -> int:
    """Find the line (from 1) of the deepest part of `place` that exists in the file."""
    line: int = 0
    node: Any = tree
    for key in place:
        try:
            places: Any = node.lc  # ruamel keeps where every key and item stands
            line = places.key(key)[0] if hasattr(node, "keys") else places.item(key)[0]
            node = node[key]
        except (KeyError, IndexError, AttributeError, TypeError):
            break
    return int(line) + 1


def _path(place: tuple[Any, ...]) -> str:
    return ".".join(str(p) for p in place) or "form"


Complaint = tuple[tuple[Any, ...], str, str]


def _whole_form(form: Form) -> Iterator[Complaint]:
    """Find the faults that only the whole form can show.

    Each is (place, problem, what to write instead).
    """
    earlier: dict[str, Criterion] = {}
    sections: set[str] = set()
    for place, text in _texts(form):
        yield from _languages(form, place, text)
    for place, section in _sections(form.sections, ("sections",)):
        if section.id in sections:
            yield (
                (*place, "id"),
                _("section `%(id)s` stands twice", id=section.id),
                _("Give each section an id of its own."),
            )
        sections.add(section.id)
        if not section.criteria and not section.sections:
            yield (
                place,
                _("section `%(id)s` has no criteria", id=section.id),
                _("Add `criteria:` with at least one."),
            )
        if len(place) > 4:
            yield place, _("sections are nested more than two levels"), _("Move this section up.")
        for i, criterion in enumerate(section.criteria):
            yield from _criterion(form, (*place, "criteria", i), criterion, earlier)
            earlier[criterion.id] = criterion
    if sum(1 for _ in form.criteria()) > 400:
        yield (
            ("sections",),
            _("the form has more than 400 criteria"),
            _("Split it into several forms."),
        )
    for place, rule in _rules(form):
        yield from _rule(form, place, rule, earlier)


def _criterion(
    form: Form, place: tuple[Any, ...], criterion: Criterion, earlier: dict[str, Criterion]
) -> Iterator[Complaint]:
    if criterion.id in earlier:
        yield (
            (*place, "id"),
            _("criterion `%(id)s` stands twice", id=criterion.id),
            _("Give each criterion an id of its own."),
        )
    if (criterion.scale is None) == (criterion.options is None):
        yield (
            place,
            _("`%(id)s` needs either a scale or options", id=criterion.id),
            _("Write `scale: met_not_met` or `options: […]`, not both."),
        )
        return
    ids = [o.id for o in criterion.choices]
    for i, option in enumerate(criterion.choices):
        where = (*place, "options", i)
        if ids.index(option.id) != i:
            yield (
                where,
                _("option `%(id)s` stands twice", id=option.id),
                _("Give each option an id of its own."),
            )
        if option.id == types.NOT_APPLICABLE:
            yield (
                where,
                _("`na` is reserved"),
                _("Write `na: true` on the criterion instead of an option."),
            )
        if option.points < 0 and not criterion.bonus:
            yield (
                where,
                _("points are below 0"),
                _("Write points from 0 up, or mark the criterion `bonus: true`."),
            )
        if option.fail and criterion.bonus:
            yield where, _("a bonus criterion cannot fail a form"), _("Remove `fail` or `bonus`.")
    if criterion.maximum <= 0 and not criterion.bonus:
        yield (
            place,
            _("no option of `%(id)s` gives points", id=criterion.id),
            _("Give the best option points above 0."),
        )
    if criterion.check and not {"met", "not_met"} <= set(ids):
        yield (
            (*place, "check"),
            _("a criterion with a check needs the options met and not_met"),
            _("Write `scale: met_not_met`, or options with these ids among them."),
        )
    if criterion.when:
        driver = earlier.get(criterion.when.criterion)
        if driver is None:
            yield (
                (*place, "when"),
                _("`%(id)s` is not a criterion before this one", id=criterion.when.criterion),
                _("Name an earlier criterion."),
            )
        else:
            for answer in criterion.when.is_:
                if driver.option(answer) is None and answer != types.NOT_APPLICABLE:
                    yield (
                        (*place, "when", "is"),
                        _no_option(driver, answer),
                        _(
                            "Write one of %(values)s.",
                            values=", ".join(o.id for o in driver.choices),
                        ),
                    )


def _no_option(criterion: Criterion, answer: str) -> str:
    return _("`%(id)s` has no option `%(option)s`", id=criterion.id, option=answer)


def _rule(
    form: Form, place: tuple[Any, ...], rule: Rule, criteria: dict[str, Criterion]
) -> Iterator[Complaint]:
    if place.count("all") + place.count("any") + place.count("not") + place.count("at_least") > 6:
        yield place, _("rules are nested more than six levels"), _("Make the rule flatter.")
    for i, step in enumerate(rule.script.steps if rule.script else ()):
        where = (*place, "script", "steps", i)
        # the loop is empty without a script
        if step.id in [s.id for s in rule.script.steps[:i]]:  # type: ignore[union-attr]
            yield (
                (*where, "id"),
                _("step `%(id)s` stands twice", id=step.id),
                _("Give each step an id of its own."),
            )
        yield from _phrases(form, (*where, "any"), step.any)
    windows = [((*where, "within"), says.within) for where, says in _says(rule, place)]
    windows += [((*place, "act", "within"), rule.act.within)] if rule.act else []
    for where, window in windows:
        for limit in (window.before, window.after):
            if limit and limit not in criteria:
                yield (
                    where,
                    _("`%(id)s` is not a criterion of this form", id=limit),
                    _("Name a criterion that has a check."),
                )
    for where, says in _says(rule, place):
        for key, phrases in (("any", says.any), ("unless", says.unless)):
            yield from _phrases(form, (*where, key), phrases)


def _phrases(
    form: Form, place: tuple[Any, ...], phrases: LocalPhrases | None
) -> Iterator[Complaint]:
    if phrases is None:
        return
    if isinstance(phrases, dict) and place[-1] == "any":
        missing = [x for x in form.languages if x not in phrases]
        if missing:
            yield (
                place,
                _("no phrases for %(languages)s", languages=", ".join(missing)),
                _("Add `%(key)s: […]`.", key=missing[0]),
            )
    groups = phrases.values() if isinstance(phrases, dict) else [phrases]
    for phrase in (p for group in groups for p in group):
        for name in re.findall(r"\{([^}]*)\}", phrase):
            if name not in SLOTS and name not in form.variables:
                yield (
                    place,
                    _("{%(name)s} is neither a slot nor a variable", name=name),
                    _(
                        "Slots: %(slots)s; or declare it under `variables:`.",
                        slots=", ".join(SLOTS),
                    ),
                )


def _languages(form: Form, place: tuple[Any, ...], text: LocalText) -> Iterator[Complaint]:
    if isinstance(text, dict):
        missing = [x for x in form.languages if x not in text]
        if missing:
            yield (
                place,
                _("no text for %(languages)s", languages=", ".join(missing)),
                _("Add `%(key)s: …`.", key=missing[0]),
            )


def _sections(
    sections: list[Section], place: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], Section]]:
    for i, section in enumerate(sections):
        yield (*place, i), section
        yield from _sections(section.sections, (*place, i, "sections"))


def _texts(form: Form) -> Iterator[tuple[tuple[Any, ...], LocalText]]:
    yield ("title",), form.title
    for place, section in _sections(form.sections, ("sections",)):
        yield (*place, "title"), section.title
        for i, c in enumerate(section.criteria):
            yield (*place, "criteria", i, "title"), c.title
            if c.guidance is not None:
                yield (*place, "criteria", i, "guidance"), c.guidance
            for j, o in enumerate(c.options or []):
                if o.title is not None:
                    yield (*place, "criteria", i, "options", j, "title"), o.title


def _rules(form: Form) -> Iterator[tuple[tuple[Any, ...], Rule]]:
    for place, section in _sections(form.sections, ("sections",)):
        for i, c in enumerate(section.criteria):
            if c.check:
                yield from _inner((*place, "criteria", i, "check"), c.check)


def _inner(place: tuple[Any, ...], rule: Rule) -> Iterator[tuple[tuple[Any, ...], Rule]]:
    yield place, rule
    lists = {
        "all": rule.all,
        "any": rule.any,
        "at_least": rule.at_least.of if rule.at_least else None,
    }
    for key, inner in lists.items():
        for i, r in enumerate(inner or []):
            yield from _inner((*place, key, i) if key != "at_least" else (*place, key, "of", i), r)
    for key, single in (("not", rule.not_), ("applies_if", rule.applies_if)):
        if single:
            yield from _inner((*place, key), single)


def _says(rule: Rule, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Says]]:
    if rule.says:
        yield (*place, "says"), rule.says
    if rule.never_says:
        yield (*place, "never_says"), rule.never_says
    if rule.order:
        yield (*place, "order", "first"), rule.order.first
        yield (*place, "order", "then"), rule.order.then
    if rule.answers:
        for key, says in (("question", rule.answers.question), ("reply", rule.answers.reply)):
            if says:
                yield (*place, "answers", key), says
