"""A real browser on a real server, with the sample calls really imported (the words come from their
truth files, so it is quick).
"""

import contextlib
import shutil
import socket
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from qa.settings import PROJECT_ROOT, Settings
from tests.conftest import made_once
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


SETTLED = """async () => {
    const waits = document.querySelector("[data-player], [data-editor], [data-save]");
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const begun = performance.now();
    while (waits && !document.body.dataset.ready) {
        if (performance.now() - begun > 20000) throw new Error("the page's scripts did not end");
        await frame();
    }
    await document.fonts.ready;
    await frame();
    await frame();
}"""
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE_RUN = """async (options) => {
    const { violations } = await axe.run(options);
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)}`));
}"""


class Site:
    """A centre on a free port; `cookies` are those of who has signed in by the button once."""

    def __init__(self, url, wiring):
        self.url = url
        self.wiring = wiring
        self.cookies = {}


@contextlib.contextmanager
def served(wiring):
    from waitress import create_server

    from qa.app import create_app

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    app = create_app(wiring.settings, wiring=wiring)
    server = create_server(app, host="127.0.0.1", port=port, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield Site(f"http://127.0.0.1:{port}", wiring)
    server.close()


def settings_in(folder):
    return Settings(
        data_dir=folder, transcriber="scripted", demo=True, double_share=0.0, blind_share=0.0
    )


def make_demo_centre(folder):
    from qa import setup
    from qa.jobs import store
    from qa.jobs.service import import_recordings, work_once
    from qa.pipeline import draw
    from qa.wiring import Wiring

    wiring = Wiring.build(settings_in(folder))
    setup.initialise(wiring)
    setup.demo_plan(wiring)
    import_recordings(
        wiring,
        PROJECT_ROOT / "audio_samples" / "manifest.csv",
        manifest=None,
        progress=lambda items, what: iter(items),
    )
    setup.add_demo_people(wiring)
    for n in range(5):
        with wiring.database.write() as session:
            made = draw(wiring, session, date(2026, 11, 3) + timedelta(days=n))
            store.request(
                session, [("queue", c.call_id) for d in made for c in d.calls], at=wiring.clock()
            )
    while work_once(wiring):
        pass
    fill(wiring)
    wiring.database.engine.dispose()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The demo centre, all calls drawn and queued, served by waitress: each file has a copy."""
    from qa.wiring import Wiring

    made = made_once(tmp_path_factory, "demo-centre", make_demo_centre)
    folder = tmp_path_factory.mktemp("var")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with served(Wiring.build(settings_in(folder))) as site:
        yield site


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
    """Sign in, the first time by the demo's button; the page fails the test on any script error or
    violation of the content policy.
    """
    contexts = []

    def as_role(role, *, width=1440, height=900, language="en", dark=False):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        watch(page)
        if role in site.cookies:
            context.add_cookies(site.cookies[role])
            page.goto(f"{site.url}/")
        else:
            page.goto(f"{site.url}/sign-in")
            page.locator(".roles button", has_text=ROLES[role]).first.click()
            site.cookies[role] = context.cookies()
        for choice in (
            f'button[name=language][value="{language}"]:not([aria-pressed=true])',
            f'button[name=theme][value="{"dark" if dark else "light"}"]',
        ):
            button = page.locator(choice)
            if button.count():
                button.click()
        return page

    yield as_role
    problems = [p for c in contexts for page in c.pages for p in page.problems]
    for c in contexts:
        c.close()
    assert not problems


def watch(page) -> None:
    """Keep what goes wrong in a page, and what it is fetching."""
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
    page.fetching = set()
    page.on("request", lambda r: page.fetching.add(r))
    page.on("requestfinished", lambda r: page.fetching.discard(r))
    page.on("requestfailed", lambda r: page.fetching.discard(r))


def show(page, url: str) -> None:
    """Load a page that there is, and wait until its scripts have done what they do at the start."""
    answer = page.goto(url)
    assert answer.ok, f"{url}: {answer.status}"
    page.evaluate(SETTLED)
    while page.fetching:
        page.wait_for_timeout(20)
        page.evaluate(SETTLED)


def picture(page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(Path(ARTEFACTS) / f"{name}.png"))


def violations(page, only: list[str] | None = None) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, or against some of its rules."""
    before = list(getattr(page, "problems", []))
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    chosen = {"type": "rule", "values": only} if only else AXE_TAGS
    # of what passes, and of the way to an element, nothing is read: they are most of the work
    options = {"runOnly": chosen, "resultTypes": ["violations"], "selectors": False}
    found = page.evaluate(AXE_RUN, options)
    if hasattr(page, "problems"):
        # axe itself tries inline styles; the policy stops it and the console says so
        page.problems[:] = before
    return found
