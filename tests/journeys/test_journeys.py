"""People at work in a real browser: scoring by keyboard, reading, two windows, no connection."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import picture, violations
from tests.journeys.inventory import LANGUAGES, WIDTHS


def take_call(page):
    page.get_by_role("button", name=re.compile("Next call|Go on with my call")).click()
    page.wait_for_selector("body[data-ready]")


def answer_all(page):
    """Every open criterion by keyboard: accept what is proposed, else answer 1, with a comment
    where one is needed.
    """
    page.keyboard.press("Escape")
    for _ in range(60):
        current = page.locator(".criterion.is-current")
        if not current.locator("input[type=radio]:checked").count():
            page.keyboard.press("a" if current.get_attribute("data-suggestion") else "1")
        else:
            page.keyboard.press("j")
        if (
            not page.locator(".criterion:not([hidden])")
            .filter(has_not=page.locator("input:checked"))
            .count()
        ):
            break
    for box in page.locator(".criterion:not([hidden]) textarea").all():
        box.evaluate(
            "el => { el.closest('details').open = true; el.value = 'heard in the call';"
            " el.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
    page.wait_for_selector("[data-saved][data-state=saved]")


def test_an_evaluator_scores_a_call_by_keyboard_and_the_agent_reads_it(enter, site):
    page = enter("evaluator")
    take_call(page)
    assert page.locator(".said").count() > 5
    page.wait_for_selector(".wave canvas, .wave div >> nth=0")
    page.keyboard.press(" ")
    expect(page.locator("[data-now]")).not_to_have_text("0:00", timeout=15000)
    page.wait_for_selector(".w.is-now", timeout=15000)
    page.keyboard.press(" ")
    late = page.locator(".criterion:not([hidden])").evaluate_all(
        "all => all.findIndex(c => Number(c.querySelector('[data-play-from]')?.dataset.playFrom)"
        " >= 11)"
    )
    page.locator(".criterion:not([hidden]) legend").nth(late).click()
    page.keyboard.press("e")
    expect(page.locator("[data-now]")).to_have_text(re.compile(r"0:[1-9]\d"), timeout=15000)
    page.locator(".criterion legend").first.click()
    page.keyboard.press("m")
    page.keyboard.type("a warm opening")
    page.keyboard.press("Enter")
    assert page.locator("[data-notes] li").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.fill("[data-find]", page.locator(".w").nth(1).inner_text().strip(",. "))
    assert int(page.inner_text("[data-found]")) >= 1
    answer_all(page)
    picture(page, "workbench")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert page.url.endswith("/queue"), page.locator(".has-fault").all_inner_texts()
    assert "Submitted" in page.inner_text("main")
    agent = enter("agent")
    agent.locator("main a").first.click()
    assert "a warm opening" in agent.inner_text("main")
    agent.wait_for_selector("body[data-ready]")
    assert violations(agent) == []
    picture(agent, "agent-card")
    agent.locator(".evidence").last.click()
    expect(agent.locator("[data-now]")).not_to_have_text("0:00", timeout=15000)
    agent.fill("#comment", "Thank you")
    agent.get_by_role("button", name="I have read it").click()
    assert "Thank you" in agent.inner_text("main")
    manager = enter("manager")
    assert "Quality report" in manager.inner_text("h1")
    assert "Too little data for a figure" in manager.inner_text(".headline")
    trainer = enter("trainer")
    assert "Training needs" in trainer.inner_text("h1")


def test_what_is_typed_survives_a_reload_and_a_changed_answer_asks_why(enter):
    page = enter("evaluator")
    take_call(page)
    with_suggestion = page.locator(".criterion[data-suggestion=met]").first
    with_suggestion.click()
    page.keyboard.press("2")
    assert page.evaluate("document.activeElement.name").startswith("reason.")
    page.keyboard.type("heard it differently")
    page.wait_for_selector("[data-saved][data-state=saved]")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert (
        page.locator("input[name^='reason.']")
        .evaluate_all("els => els.map(e => e.value)")
        .count("heard it differently")
        == 1
    )


def test_a_wrong_word_is_corrected_from_the_keyboard_and_the_recognised_one_kept(enter):
    page = enter("evaluator")
    take_call(page)
    word = page.locator(".w").nth(4)
    recognised = word.inner_text()
    word.click()
    page.keyboard.press(" ")
    word = page.locator(".w.is-now").first
    recognised = word.inner_text()
    page.keyboard.press("w")
    page.fill("[data-correction]", "Harper")
    page.keyboard.press("Enter")
    page.wait_for_selector(".w.corrected")
    page.reload()
    assert page.locator(".w.corrected").first.inner_text() == "Harper"
    assert recognised in page.locator(".w.corrected").first.get_attribute("title")


def test_what_was_typed_without_a_connection_survives_the_end_of_the_browser(enter):
    page = enter("evaluator")
    take_call(page)
    page.context.set_offline(True)
    page.fill("#summary", "before the crash")
    page.wait_for_selector("[data-saved][data-state=offline]")
    page.problems.clear()  # the browser logs the failed request; that is the point
    again = page.context.new_page()
    again.problems = []
    url = page.url
    page.close(run_before_unload=False)
    again.context.set_offline(False)
    again.goto(url)
    again.locator("[data-restore]").click()
    again.wait_for_selector("[data-saved][data-state=saved]")
    again.wait_for_timeout(1500)
    again.reload()
    assert again.input_value("#summary") == "before the crash"
    assert again.locator("[data-recovered]").is_hidden(), "it is offered once"


def test_an_agent_disputes_an_answer_up_to_the_director(enter):
    agent = enter("tom")
    agent.goto(agent.url.split("/my")[0] + "/cards/1")
    assert "Round 2" in agent.inner_text("main")
    manager = enter("manager")
    manager.goto(manager.url.split("/reports")[0] + "/disputes")
    manager.locator("main table").first.locator("a").first.click()
    manager.check("input[value=stays]")
    manager.fill("#reason", "The guidance says so since May.")
    manager.get_by_role("button", name="Decide").click()
    agent.reload()
    assert "The guidance says so since May." in agent.inner_text("main")
    agent.locator("details", has_text="Dispute this answer").locator("summary").first.click()
    agent.locator("details[open] textarea").first.fill("I ask for one more opinion.")
    agent.locator("details[open] button", has_text="Dispute").first.click()
    director = enter("director")
    director.goto(director.url.split("/reports")[0] + "/disputes")
    director.locator("main table").first.locator("a").first.click()
    director.check("input[name=option][value=met]")
    director.fill("#reason", "Said at 0:13.")
    director.get_by_role("button", name="Decide").click()
    agent.reload()
    said = agent.inner_text("main")
    assert "after a dispute" in said and violations(agent) == []
    picture(agent, "agent-card-revised")


def test_an_incomplete_card_is_not_submitted_and_shows_where(enter):
    page = enter("evaluator")
    take_call(page)
    page.fill("#summary", "kept words")
    page.locator("[data-submit]").click()
    page.wait_for_selector("[data-faults]")
    assert page.input_value("#summary") == "kept words"
    assert page.locator(".has-fault").count() > 3


def test_two_windows_on_one_card_lose_nothing(enter):
    one = enter("evaluator")
    take_call(one)
    two = one.context.new_page()
    two.problems = []
    two.goto(one.url)
    two.wait_for_selector("body[data-ready]")
    one.fill("#summary", "from the first window")
    one.wait_for_selector("[data-saved][data-state=saved]")
    one.wait_for_timeout(1500)
    two.fill("#summary", "from the second window")
    two.wait_for_selector("[data-conflict]:not([hidden])")
    assert two.input_value("#summary") == "from the second window"
    two.locator("[data-keep-mine]").click()
    two.wait_for_selector("[data-saved][data-state=saved]")
    one.reload()
    assert one.input_value("#summary") == "from the second window"


def test_a_lost_connection_is_said_and_made_good(enter):
    page = enter("evaluator")
    take_call(page)
    page.context.set_offline(True)
    page.fill("#summary", "typed in the tunnel")
    page.wait_for_selector("[data-saved][data-state=offline]")
    page.context.set_offline(False)
    page.wait_for_selector("[data-saved][data-state=saved]", timeout=20000)
    page.problems.clear()  # the browser logs the failed request; that is the point
    page.reload()
    assert page.input_value("#summary") == "typed in the tunnel"


def test_a_form_is_changed_by_fields_and_by_yaml_and_published(enter):
    page = enter("manager")
    page.goto(page.url.split("/reports")[0] + "/forms/5/edit")
    page.wait_for_selector("body[data-ready]")
    page.fill("#t-opening\\.greeting", "Says good day and the name")
    page.keyboard.press("Tab")
    expect(page.locator("#source")).to_have_value(re.compile("Says good day and the name"))
    first = page.locator("li[data-id]").first.get_attribute("data-id")
    page.locator("li[data-id]").first.get_by_role("button", name=re.compile("^Down")).click()
    expect(page.locator("li[data-id]").first).not_to_have_attribute("data-id", first)
    page.fill("#source", page.input_value("#source") + "\nnonsense: 1\n")
    page.wait_for_selector("[data-fields] [data-line]")
    page.locator("[data-fields] [data-line]").first.click()
    assert "nonsense" in page.evaluate(
        "window.getSelection().toString() ||"
        " document.activeElement.value.substring(document.activeElement.selectionStart,"
        " document.activeElement.selectionEnd)"
    )
    page.fill("#source", page.input_value("#source").replace("\nnonsense: 1\n", ""))
    page.wait_for_selector("[data-fields] li[data-id]")
    page.get_by_role("button", name="Publish").click()
    assert "Published" in page.inner_text("main")
    page.get_by_role("link", name="What is different").click()
    assert "Says good day and the name" in page.inner_text("main")


def test_options_and_checks_are_set_without_writing_yaml(enter, site):
    page = enter("manager")
    page.goto(f"{site.url}/forms/3")  # not the form whose draft other journeys use
    page.locator('form[action$="/draft"] button').first.click()
    page.wait_for_selector("body[data-ready]")
    more = page.locator("details.edit-more").first
    more.locator("summary").click()
    more.locator("[data-act=option_add]").locator("xpath=..").locator("[data-new]").fill(
        "Half of it"
    )
    more.locator("button[data-act=option_add]").click()
    expect(page.locator("#source")).to_have_value(re.compile("half_of_it"))
    more = page.locator("details.edit-more").first
    assert more.get_attribute("open") is not None, "what was open stays open"
    more.locator("select[data-act=check_kind]").first.select_option("any")
    expect(
        page.locator("details.edit-more").first.locator("textarea[data-part$='says.any']")
    ).to_have_count(1)
    page.locator("details.edit-more").first.get_by_role(
        "button", name=re.compile("^Add a check")
    ).click()
    words = page.locator("details.edit-more").first.locator(
        "textarea[data-part='check.any.1.says.any']"
    )
    words.fill("good day to you\nwelcome")
    words.blur()
    expect(page.locator("#source")).to_have_value(re.compile("good day to you"))
    page.locator("details.edit-more").first.locator(
        "input[data-part='check.any.0.says.similarity']"
    ).fill("9")
    page.keyboard.press("Tab")
    expect(page.locator("[data-said]")).not_to_have_text("")
    assert "similarity: 9" not in page.input_value("#source"), (
        "what would break the form is refused"
    )
    assert violations(page) == []
    picture(page, "form-editor-fields")
    page.get_by_role("button", name="Keep the draft").click()
    assert "good day to you" in page.input_value("#source")
    page.get_by_role("button", name="Throw the draft away").click()


def test_a_list_is_put_in_another_order_by_mouse_and_keyboard(enter, site):
    page = enter("manager")
    page.goto(f"{site.url}/queue/overview")

    def names():
        cells = page.locator("table[data-sortable] tbody tr td:first-child")
        return [text.strip() for text in cells.all_inner_texts()]

    before = names()
    head = page.locator("table[data-sortable] thead th").first
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending" and names() == sorted(before)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending" and names() == sorted(
        before, reverse=True
    )
    page.goto(f"{site.url}/calls")
    page.locator("th a.sort", has_text="Length").click()
    assert (
        page.locator("th[aria-sort=descending]").inner_text().startswith("LENGTH")
        or "ength" in page.locator("th[aria-sort=descending]").inner_text()
    )


@pytest.mark.parametrize(
    ("language", "dark", "width"), list(itertools.product(LANGUAGES, (False, True), WIDTHS))
)
def test_the_workbench_is_clean_in_every_dress(enter, language, dark, width):
    # one evaluator, so one call, in any order of tests
    page = enter(
        "evaluator", width=width, height=900 if width > 500 else 844, language=language, dark=dark
    )
    page.locator("main .btn-primary").first.click()
    page.wait_for_selector("body[data-ready]")
    page.wait_for_timeout(500)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"workbench-{language}-{'dark' if dark else 'light'}-{width}")


def test_the_door_is_clean_and_a_stranger_stays_outside(browser, site):
    page = browser.new_page()
    page.goto(f"{site.url}/reports/2026-11")
    assert "/sign-in" in page.url
    assert violations(page) == []
    picture(page, "sign-in")
    page.close()
