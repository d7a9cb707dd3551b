"""A centre with months behind it, in a real browser: full reports, charts, needs, plans, fairness,
in every language.
"""

from datetime import UTC, datetime

import pytest

from qa.settings import Settings
from tests.journeys.conftest import picture, served, show, violations

PAGES = {
    "manager": [
        "/reports/2026-10",
        "/fairness/2026-10",
        "/targets",
        "/sampling?month=2026-10",
        "/training/2026-10",
        "/training/plans",
        "/training/plans/1",
        "/training/plans/new?month=2026-10",
    ],
    "director": ["/reports/2026-10"],
    "leader": ["/team?month=2026-10", "/training/2026-10"],
    "agent": ["/my-training"],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """24 agents, four simulated months that end with October 2026, and one person of each role."""
    from qa import setup
    from qa.people import service as people
    from qa.people import store
    from qa.simulation import simulate_centre
    from qa.states import Indicator, Role, ScopeKind
    from qa.targets import service as targets
    from qa.targets.types import TargetDraft
    from qa.wiring import Wiring

    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), demo=True)
    made = Wiring.build(settings)
    wiring = Wiring(
        settings,
        made.database,
        made.storage,
        made.audio,
        lambda: datetime(2026, 11, 10, 9, tzinfo=UTC),
    )
    setup.initialise(wiring)
    simulate_centre(wiring, agents=24, calls=80, months=4, seed=1, tick=lambda step, left: None)
    with wiring.database.write() as session:
        team = next(t.id for t in store.teams(session) if t.name == "Simulated team 1")
        agent = store.agent_by_code(session, "sim1-0003")[0]
        for name, role, fields in (
            ("manager", Role.QA_MANAGER, {}),
            ("director", Role.DIRECTOR, {}),
            ("leader", Role.TEAM_LEADER, {"team_id": team}),
            ("agent", Role.AGENT, {"agent_id": agent}),
        ):
            by = people.add_user(
                session,
                username=name,
                display_name=name.title(),
                role=role,
                password=None,
                at=wiring.clock(),
                is_demo=True,
                **fields,
            ).id
        targets.set_target(
            session,
            TargetDraft(Indicator.QUALITY, ScopeKind.WHOLE, None, 88.0, "2026-09"),
            by=by,
            at=wiring.clock(),
        )
    with served(wiring) as site:
        yield site


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "dark", "width"), [("en", False, 1440), ("it", True, 390), ("zh", False, 390)]
)
@pytest.mark.parametrize("role", PAGES)
def test_full_pages_are_clean_readable_and_within_their_width(
    enter, site, role, language, dark, width
):
    page = enter(
        role, width=width, height=900 if width > 500 else 844, language=language, dark=dark
    )
    for path in PAGES[role]:
        show(page, site.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{path} is wider than the window"
        )
        name = path.strip("/").replace("/", "-").split("?")[0]
        theme = "dark" if dark else "light"
        picture(page, f"months-{role}-{name}-{language}-{theme}-{width}")


def test_from_a_need_to_a_plan_by_lot_and_back_to_the_agent(enter, site):
    manager = enter("manager")
    manager.goto(f"{site.url}/training/plans/new?month=2026-10")
    for box in manager.locator("input[name=agent]").all():
        box.check()
    waiting = manager.locator("input[name=agent]").count() - 1
    manager.fill("#title", "Seen in the browser")
    manager.fill("#seats", "1")
    manager.locator("main").get_by_role("button", name="Plan it").click()
    assert "Seen in the browser" in manager.inner_text("h1")
    assert manager.locator("main table").inner_text().count("waits") == waiting
    assert "too early to tell" in manager.inner_text("main")


def test_a_plan_tells_what_it_would_give_without_being_kept(enter, site):
    manager = enter("manager")
    manager.goto(f"{site.url}/sampling")
    manager.fill("#code", "trial")
    manager.get_by_role("button", name="What would this give?").click()
    assert "Over four weeks like the last" in manager.inner_text(".promise")
    assert manager.input_value("#code") == "trial"


def test_in_a_long_list_a_name_is_found_while_the_bar_stays_in_sight(enter, site):
    manager = enter("manager")
    faults: list[str] = []
    manager.on("pageerror", lambda e: faults.append(str(e)))
    manager.goto(f"{site.url}/sampling?month=2026-10")
    rows, box = manager.locator("#coverage tbody tr"), manager.get_by_label("Find in this list")
    everybody = rows.count()
    name = rows.nth(3).locator("td").first.inner_text()
    box.fill(name)
    assert (
        rows.locator("visible=true").all_inner_texts()[0].startswith(name)
        and rows.locator("visible=true").count() < everybody
    )
    assert (
        manager.locator(".find-in output").inner_text()
        == f"{rows.locator('visible=true').count()} / {everybody}"
    )
    box.fill(r"nobody.*[(")
    assert (
        rows.locator("visible=true").count() == 0
        and manager.locator(".find-in output").inner_text() == f"0 / {everybody}"
    )
    box.fill("")
    assert (
        rows.locator("visible=true").count() == everybody
        and manager.locator(".find-in output").inner_text() == ""
    )
    assert not faults
    manager.goto(f"{site.url}/reports/2026-10")
    manager.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert manager.locator(".top").bounding_box()["y"] == 0, (
        "the bar stays at the top of a long page"
    )
