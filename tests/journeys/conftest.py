"""A real browser on a real server, with the sample calls really imported (the words come from their
truth files, so it is quick).
"""

import shutil
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from qa.settings import PROJECT_ROOT, Settings
from tests.journeys.content import fill

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARTEFACTS = PROJECT_ROOT / "artefacts"


def pytest_collection_modifyitems(items):
    for item in items:
        if "journeys" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="NO CHROMIUM ON PATH: the browser journeys did not run")
                )


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        made = p.chromium.launch(
            executable_path=CHROMIUM, args=[*flags, "--autoplay-policy=no-user-gesture-required"]
        )
        yield made
        made.close()


class Site:
    def __init__(self, url, wiring):
        self.url = url
        self.wiring = wiring


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The demo centre, all calls drawn and queued, served by waitress on a free port."""
    from waitress import create_server

    from qa import setup
    from qa.app import create_app
    from qa.jobs import store
    from qa.jobs.service import import_recordings, work_once
    from qa.pipeline import draw
    from qa.wiring import Wiring

    settings = Settings(
        data_dir=tmp_path_factory.mktemp("var"),
        transcriber="scripted",
        demo=True,
        double_share=0.0,
        blind_share=0.0,
    )
    wiring = Wiring.build(settings)
    setup.initialise(wiring)
    setup.demo_plan(wiring)
    import_recordings(
        wiring,
        PROJECT_ROOT / "audio_samples" / "manifest.csv",
        manifest=None,
        progress=lambda items, what: iter(items),
    )
    setup.add_demo_people(wiring)
    from datetime import date

    for n in range(5):
        with wiring.database.write() as session:
            made = draw(wiring, session, date(2026, 11, 3) + timedelta(days=n))
            store.request(
                session, [("queue", c.call_id) for d in made for c in d.calls], at=wiring.clock()
            )
    while work_once(wiring):
        pass
    fill(wiring)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = create_server(
        create_app(settings, wiring=wiring), host="127.0.0.1", port=port, threads=8
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{port}", wiring)
    server.close()


ROLES = {
    "evaluator": "Evaluator",
    "manager": "QA manager",
    "leader": "Team leader",
    "trainer": "Trainer",
    "agent": "Agent",
    "admin": "Administrator",
    "director": "Director",
    "tom": "Tom Baker",
}


@pytest.fixture
def enter(browser, site):
    """Sign in by the demo's button; the page fails the test on any script error or violation of the
    content policy.
    """
    contexts = []

    def as_role(role, *, width=1440, height=900, language="en", dark=False):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on(
            "console",
            lambda m: (
                page.problems.append(m.text)
                if m.type == "error" and "status of 4" not in m.text
                else None
            ),
        )
        page.goto(f"{site.url}/sign-in")
        page.locator(".roles button", has_text=ROLES[role]).first.click()
        page.locator(f'button[name=language][value="{language}"]').click()
        theme = page.locator(f'button[name=theme][value="{"dark" if dark else "light"}"]')
        if theme.count():
            theme.click()
        return page

    yield as_role
    problems = [p for c in contexts for page in c.pages for p in page.problems]
    for c in contexts:
        c.close()
    assert not problems


def picture(page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(Path(ARTEFACTS) / f"{name}.png"))


def violations(page, only: list[str] | None = None) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, or against some of its rules."""
    from axe_playwright_python.sync_playwright import Axe

    before = list(getattr(page, "problems", []))
    chosen = (
        {"type": "rule", "values": only}
        if only
        else ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    )
    found = Axe().run(page, options={"runOnly": chosen}).response["violations"]
    if hasattr(page, "problems"):
        # axe itself tries inline styles; the policy stops it and the console says so
        page.problems[:] = before
    return [f"{v['id']}: {n['html'][:160]}" for v in found for n in v["nodes"]]
