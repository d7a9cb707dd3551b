"""Change a form's YAML through fields, and tell two versions apart.

Comments and layout of the YAML stay. Pure.
"""

import io
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from qa.forms.fields import EditRefused, change_check, change_options, change_when, number, set_text
from qa.forms.types import Criterion, Form, in_language
from qa.forms.types import MessageTemplate as _

MOST_WEIGHT = 1000.0


@dataclass(frozen=True)
class Difference:
    """One thing that two versions have differently.

    `what` is added, removed, moved, or the name of a field.
    """

    where: str
    what: str
    was: str
    now: str


def apply_operation(
    source: str, *, act: str, where: str, value: str, language: str = "", part: str = ""
) -> str:
    """Apply one operation to a section or criterion and return the new YAML.

    `where` is the id of the section or criterion, `part` what of it.

    Acts: title, guidance (in a language), weight, topic, comment, na, bonus, when, up, down,
    remove, add (a criterion to a section; the value is its id), add_section, those on options and
    those on checks (qa.forms.fields). Raises EditRefused.
    """
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 4096, True
    try:
        tree = yaml.load(source)
    except (YAMLError, ValueError, RecursionError) as error:
        raise EditRefused(_("the YAML cannot be read; mend it first")) from error
    if not isinstance(tree, dict) or not isinstance(tree.get("sections"), list):
        raise EditRefused(_("the form has no sections"))
    if act == "add_section":
        tree["sections"].append(
            {"id": _fresh(tree, value), "title": value or "…", "weight": 1, "criteria": []}
        )
    else:
        _change(tree, act, where, value, language, part)
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _change(tree: Any, act: str, where: str, value: str, language: str, part: str) -> None:
    siblings, position = _find(tree, where)
    node = siblings[position]
    languages = [str(code) for code in tree.get("languages") or ()]
    if act.startswith("check_"):
        change_check(node, act, part, value, language=language, languages=languages)
    elif act.startswith("option_"):
        change_options(
            node,
            act,
            part,
            value,
            language=language,
            languages=languages,
            fresh=_fresh_option(node, value),
        )
    elif act == "when":
        change_when(node, part, value)
    elif act in ("na", "bonus"):
        node[act] = value == "1"
    elif act in ("title", "guidance"):
        set_text(node, act, value, language)
    elif act == "weight":
        node["weight"] = _weight(value)
    elif act == "topic":
        set_text(node, "training_topic", value, "")
    elif act == "comment" and value in ("never", "on_loss", "always"):
        node["comment"] = value
    elif act in ("up", "down"):
        target = position + (-1 if act == "up" else 1)
        if 0 <= target < len(siblings):
            siblings.insert(target, siblings.pop(position))
    elif act == "remove":
        siblings.pop(position)
    elif act == "add" and isinstance(node.get("criteria", []), list):
        node.setdefault("criteria", []).append(
            {
                "id": _fresh(tree, f"{where}.{value or 'new'}"),
                "title": value or "…",
                "scale": "met_not_met",
                "weight": 1,
            }
        )
    else:
        raise EditRefused(_("%(act)s cannot be done to %(where)s", act=act, where=where))


def _find(tree: Any, node_id: str) -> tuple[list[Any], int]:
    """Find the list that holds a section or criterion, and its place in it."""
    waiting = [tree["sections"]]
    while waiting:
        siblings = waiting.pop()
        for position, node in enumerate(siblings):
            if not isinstance(node, dict):
                continue
            if node.get("id") == node_id:
                return siblings, position
            waiting += [
                node[key] for key in ("criteria", "sections") if isinstance(node.get(key), list)
            ]
    raise EditRefused(_("there is no %(what)s", what=node_id))


def _fresh(tree: Any, name: str) -> str:
    """Make an id that nothing in the form has."""
    base = (
        "".join(
            char if char.isascii() and (char.isalnum() or char in "._") else "_"
            for char in name.lower()
        ).strip("._")
        or "new"
    )
    taken, suffix, candidate = set(_ids(tree["sections"])), 1, base
    while candidate in taken:
        suffix += 1
        candidate = f"{base}_{suffix}"
    return candidate


def _ids(nodes: Any) -> list[str]:
    out: list[str] = []
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict):
            out += [str(node.get("id")), *_ids(node.get("criteria")), *_ids(node.get("sections"))]
    return out


def _fresh_option(criterion: Any, title: str) -> str:
    """Make an id that no option of the criterion has."""
    base = (
        "".join(char if char.isascii() and char.isalnum() else "_" for char in title.lower())
        .strip("_")
        .lstrip("0123456789_")
        or "option"
    )
    taken, suffix, candidate = (
        {"met", "not_met"}
        | {
            option.get("id")
            for option in criterion.get("options") or ()
            if isinstance(option, dict)
        },
        1,
        base,
    )
    while candidate in taken:
        suffix += 1
        candidate = f"{base}_{suffix}"
    return candidate


def _weight(value: str) -> float | int:
    weight = number(value)
    if not 0 <= weight <= MOST_WEIGHT:
        raise EditRefused(_("a weight lies between 0 and %(most)s", most=f"{MOST_WEIGHT:.0f}"))
    return weight


def with_version(source: str, version: int) -> str:
    """Replace the version number of a form's YAML; everything else stays byte for byte.

    So a draft differs from its original in this line alone.
    """
    lines = source.splitlines(keepends=True)
    for position, line in enumerate(lines):
        if line.startswith("version:"):
            end = line[len(line.rstrip("\r\n")) :]
            rest = line.split("#", 1)
            comment = f"  #{rest[1].rstrip()}" if len(rest) > 1 else ""
            lines[position] = f"version: {version}{comment}{end}"
            return "".join(lines)
    return f"version: {version}\n{source}"


def differences(old: Form, new: Form, *, language: str) -> list[Difference]:
    """List what changed between two versions: head, sections, criteria, options, checks."""
    changes = [
        Difference("form", name, _shown(getattr(old, name)), _shown(getattr(new, name)))
        for name in HEAD
        if getattr(old, name) != getattr(new, name)
    ]
    sections_old, sections_new = (
        {section.id: section for section in form.sections} for form in (old, new)
    )
    changes += [
        Difference(node_id, "removed", in_language(section.title, language), "")
        for node_id, section in sections_old.items()
        if node_id not in sections_new
    ]
    changes += [
        Difference(node_id, "added", "", in_language(section.title, language))
        for node_id, section in sections_new.items()
        if node_id not in sections_old
    ]
    for node_id in sections_old.keys() & sections_new.keys():
        if sections_old[node_id].weight != sections_new[node_id].weight:
            changes.append(
                Difference(
                    node_id,
                    "weight",
                    f"{sections_old[node_id].weight:g}",
                    f"{sections_new[node_id].weight:g}",
                )
            )
    before, after = (
        {criterion.id: criterion for criterion in form.criteria()} for form in (old, new)
    )
    changes += [
        Difference(node_id, "removed", in_language(criterion.title, language), "")
        for node_id, criterion in before.items()
        if node_id not in after
    ]
    for node_id, criterion in after.items():
        changes += (
            _criterion(before[node_id], criterion, language)
            if node_id in before
            else [Difference(node_id, "added", "", in_language(criterion.title, language))]
        )
    kept_before, kept_after = (
        [node_id for node_id in before if node_id in after],
        [node_id for node_id in after if node_id in before],
    )
    changes += [
        Difference(node_id, "moved", str(kept_before.index(node_id) + 1), str(place))
        for place, node_id in enumerate(kept_after, 1)
        if kept_before.index(node_id) + 1 != place
    ]
    return changes


HEAD = (
    "title",
    "languages",
    "applies_to",
    "variables",
    "weighting",
    "na_policy",
    "cap_at_100",
    "pass_mark",
    "release",
    "release_after_days",
) + (
    "dispute_days",
    "dispute_rounds",
)


def _criterion(old: Criterion, new: Criterion, language: str) -> list[Difference]:
    changed = [name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)]
    changes = []
    for key in changed:
        was, now = getattr(old, key), getattr(new, key)
        if key in ("title", "guidance") and in_language(was, language) != in_language(
            now, language
        ):
            changes.append(
                Difference(new.id, key, in_language(was, language), in_language(now, language))
            )
        else:
            changes.append(Difference(new.id, key, _shown(was), _shown(now)))
    return changes


def _shown(value: Any) -> str:
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
    if isinstance(value, list):
        value = [
            item.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
            if hasattr(item, "model_dump")
            else item
            for item in value
        ]
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)[:600]
