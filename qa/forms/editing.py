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
    """The YAML after one act on a section or criterion (`where` is its id, `part` what of it).

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
    siblings, i = _find(tree, where)
    node = siblings[i]
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
        j = i + (-1 if act == "up" else 1)
        if 0 <= j < len(siblings):
            siblings.insert(j, siblings.pop(i))
    elif act == "remove":
        siblings.pop(i)
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


def _find(tree: Any, wanted: str) -> tuple[list[Any], int]:
    """The list that holds a section or criterion, and its place in it."""
    waiting = [tree["sections"]]
    while waiting:
        siblings = waiting.pop()
        for i, node in enumerate(siblings):
            if not isinstance(node, dict):
                continue
            if node.get("id") == wanted:
                return siblings, i
            waiting += [node[k] for k in ("criteria", "sections") if isinstance(node.get(k), list)]
    raise EditRefused(_("there is no %(what)s", what=wanted))


def _fresh(tree: Any, name: str) -> str:
    """An id that nothing in the form has."""
    base = (
        "".join(
            c if c.isascii() and (c.isalnum() or c in "._") else "_" for c in name.lower()
        ).strip("._")
        or "new"
    )
    taken, n, found = set(_ids(tree["sections"])), 1, base
    while found in taken:
        n += 1
        found = f"{base}_{n}"
    return found


def _ids(nodes: Any) -> list[str]:
    out: list[str] = []
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict):
            out += [str(node.get("id")), *_ids(node.get("criteria")), *_ids(node.get("sections"))]
    return out


def _fresh_option(criterion: Any, title: str) -> str:
    """An id that no option of the criterion has."""
    base = (
        "".join(c if c.isascii() and c.isalnum() else "_" for c in title.lower())
        .strip("_")
        .lstrip("0123456789_")
        or "option"
    )
    taken, n, found = (
        {"met", "not_met"}
        | {o.get("id") for o in criterion.get("options") or () if isinstance(o, dict)},
        1,
        base,
    )
    while found in taken:
        n += 1
        found = f"{base}_{n}"
    return found


def _weight(value: str) -> float | int:
    found = number(value)
    if not 0 <= found <= MOST_WEIGHT:
        raise EditRefused(_("a weight lies between 0 and %(most)s", most=f"{MOST_WEIGHT:.0f}"))
    return found


def with_version(source: str, version: int) -> str:
    """The YAML with another version number."""
    lines = source.splitlines(keepends=True)
    for i, line in enumerate(lines):
        if line.startswith("version:"):
            end = line[len(line.rstrip("\r\n")) :]
            rest = line.split("#", 1)
            comment = f"  #{rest[1].rstrip()}" if len(rest) > 1 else ""
            lines[i] = f"version: {version}{comment}{end}"
            return "".join(lines)
    return f"version: {version}\n{source}"


def differences(old: Form, new: Form, *, language: str) -> list[Difference]:
    """What changed from one version to the next: head, sections, criteria with their texts,
    weights, options and checks.
    """
    found = [
        Difference("form", k, _shown(getattr(old, k)), _shown(getattr(new, k)))
        for k in HEAD
        if getattr(old, k) != getattr(new, k)
    ]
    sections_old, sections_new = ({s.id: s for s in f.sections} for f in (old, new))
    found += [
        Difference(i, "removed", in_language(s.title, language), "")
        for i, s in sections_old.items()
        if i not in sections_new
    ]
    found += [
        Difference(i, "added", "", in_language(s.title, language))
        for i, s in sections_new.items()
        if i not in sections_old
    ]
    for i in sections_old.keys() & sections_new.keys():
        if sections_old[i].weight != sections_new[i].weight:
            found.append(
                Difference(
                    i, "weight", f"{sections_old[i].weight:g}", f"{sections_new[i].weight:g}"
                )
            )
    before, after = ({c.id: c for c in f.criteria()} for f in (old, new))
    found += [
        Difference(i, "removed", in_language(c.title, language), "")
        for i, c in before.items()
        if i not in after
    ]
    for i, c in after.items():
        found += (
            _criterion(before[i], c, language)
            if i in before
            else [Difference(i, "added", "", in_language(c.title, language))]
        )
    kept_before, kept_after = [i for i in before if i in after], [i for i in after if i in before]
    found += [
        Difference(i, "moved", str(kept_before.index(i) + 1), str(n))
        for n, i in enumerate(kept_after, 1)
        if kept_before.index(i) + 1 != n
    ]
    return found


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
    changed = [k for k in type(new).model_fields if getattr(old, k) != getattr(new, k)]
    out = []
    for key in changed:
        was, now = getattr(old, key), getattr(new, key)
        if key in ("title", "guidance") and in_language(was, language) != in_language(
            now, language
        ):
            out.append(
                Difference(new.id, key, in_language(was, language), in_language(now, language))
            )
        else:
            out.append(Difference(new.id, key, _shown(was), _shown(now)))
    return out


def _shown(value: Any) -> str:
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
    if isinstance(value, list):
        value = [
            v.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
            if hasattr(v, "model_dump")
            else v
            for v in value
        ]
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)[:600]
