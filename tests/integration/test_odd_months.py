"""Months with little or nothing in them, and people who come and go: a sentence each time, never a
crash, never a made-up figure.
"""

import io
import json
import re
import zipfile
from datetime import UTC, date, timedelta

import pytest
from sqlalchemy import delete, func, select, update

from qa.forms.service import vocabulary
from qa.months import Month, day_bounds
from qa.publishing.files import report_files
from qa.reporting.types.scope import About
from qa.tables.calls import CallRow, RatingRow
from qa.tables.people import AgentRow
from qa.tables.scoring import AnswerRow, DisputeRow, ScorecardRevisionRow, ScorecardRow
from qa.training import service as training
from tests.conftest import parsed, visits, words_of

MONTH = Month("2026-10")
PAGES = (
    "/reports/2026-10",
    "/team",
    "/training/2026-10",
    "/fairness/2026-10",
    "/targets",
    "/sampling?month=2026-10",
    "/training/plans",
    "/training/plans/new?month=2026-10",
)


@pytest.fixture
def centre(simulate):
    return simulate(agents=6, calls=60, months=2, seed=7)


def change(centre, *statements):
    with centre[0].database.write() as session:
        for statement in statements:
            session.execute(statement)


def looked_at(centre):
    """The report's document, after every page and every kind of file was made and holds no figure
    that is none.
    """
    wiring, cast, app = centre
    made = report_files(
        wiring, month=MONTH, about=About(), language="en", formats=["json", "html", "xlsx", "pdf"]
    )
    files = {name.rsplit(".", 1)[1]: content for name, content in made.items()}
    html = files["html"].decode()
    assert not [
        html[html.index(word) - 80 : html.index(word) + 60]
        for word in (">nan", ">inf", ">None<", "-inf")
        if word in html
    ]
    assert (
        files["pdf"].startswith(b"%PDF")
        and zipfile.ZipFile(io.BytesIO(files["xlsx"])).testzip() is None
    )
    for path in PAGES:
        page = visits(app, wiring)(cast.manager).get(path)
        assert page.status_code == 200 and not re.search(r"\b(nan|inf)\b", words_of(page)), path
    return json.loads(files["json"]), html


SAME = {"score": 0.0, "score_without_fails": 0.0, "automatic_score": 0.0}


def test_where_every_call_failed_the_figure_is_nought_and_its_interval_is_honest(centre):
    change(centre, update(ScorecardRow).values(**SAME), update(CallRow).values(automatic_score=0.0))
    document, html = looked_at(centre)
    e = document["whole"]["estimate"]
    assert (e["value"], e["low"]) == (0.0, 0.0) and 0 < e["high"] < 10, (
        "thirty calls without a point do not prove that all are"
    )
    assert "no_spread" in document["notes"]


def test_where_every_call_is_perfect_the_interval_still_has_a_lower_end(centre):
    full = dict.fromkeys(SAME, 100.0)
    change(
        centre, update(ScorecardRow).values(**full), update(CallRow).values(automatic_score=100.0)
    )
    e = looked_at(centre)[0]["whole"]["estimate"]
    assert (e["value"], e["high"]) == (100.0, 100.0) and 90 < e["low"] < 100


def test_where_nothing_was_checked_people_alone_are_used_and_it_is_said(centre):
    change(
        centre,
        update(ScorecardRow).values(automatic_score=None),
        update(CallRow).values(automatic_score=None),
    )
    document, _html = looked_at(centre)
    assert (
        document["whole"]["estimate"]["basis"] == "estimated" and "human_only" in document["notes"]
    )


def test_where_every_answer_is_not_applicable_there_is_no_figure(centre):
    change(
        centre,
        update(ScorecardRow).values(score=None, score_without_fails=None),
        update(AnswerRow).values(option="na", share_of_points=None, points_lost=None),
    )
    document, html = looked_at(centre)
    assert (
        document["whole"]["estimate"]["basis"] == "no_cards"
        and document["whole"]["estimate"]["value"] is None
    )
    assert "No scorecards in this month" in html


def test_without_a_scorecard_there_is_a_sentence_and_no_figure(centre):
    change(
        centre,
        *(
            delete(row)
            for row in (DisputeRow, ScorecardRevisionRow, AnswerRow, ScorecardRow, RatingRow)
        ),
    )
    document, html = looked_at(centre)
    assert document["whole"]["estimate"]["value"] is None and document["satisfaction"] is None
    assert "No scorecards in this month" in html


def test_one_evaluator_and_one_agent_are_a_team_with_a_figure_and_no_ranks(centre):
    with centre[0].database.read() as session:
        agent, evaluator = (
            session.scalar(select(func.min(AgentRow.id)).where(AgentRow.is_simulated)),
            session.scalar(select(func.min(ScorecardRow.evaluator_id))),
        )
    alone = [update(row).values(agent_id=agent) for row in (CallRow, ScorecardRow, AnswerRow)]
    change(centre, *alone, update(ScorecardRow).values(evaluator_id=evaluator))
    document, html = looked_at(centre)
    assert len(document["agents"]) == 1 and len(document["teams"]) == 1
    assert document["agents"][0]["estimate"]["value"] == pytest.approx(
        document["whole"]["estimate"]["value"], abs=1.5
    )
    assert document["agents"][0]["standing"]["apart"] == "" and "one_evaluator" in document["notes"]
    assert "cannot be told apart" not in html


def test_who_has_left_stays_in_the_month_and_is_on_no_list_of_needs(centre):
    wiring, cast, app = centre

    def needs():
        with wiring.database.read() as session:
            titles, topics = vocabulary(session)
            return training.need_list(
                session, month=MONTH, zone=wiring.settings.zone, titles=titles, topics=topics
            )

    before = needs()
    assert before.needs and before.left == 0
    who = before.needs[0].agent_id
    administrator = visits(app, wiring)(cast.administrator)
    page = administrator.get(f"/people/agents/{who}")
    team = parsed(page).find(".//select[@name='team']/option[@selected]").get("value")
    assert (
        administrator.post(
            f"/people/agents/{who}", {"team": team, "hired_on": "", "left_on": "2026-10-20"}
        ).status_code
        == 302
    )
    after = needs()
    assert after.left == 1 and {n.agent_id for n in after.needs} == {
        n.agent_id for n in before.needs
    } - {who}
    mark = next(n for n in before.needs if n.agent_id != who)
    assert (
        next(
            n for n in after.needs if (n.agent_id, n.criterion) == (mark.agent_id, mark.criterion)
        ).probability
        == mark.probability
    ), "what is learnt from all stays"
    assert (
        "Agents who have left and are not listed: 1."
        in visits(app, wiring)(cast.trainer).get(f"/training/{MONTH}").text
    )
    document, html = looked_at(centre)
    line = next(a for a in document["agents"] if a["id"] == who)
    assert line["left_on"] == "2026-10-20" and "left on Oct 20, 2026" in html
    assert " set " in words_of(administrator.get(f"/access-log?subject=agent&id={who}"))


def test_an_agent_moves_to_another_team_and_impossible_changes_are_refused(centre):
    wiring, cast, app = centre
    administrator = visits(app, wiring)(cast.administrator)
    with wiring.database.read() as session:
        who, old = session.execute(
            select(AgentRow.id, AgentRow.team_id).where(AgentRow.is_simulated)
        ).first()
        other = session.scalar(select(AgentRow.team_id).where(AgentRow.team_id != old))
    good = {"team": str(other), "hired_on": "2026-01-05", "left_on": ""}
    for bad, why in (
        ({"team": "99999"}, "Choose a team"),
        ({"team": "x"}, "Choose a team"),
        ({"left_on": "2025-12-31"}, "Nobody leaves before"),
        ({"hired_on": "soon"}, "Write days like"),
    ):
        page = administrator.post(f"/people/agents/{who}", good | bad)
        assert page.status_code == 422 and why in page.text
    assert administrator.post(f"/people/agents/{who}", good).status_code == 302
    with wiring.database.read() as session:
        row = session.get(AgentRow, who)
        assert (row.team_id, row.hired_on, row.left_on) == (other, date(2026, 1, 5), None)
    assert (
        administrator.get("/people/agents/999999").status_code == 404
        and administrator.post("/people/agents/999999", good).status_code == 404
    )
    assert visits(app, wiring)(cast.manager).get(f"/people/agents/{who}").status_code == 403


@pytest.mark.parametrize("month", ["2026-03", "2026-10"], ids=["an hour short", "an hour long"])
def test_a_month_in_which_the_clock_is_changed_has_all_its_calls_once(centre, month):
    """The hour that comes twice, and the one that is left out, belong to one day each."""
    zone = centre[0].settings.zone
    begin, end = Month(month).bounds(zone)
    days = [day_bounds(date.fromisoformat(f"{month}-{d:02d}"), zone) for d in range(1, 32)]
    assert (
        days[0][0] == begin
        and days[-1][1] == end
        and all(a[1] == b[0] for a, b in zip(days, days[1:], strict=False))
    )
    hours = {(b.astimezone(UTC) - a.astimezone(UTC)) / timedelta(hours=1) for a, b in days}
    assert hours == ({24.0, 23.0} if month == "2026-03" else {24.0, 25.0})
