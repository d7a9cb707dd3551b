"""The arithmetic of a scorecard: published vectors, edge cases, properties."""

import functools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.forms.reader import read_form
from qa.forms.rules import AnswersRefused, partial_score, round_half_up, score
from qa.reporting.rules.estimates import mean_of_cards

TEN = "options: [{id: ten, points: 10}, {id: five, points: 5}, {id: zero, points: 0}]"


@functools.cache
def form(*sections: str, head: str = ""):
    body = "\n".join(sections)
    return read_form(
        f"form: test\nversion: 1\nlanguages: [en]\ntitle: Test\n{head}\nsections:\n{body}"
    )


def section(name: str, *criteria: str, weight: float = 1) -> str:
    return f"  - id: {name}\n    title: T\n    weight: {weight}\n    criteria:\n" + "\n".join(
        f"      - {{{c}}}" for c in criteria
    )


def criterion(name: str, extra: str = "scale: met_not_met", weight: float = 1) -> str:
    return f"id: {name}, title: T, weight: {weight}, {extra}"


@pytest.mark.parametrize("weighting", ["sections", "criteria"])
def test_weights_40_20_20_20_with_answers_10_5_5_0_give_60_and_the_fourth_na_gives_75(weighting):
    f = form(
        section("s", *(criterion(f"c{i}", TEN, w) for i, w in enumerate((40, 20, 20, 20)))),
        head=f"weighting: {weighting}",
    )
    answers = {"c0": "ten", "c1": "five", "c2": "five", "c3": "zero"}
    assert score(f, answers).score == 60
    assert score(f, answers | {"c3": "na"}).score == 75


def test_two_groups_by_points_1_of_2_at_weight_40_and_1_of_1_at_weight_20_give_60():
    one = "options: [{id: one, points: 1}, {id: none, points: 0}]"
    f = form(
        section("a", criterion("a1", one), criterion("a2", one), weight=40),
        section("b", criterion("b1", one), weight=20),
        head="weighting: criteria",
    )
    assert score(f, {"a1": "one", "a2": "none", "b1": "one"}).score == 60


def test_the_mean_of_cards_is_the_vendors_52_97():
    assert (
        round_half_up(
            Fraction(mean_of_cards([100, 9.91, 63.96, 90.99, 0])).limit_denominator(10**6)
        )
        == 52.97
    )
    assert mean_of_cards([]) is None


def test_everything_not_applicable_is_no_score_under_both_policies():
    for policy in ("redistribute", "full_credit"):
        f = form(section("s", criterion("c1"), criterion("c2")), head=f"na_policy: {policy}")
        result = score(f, {"c1": "na", "c2": "na"})
        assert result.score is None
        assert result.passed is None


def test_full_credit_counts_not_applicable_as_earned():
    f = form(section("s", criterion("c1"), criterion("c2")), head="na_policy: full_credit")
    assert score(f, {"c1": "not_met", "c2": "na"}).score == 50


def test_a_fail_option_sets_its_scope_to_zero_and_shows_the_score_without_it():
    failing = "options: [{id: fine, points: 1}, {id: bad, points: 0, fail: %s}]"
    f = form(
        section("a", criterion("a1", failing % "section"), criterion("a2")),
        section("b", criterion("b1")),
    )
    result = score(f, {"a1": "bad", "a2": "met", "b1": "met"})
    assert (result.score, result.score_without_fails, result.critical_score) == (50, 75, 0)
    f = form(
        section("a", criterion("a1", failing % "form"), criterion("a2")),
        section("b", criterion("b1")),
        head="pass_mark: 0",
    )
    result = score(f, {"a1": "bad", "a2": "met", "b1": "met"})
    assert (result.score, result.passed) == (0, False)
    assert score(f, {"a1": "na", "a2": "met", "b1": "met"}).score == 100, (
        "a fail criterion answered N/A never fails"
    )


def test_bonus_adds_to_the_numerator_only_and_is_capped_at_100_unless_the_form_says_otherwise():
    bonus = (
        "bonus: true, options: [{id: plus, points: 1}, {id: none, points: 0}, {id: minus, points:"
        " -5}]"
    )
    sections = section("s", criterion("c1"), criterion("c2"), criterion("b", bonus))
    f = form(sections)
    assert score(f, {"c1": "met", "c2": "not_met", "b": "plus"}).score == 100
    assert score(f, {"c1": "met", "c2": "met", "b": "plus"}).score == 100
    assert score(f, {"c1": "met", "c2": "not_met", "b": "none"}).score == 50
    assert score(f, {"c1": "not_met", "c2": "not_met", "b": "minus"}).score == 0, (
        "penalties floor at 0"
    )
    assert (
        score(
            form(sections, head="cap_at_100: false"), {"c1": "met", "c2": "met", "b": "plus"}
        ).score
        == 150
    )


def test_a_conditional_criterion_counts_only_while_its_driver_has_the_named_answer():
    f = form(
        section(
            "s",
            criterion("used"),
            criterion("polite", "scale: met_not_met, when: {criterion: used, is: [met]}"),
        )
    )
    assert score(f, {"used": "not_met"}).score == 0
    left_behind = score(f, {"used": "not_met", "polite": "met"})
    assert left_behind.score == 0
    kept = next(c for c in left_behind.criteria if c.id == "polite")
    assert (kept.answer, kept.counted) == ("met", False)
    with pytest.raises(AnswersRefused) as refused:
        score(f, {"used": "met"})
    assert refused.value.faults == {"polite": "missing"}


def test_refused_answers_name_every_criterion_and_what_is_wrong():
    f = form(
        section(
            "s", criterion("c1", "scale: met_not_met, na: false"), criterion("c2"), criterion("c3")
        )
    )
    with pytest.raises(AnswersRefused) as refused:
        score(f, {"c1": "na", "c2": "maybe", "ghost": "met"})
    assert refused.value.faults == {
        "c1": "na_not_allowed",
        "c2": "unknown_option",
        "c3": "missing",
        "ghost": "unknown_criterion",
    }


def test_sections_may_be_nested_two_levels():
    inner = (
        "  - id: outer\n    title: T\n    criteria: [{id: c1, title: T, scale: met_not_met}]\n   "
        " sections:\n      - id: inner\n        title: T\n        weight: 3\n        criteria:"
        " [{id: c2, title: T, scale: met_not_met}]\n"
    )
    f = read_form(f"form: test\nversion: 1\nlanguages: [en]\ntitle: T\nsections:\n{inner}")
    assert score(f, {"c1": "met", "c2": "not_met"}).score == 25


def test_figures_are_rounded_half_up_only_when_shown():
    assert round_half_up(Fraction(66665, 1000)) == 66.67
    assert round_half_up(Fraction(1, 3)) == 0.33
    assert round_half_up(None) is None


weights = st.lists(st.integers(1, 100), min_size=1, max_size=6)
choices = st.sampled_from(["met", "not_met", "na"])


@given(weights, st.data())
def test_scores_stay_within_0_and_100_and_shares_sum_to_one(given_weights, data):
    f = form(
        *(
            section(f"s{i}", criterion(f"c{i}a"), criterion(f"c{i}b"), weight=w)
            for i, w in enumerate(given_weights)
        )
    )
    answers = {c.id: data.draw(choices) for c in f.criteria()}
    result = score(f, answers)
    if result.score is None:
        assert set(answers.values()) == {"na"}
    else:
        assert 0 <= result.score <= 100
        assert sum(c.share for c in result.criteria if c.counted) == 1
        assert result.score == sum(
            c.share * 100 * c.points / c.max for c in result.criteria if c.counted
        )


@given(weights, st.data())
def test_a_better_answer_never_lowers_the_score(given_weights, data):
    f = form(
        *(
            section(f"s{i}", criterion(f"c{i}a"), criterion(f"c{i}b"), weight=w)
            for i, w in enumerate(given_weights)
        )
    )
    answers = {c.id: data.draw(st.sampled_from(["met", "not_met"])) for c in f.criteria()}
    lost = [c for c, a in answers.items() if a == "not_met"]
    for c in lost:
        assert score(f, answers | {c: "met"}).score > score(f, answers).score


@given(st.data())
def test_the_running_score_of_a_full_card_is_its_score(data):
    f = form(section("s", *(criterion(f"c{i}", TEN, i + 1) for i in range(5))))
    answers = {
        c.id: data.draw(st.sampled_from(["ten", "five", "zero", "na"])) for c in f.criteria()
    }
    assert partial_score(f, answers) == score(f, answers)


def test_a_form_of_100_sections_and_200_questions_is_read_and_scored():
    f = form(*(section(f"s{i}", criterion(f"c{i}a"), criterion(f"c{i}b")) for i in range(100)))
    assert score(f, {c.id: "met" for c in f.criteria()}).score == 100
