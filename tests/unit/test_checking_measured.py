"""Rules about numbers and call data, and how rules are combined."""

import pytest

from qa.checking.rules import bounds, check_call
from qa.checking.types import Finding, Verdict
from qa.forms.reader import read_form
from qa.transcription.rules import measure
from qa.transcription.types import Span, Transcript

MET, NOT_MET, UNSURE, NA = Verdict.MET, Verdict.NOT_MET, Verdict.UNSURE, Verdict.NOT_APPLICABLE


def form_with(*rules: str):
    criteria = "".join(
        f"\n      - {{id: c{i}, title: T, scale: met_not_met, check: {r}}}"
        for i, r in enumerate(rules)
    )
    return read_form(
        "form: t\nversion: 1\nlanguages: [en]\ntitle: T\nsections:\n  - id: s\n    title: T\n   "
        f" criteria:{criteria}\n"
    )


CALL = Transcript.model_validate(
    {
        "language": "en",
        "duration": 60,
        "utterances": [
            {
                "speaker": "agent",
                "start": 1,
                "end": 11,
                "text": "one two three four five six seven eight nine ten " * 2 + "please hold",
            },
            {"speaker": "customer", "start": 30, "end": 40, "text": "yes I can hear you"},
            {"speaker": "agent", "start": 35, "end": 38, "text": "listen to me"},
        ],
    }
)
MECHANICS = measure(CALL, [Span(start=1, end=11), Span(start=35, end=38)], [Span(start=30, end=40)])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{silence: {longest_seconds: {max: 15}}}", NOT_MET),
        ("{silence: {longest_seconds: {max: 25}}}", MET),
        ("{silence: {count: {max: 0}, longer_than: 3}}", NOT_MET),
        ("{hold: {count: {min: 1}}}", MET),
        ("{hold: {longest_seconds: {max: 10}}}", NOT_MET),
        ("{overlap: {share: {max: 0.01}}}", NOT_MET),
        ("{overlap: {share: {max: 0.2}}}", MET),
        ("{interruption: {by: agent, count: {max: 0}}}", NOT_MET),
        ("{interruption: {by: customer, count: {max: 0}}}", MET),
        ("{pace: {by: agent, per_minute: {min: 60, max: 200}}}", MET),
        ("{pace: {by: agent, per_minute: {max: 60}}}", NOT_MET),
        ("{talk_share: {by: agent, share: {max: 0.5}}}", NOT_MET),
        ("{monologue: {by: agent, longest_seconds: {max: 5}}}", NOT_MET),
        ("{monologue: {by: agent, longest_seconds: {max: 12}}}", MET),
    ],
)
def test_mechanics_against_their_limits(rule, expected):
    assert check_call(form_with(rule), CALL, mechanics=MECHANICS).findings[0].verdict is expected


def test_of_an_empty_call_no_mechanics_are_judged():
    empty = Transcript(language="en", duration=30)
    assert (
        check_call(form_with("{interruption: {count: {max: 0}}}"), empty).findings[0].verdict
        is UNSURE
    )


DETAILS = {
    "ticket": {"number": "T-12", "closed": "true", "solved": "no"},
    "mail": {"subject": "[t 12] done"},
    "after": "55",
    "contract": "none",
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{metadata: {field: ticket.number, present: true}}", MET),
        ("{metadata: {field: ticket.owner, present: true}}", NOT_MET),
        ("{metadata: {field: ticket.closed, is: [true]}}", MET),
        ("{metadata: {field: ticket.solved, is: [true]}}", NOT_MET),
        ("{metadata: {field: ticket.solved, is: [false]}}", MET),
        ("{metadata: {field: mail.subject, contains_field: ticket.number}}", MET),
        ("{metadata: {field: mail.subject, contains_field: ticket.owner}}", UNSURE),
        ("{metadata: {field: after, limit: {max: 40}}}", NOT_MET),
        ("{metadata: {field: nothing, is: [true]}}", UNSURE),
        ("{metadata: {field: nothing, is: [true], missing: not_met}}", NOT_MET),
        ("{metadata: {field: nothing, is: [true], missing: not_applicable}}", NA),
        (
            (
                "{metadata: {field: after, is: [x]}, applies_if: {metadata: {field: contract, is:"
                " [active]}}}"
            ),
            NA,
        ),
        (
            (
                "{metadata: {field: after, present: true}, applies_if: {metadata: {field: contract,"
                " is: [none]}}}"
            ),
            MET,
        ),
        (
            (
                "{metadata: {field: after, is: [x]}, applies_if: {metadata: {field: nothing, is:"
                " [x]}}}"
            ),
            UNSURE,
        ),
    ],
)
def test_call_data_against_what_the_form_wants(rule, expected):
    assert (
        check_call(form_with(rule), CALL, mechanics=MECHANICS, details=DETAILS).findings[0].verdict
        is expected
    )


YES, NO, MAYBE = (
    f"{{metadata: {{field: after, present: {x}}}}}" for x in ("true", "false", "true")
)
MAYBE = "{metadata: {field: nothing, is: [x]}}"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (f"{{all: [{YES}, {YES}]}}", MET),
        (f"{{all: [{YES}, {MAYBE}]}}", UNSURE),
        (f"{{all: [{NO}, {MAYBE}]}}", NOT_MET),
        (f"{{any: [{NO}, {YES}]}}", MET),
        (f"{{any: [{NO}, {MAYBE}]}}", UNSURE),
        (f"{{any: [{NO}, {NO}]}}", NOT_MET),
        (f"{{not: {NO}}}", MET),
        (f"{{not: {MAYBE}}}", UNSURE),
        (f"{{at_least: {{count: 2, of: [{YES}, {YES}, {NO}]}}}}", MET),
        (f"{{at_least: {{count: 2, of: [{YES}, {MAYBE}, {NO}]}}}}", UNSURE),
        (f"{{at_least: {{count: 2, of: [{YES}, {NO}, {NO}]}}}}", NOT_MET),
    ],
)
def test_rules_are_combined_with_three_values(rule, expected):
    assert (
        check_call(form_with(rule), CALL, mechanics=MECHANICS, details=DETAILS).findings[0].verdict
        is expected
    )


def test_unsure_answers_open_the_bounds_of_the_score():
    form = form_with(YES, YES, YES)
    findings = [
        Finding("c0", MET, 0.9, "metadata"),
        Finding("c1", UNSURE, 0.5, "metadata"),
        Finding("c2", NA, 0.9, "metadata"),
    ]
    assert bounds(form, findings) == (50.0, 100.0)


def test_a_criterion_that_always_applies_is_never_not_applicable():
    form = read_form(
        "form: t\nversion: 1\nlanguages: [en]\ntitle: T\nsections: [{id: s, title: T, criteria:"
        " [{id: c, title: T, na: false, scale: met_not_met, check: {metadata: {field: x, is: [1],"
        " missing: not_applicable}}}]}]"
    )
    assert check_call(form, CALL).findings[0].verdict is UNSURE
