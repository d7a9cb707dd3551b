"""The month: the same figures everywhere, frozen when closed, fast whatever the size; and sampling
pages.
"""

import io
import json
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import event

from qa.app import create_app
from qa.localization import localizer_for
from qa.months import Month
from qa.publishing.files import render_files, report_files
from qa.publishing.workbook import workbook
from qa.reporting.types.scope import About
from qa.result_cache import store as kept
from qa.simulation import simulate_centre
from qa.states import Audience
from tests.conftest import build, people_of, visits


def quiet(step, left):
    return None


@pytest.fixture(scope="module")
def centre(simulate):
    """A simulated centre of 12 agents, two months; nothing here changes it but closing a month."""
    return simulate(agents=12, calls=80, months=2, seed=4)


def exported(centre, month=Month("2026-10"), kinds=("json", "xlsx", "html"), language="en"):
    wiring, _, _ = centre
    return {
        n.rsplit(".", 1)[1]: c
        for n, c in report_files(
            wiring, month=month, about=About(), language=language, formats=list(kinds)
        ).items()
    }


def test_page_json_xlsx_and_html_show_the_same_figures(centre):
    wiring, cast, app = centre
    files = exported(centre)
    document = json.loads(files["json"])
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"])).worksheets[0]
    rows = {r[1]: r for r in sheet.iter_rows(min_row=2, values_only=True)}
    page = visits(app, wiring)(cast.manager).get("/reports/2026-10").text
    assert len(document["agents"]) == 12
    for group in document["agents"]:
        e = group["estimate"]
        assert e["basis"] == "estimated" and e["low"] <= e["value"] <= e["high"]
        assert rows[group["name"]][6:9] == (e["value"], e["low"], e["high"])
        for figure in (e["value"], e["low"], e["high"]):
            for text in (page, files["html"].decode()):
                assert f"{round(figure, 1):.1f}" in text
    assert [p["name"] for p in document["projects"]] == [
        "Simulated Telecom",
        "Telecom simulata",
        "模拟电信",
    ]
    assert (
        sum(p["estimate"]["cards"] for p in document["projects"])
        == document["whole"]["estimate"]["cards"]
    )
    assert (
        document["simulated"]
        and "simulated data" in page
        and "simulated data" in files["html"].decode()
    )


def test_the_month_page_takes_the_same_number_of_queries_for_any_number_of_agents(centre, tmp_path):
    from qa.settings import Settings
    from tests.conftest import Clock

    def queries(wiring, user, app, path):
        count = 0

        def counter(*_):
            nonlocal count
            count += 1

        browser = visits(app, wiring)(user)
        with wiring.database.write() as session:  # what a slow machine would show once more
            kept.delete_before(session, before=wiring.clock() + timedelta(days=1))
        event.listen(wiring.database.engine, "before_cursor_execute", counter)
        try:
            assert browser.get(path).status_code == 200
        finally:
            event.remove(wiring.database.engine, "before_cursor_execute", counter)
        return count

    wiring, cast, app = centre
    small = build(Settings(data_dir=tmp_path), Clock())
    small_cast = people_of(small)
    simulate_centre(small, agents=3, calls=60, months=2, seed=1, tick=quiet)
    small_app = create_app(small.settings, wiring=small)
    for path, user, other in (
        ("/reports/2026-10?live=1", cast.manager, small_cast.manager),
        ("/training/2026-10", cast.trainer, small_cast.trainer),
        ("/sampling?month=2026-10", cast.manager, small_cast.manager),
        ("/calls", cast.manager, small_cast.manager),
        ("/cards", cast.manager, small_cast.manager),
        ("/queue", cast.evaluator, small_cast.evaluator),
    ):
        assert queries(wiring, user, app, path) == queries(small, other, small_app, path) <= 48, (
            path
        )


def test_a_closed_month_is_frozen_and_a_later_change_is_a_new_revision(centre):
    wiring, cast, app = centre
    browser = visits(app, wiring)(cast.manager)
    before = exported(centre, Month("2026-09"), ("json",))["json"]
    assert browser.post("/reports/2026-09/close").status_code == 302
    frozen = exported(centre, Month("2026-09"), ("json",))["json"]
    assert json.loads(frozen)["agents"] == json.loads(before)["agents"]
    from sqlalchemy import update

    from qa.tables.scoring import ScorecardRow

    with wiring.database.write() as session:
        session.execute(update(ScorecardRow).values(score=0.0))
    assert exported(centre, Month("2026-09"), ("json",))["json"] == frozen
    assert "revision 1" in browser.get("/reports/2026-09").text
    browser.post("/reports/2026-09/close")
    assert (
        json.loads(exported(centre, Month("2026-09"), ("json",))["json"])["whole"]["estimate"][
            "value"
        ]
        != json.loads(frozen)["whole"]["estimate"]["value"]
    )


def test_the_report_is_in_the_readers_language(centre):
    assert (
        "Rapporto di qualità" in exported(centre, kinds=("html",), language="it")["html"].decode()
    )
    assert "质量报告" in exported(centre, kinds=("html",), language="zh")["html"].decode()


def test_hostile_names_reach_the_workbook_as_text(centre):
    wiring, _, _ = centre
    document = json.loads(exported(centre, kinds=("json",))["json"])
    names = ["=1+1", "@SUM(A1)", "+1", "-1", "\x00\x1f\ud7ff", "http://x", "x" * 40_000, "<script>"]
    document["agents"] = [{**document["agents"][0], "name": n} for n in names]
    localizer = localizer_for("en", wiring.settings.zone)
    paper = render_files(document, formats=["pdf"], audience=Audience.MANAGER, localizer=localizer)
    assert next(iter(paper.values())).startswith(b"%PDF")
    book = openpyxl.load_workbook(io.BytesIO(workbook(document, localizer)))
    cells = [c for row in book.worksheets[0].iter_rows() for c in row]
    assert all(c.data_type != "f" and c.hyperlink is None for c in cells)
    assert "=1+1" in [c.value for c in cells]


def test_a_leader_sees_their_team_alone(centre):
    wiring, cast, app = centre
    page = visits(app, wiring)(cast.leader).get("/reports/2026-10").text
    assert "Agent 001" not in page and "Simulated team 1" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/reports/2026-13",
        "/reports/soon",
        "/training/x",
        "/reports/2026-10/export.exe",
        "/reports/2026-10?project=none",
        "/sampling/draws/99999",
        "/sampling/plans/none/preview?day=2026-11-01",
        "/sampling/plans/monthly-quality/preview?day=x",
        "/forms/999",
        "/cards/9999",
        "/calls/99999999",
    ],
)
def test_what_does_not_exist_is_a_404_with_a_page(centre, path):
    wiring, cast, app = centre
    answer = visits(app, wiring)(cast.manager).get(path)
    assert answer.status_code == 404 and "To the start page" in answer.text


def test_an_empty_month_is_a_sentence_and_no_figure(centre):
    wiring, cast, app = centre
    page = visits(app, wiring)(cast.manager).get("/reports/2020-02").text
    assert "No scorecards in this month" in page


def test_a_draw_is_replayed_to_the_same_calls_and_a_changed_frame_is_noticed(centre):
    from datetime import date

    from qa.sampling import service, store
    from qa.tables.calls import CallRow

    wiring, cast, app = centre
    browser = visits(app, wiring)(cast.manager)
    with wiring.database.read() as session:
        plan = store.plan(session, "simulated-4-en")
        draw = store.draw(session, plan, date(2026, 10, 14))
    assert draw.calls
    assert (
        "the same calls with the same probabilities"
        in browser.get(f"/sampling/draws/{draw.id}").text
    )
    with wiring.database.write() as session:
        session.get(CallRow, draw.calls[0].call_id).duration_seconds = -1
    assert "the result differs" in browser.get(f"/sampling/draws/{draw.id}").text
    with wiring.database.read() as session, pytest.raises(service.PlanRefused):
        service.replay(session, draw_id=0, zone=wiring.settings.zone, new_hire_days=90)


def test_a_plan_is_added_previewed_paused_and_bad_ones_are_refused(wiring, cast, visit):
    manager = visit(cast.manager)
    good = {
        "code": "extra",
        "quota_per_agent": "4",
        "new_hire_factor": "2",
        "floor_probability": "0.01",
        "min_duration_seconds": "0",
        "risk_share": "0.5",
        "risk_has": "complaint",
        "project": "",
        "queue": "",
        "phase": "human",
        "allocation": "equal",
    }
    assert manager.post("/sampling/plans", good).status_code == 302
    assert manager.post("/sampling/plans", good).status_code == 422, "the name is taken"
    for change in (
        {"code": "A B"},
        {"quota_per_agent": "-1"},
        {"quota_per_agent": "many"},
        {"floor_probability": "2"},
        {"risk_share": "1"},
    ):
        assert (
            manager.post("/sampling/plans", good | {"code": "other"} | change).status_code == 422
        ), change
    assert manager.get("/sampling/plans/extra/preview?day=2026-11-09").status_code == 200
    manager.post("/sampling/plans/extra/toggle")
    assert "paused" in manager.get("/sampling").text
    assert manager.post("/sampling/draw", {"day": "2026-11-09"}).status_code == 302


def test_with_an_automatic_plan_only_drawn_calls_are_transcribed_and_without_one_all_are(
    wiring, cast, clock
):
    from qa.intake.types import FileOutcome
    from qa.pipeline import draw, steps_after_draw, steps_after_intake
    from qa.sampling import service
    from qa.sampling.types import PlanRule
    from qa.states import ImportOutcome, Phase
    from tests.conftest import add_call

    calls = [add_call(wiring, cast, agent=cast.agent) for _ in range(10)]
    new = FileOutcome("a.wav", ImportOutcome.IMPORTED, call_id=calls[0])
    with wiring.database.write() as session:
        assert steps_after_intake(session, new) == [("transcribe", calls[0])]
        service.add_plan(
            session,
            code="half",
            phase=Phase.AUTOMATIC,
            rule=PlanRule(floor_probability=0.5),
            at=clock(),
            seed="s",
        )
        assert steps_after_intake(session, new) == []
        steps = steps_after_draw(
            session, draw(wiring, session, (clock() - timedelta(days=1)).date())
        )
    transcribed = [c for step, c in steps if step == "transcribe"]
    assert 5 <= len(transcribed) <= 6
    assert len(steps) == len(set(steps))


@pytest.mark.slow
def test_every_stage_gives_the_same_on_sqlite_and_postgresql(either):
    """The same seed on either database: the same draws, figures and needs (frozen here so that the
    two runs meet).
    """
    from qa.forms.service import vocabulary
    from qa.reporting.service import month_report
    from qa.sampling import store as sampling_store
    from qa.training.service import need_list

    cast = people_of(either)
    simulate_centre(either, agents=9, calls=40, months=2, seed=3, tick=quiet)
    with either.database.read() as session:
        titles, topics = vocabulary(session)
        made = month_report(
            session,
            month=Month("2026-10"),
            zone=either.settings.zone,
            minimum=3,
            titles=titles,
            at=either.clock(),
        )
        needs = need_list(
            session, month=Month("2026-10"), zone=either.settings.zone, titles=titles, topics=topics
        )
        begin, end = Month("2026-10").bounds(either.settings.zone)
        coverage = sampling_store.coverage(session, begin=begin, end=end)
    e = made.whole.estimate
    assert (made.coverage.calls, e.cards, round(e.value, 6), round(e.low, 6)) == SAME_ON_BOTH
    assert sum(c.drawn for c in coverage) == made.coverage.drawn == e.cards + made.coverage.skipped
    assert needs.pairs_looked_at == 126, "nine agents, each with the criteria of their own form"
    browser = visits(create_app(either.settings, wiring=either), either)(cast.manager)
    for path in (
        "/reports/2026-10",
        "/sampling?month=2026-10",
        "/training/2026-10",
        "/team",
        "/calls",
        "/cards",
        "/queue",
        "/jobs",
        "/access-log",
        "/forms",
        "/import",
    ):
        assert browser.get(path).status_code == 200, path


SAME_ON_BOTH = (360, 62, 87.986713, 85.438141)
