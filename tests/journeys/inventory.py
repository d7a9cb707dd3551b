"""Every page of every role: without a violation, readable, no wider than the window, with a
picture; in three languages, two themes and two widths.
"""

import itertools
import re

import pytest

from tests.journeys.conftest import picture, show, violations

LANGUAGES, WIDTHS = ("en", "it", "zh"), (1440, 390)
dresses = pytest.mark.parametrize(("language", "width"), list(itertools.product(LANGUAGES, WIDTHS)))

PAGES = {
    "evaluator": [
        "/queue",
        "/calls",
        "/calls?said=thank+you",
        "/calls/1",
        "/cards",
        "/forms",
        "/forms/1",
        "/disputes",
        "/calibration",
        "/calibration/2",
        "/notices",
        "/cases/new/complaint?call=1",
    ],
    "manager": [
        "/reports/2026-11",
        "/team",
        "/sampling",
        "/sampling/draws/1",
        "/sampling/plans/demo/preview?day=2026-11-05",
        "/import",
        "/jobs",
        "/access-log",
        "/access-log?what=submitted",
        "/forms/2/try?call=1",
        "/queue/overview",
        "/cards/1",
        "/cards/1/re-evaluate",
        "/disputes",
        "/disputes/1",
        "/disputes/2",
        "/calibration",
        "/calibration/1",
        "/calibration/new",
        "/second-reading",
        "/cases",
        "/cases/3",
        "/forms",
        "/forms/5/edit",
        "/forms/5/differences",
        "/forms/bring",
        "/fairness/2026-11",
        "/targets",
        "/reports/scheduled",
        "/reports/scheduled/1",
        "/reports/2026-11?audience=board",
    ],
    "leader": [
        "/team",
        "/reports/2026-11",
        "/training/2026-11",
        "/calls",
        "/cards",
        "/cards/1",
        "/calibration/1",
        "/notices",
        "/cases/1",
    ],
    "trainer": [
        "/training/2026-11",
        "/training/plans",
        "/training/plans/1",
        "/training/plans/new?month=2026-11",
        "/reports/2026-11",
        "/targets",
    ],
    "agent": ["/my/scorecards", "/my-training"],
    "tom": [
        "/my/scorecards",
        "/my-training",
        "/training/plans/1",
        "/cards/1",
        "/notices",
        "/cases",
        "/cases/new/difficult",
    ],
    "admin": [
        "/people",
        "/people/agents/1",
        "/jobs",
        "/installation",
        "/installation?examine=1",
        "/password",
    ],
    "director": ["/reports/2026-11", "/fairness/2026-11", "/team", "/disputes", "/cards/1"],
}


def look_at_every_page(enter, site, role, language, width):
    page = enter(role, width=width, height=900 if width > 500 else 844, language=language)
    page.emulate_media(reduced_motion="reduce")  # or colours would be looked at on their way
    for path in PAGES[role]:
        show(page, site.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{path} is wider than the window"
        )
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        name = re.sub(r"\W+", "-", f"{role}-{path}").strip("-")
        picture(page, f"{name}-{language}-light-{width}")
        # what the button does, without loading the page again
        page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        assert violations(page, only=["color-contrast", "link-in-text-block"]) == [], (
            f"{path} in the dark"
        )
        picture(page, f"{name}-{language}-dark-{width}")
