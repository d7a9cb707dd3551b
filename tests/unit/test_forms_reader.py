"""Every fault of a form is reported with its line and what to write instead."""

import pytest

from qa.forms.reader import read_form
from qa.forms.types import FormFaults
from qa.settings import PROJECT_ROOT

GOOD = """form: demo
version: 1
languages: [en, it]
title: {en: Demo, it: Prova}
variables: {company: {en: Company, it: Azienda}}
sections:
  - id: opening
    title: {en: Opening, it: Apertura}
    criteria:
      - id: opening.greeting
        title: {en: Greets, it: Saluta}
        scale: met_not_met
        check:
          says: {any: {en: [hello], it: [buongiorno]}, by: agent, within: {first_seconds: 20}}
      - id: opening.name
        title: {en: Name, it: Nome}
        scale: met_not_met
        check: {says: {any: ["{company}", "my name is {name}"], by: agent}}
"""


def faults(source: str) -> list[tuple[int, str]]:
    with pytest.raises(FormFaults) as caught:
        read_form(source, file="demo.yaml")
    assert all(f.file == "demo.yaml" and f.instead for f in caught.value.faults)
    return [(f.line, f.problem) for f in caught.value.faults]


@pytest.mark.parametrize(
    "path", sorted((PROJECT_ROOT / "scoring_forms").glob("*.yaml")), ids=lambda p: p.name
)
def test_every_shipped_form_is_without_fault(path):
    form = read_form(path.read_text(), file=path.name)
    assert form.criteria()
    assert path.name == f"{form.form}.v{form.version}.yaml"


def test_a_good_form_is_read():
    assert [c.id for c in read_form(GOOD).criteria()] == ["opening.greeting", "opening.name"]


def test_no_and_off_stay_words_and_do_not_become_false():
    source = GOOD.replace(
        'scale: met_not_met\n        check: {says: {any: ["{company}"',
        "options: [{id: met, points: 1, title: no}, {id: not_met, points: 0, title: off}]\n       "
        ' check: {says: {any: ["{company}"',
    )
    options = read_form(source).criteria()[1].options
    assert [o.title for o in options] == ["no", "off"]


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (
            (
                "scale: met_not_met\n        check:\n          says",
                "scael: met_not_met\n        check:\n          says",
            ),
            12,
            "unknown key",
        ),
        (("version: 1", "version: one"), 2, "does not fit"),
        (("version: 1\n", ""), 1, "missing"),
        (("languages: [en, it]", "languages: [en, it, fr]"), 3, "not known"),
        (("by: agent, within", "by: robot, within"), 14, "not known"),
        (("first_seconds: 20", "first_seconds: -1"), 14, "does not fit"),
        (("opening.name", "opening.greeting"), 15, "twice"),
        (('{company}", "my', '{firm}", "my'), 18, "neither a slot nor a variable"),
        (("it: [buongiorno]", "zh: [你好]"), 14, "no phrases for it"),
        (("it: Saluta", "zh: 问候"), 11, "no text for it"),
        (("says: {any: {en", "regex: {any: {en"), 14, "unknown key"),
        (
            (
                "check: {says: {any: [",
                "when: {criterion: later, is: [met]}\n        check: {says: {any: [",
            ),
            18,
            "not a criterion before",
        ),
    ],
)
def test_a_fault_is_found_on_its_line(change, line, word):
    assert change[0] in GOOD
    found = faults(GOOD.replace(*change, 1))
    assert any(at == line and word in problem for at, problem in found), found


def test_all_faults_are_reported_at_once():
    broken = (
        GOOD.replace("version: 1", "version: 0")
        .replace("by: agent, within", "by: robot, within")
        .replace("scale: met_not_met", "skala: x", 1)
    )
    assert len(faults(broken)) >= 3


def test_a_key_that_stands_twice_is_refused_with_its_line():
    assert faults(GOOD.replace("version: 1\n", "version: 1\nversion: 2\n"))[0][0] == 3


@pytest.mark.parametrize(
    "source",
    [
        "",
        "[]",
        "just words",
        "a: [",
        "\t- x",
        "form: &a [*a]",
        "a: &x 1\nb: *x",
        "\x00",
        "x: " + "[" * 5000,
    ],
)
def test_what_is_no_form_is_refused_and_nothing_hangs(source):
    assert faults(source)


def test_a_regular_expression_bomb_is_no_rule_here_and_is_refused_with_its_line():
    bomb = GOOD.replace("any: {en: [hello], it: [buongiorno]}", "pattern: '(a+)+$'")
    assert faults(bomb)[0][0] == 14


def test_a_huge_form_is_refused():
    assert "larger" in faults("form: x\n#" + "x" * 600_000)[0][1]
