"""Results that took long to count: kept, shown while they hold, and for some minutes after."""

from dataclasses import make_dataclass, replace
from datetime import timedelta

import pytest

from qa.forms.service import vocabulary
from qa.months import Month
from qa.people.store import teams as all_teams
from qa.publishing.files import report_files
from qa.reporting import store as figures
from qa.reporting.service import cached_report
from qa.reporting.types.scope import About
from qa.result_cache import rules, service, store
from qa.result_cache.types import CacheEntry, CacheKey
from qa.scoring import service as scoring
from qa.states import ResultKind
from qa.training import service as training
from qa.training import store as training_store
from qa.training.types import NeedList
from tests.conftest import visits
from tests.integration.test_life_of_a_card import enqueue, full, open_card


@pytest.fixture(scope="module")
def centre(simulate):
    return simulate(agents=12, calls=60, months=3, seed=4)


def keep_as_before(wiring, found, *, seconds):
    """Keep a result as if a card had come since."""
    kept = found.new
    with wiring.database.write() as session:
        store.save(
            session,
            replace(
                kept,
                cache_key=kept.cache_key._replace(data="before the last card"),
                seconds=seconds,
            ),
        )


def forget(wiring):
    with wiring.database.write() as session:
        store.delete_before(session, before=wiring.clock() + timedelta(days=1))


@pytest.mark.parametrize(
    ("change", "seconds", "minutes", "allow_stale", "shown"),
    [
        ("", 0.01, 600, False, True),  # what still holds is shown however old
        ("data", 3.0, 2, True, True),
        ("data", 3.0, 11, True, False),  # too old
        ("data", 0.2, 2, True, False),  # counting is quick
        ("data", 3.0, 2, False, False),  # a command waits
        ("data", 3.0, -1, True, False),  # a clock that was set back
        ("config", 3.0, 2, True, False),  # who sets a target sees it at once
    ],
)
def test_what_changed_is_shown_for_some_minutes_only_where_counting_took_long(
    clock, change, seconds, minutes, allow_stale, shown
):
    before = CacheKey.of(dict, ["form 1"], [10, 800])
    now_rests_on = before._replace(**{change: "other"}) if change else before
    kept = CacheEntry(
        ResultKind.NEEDS, "2026-11", before, {}, seconds, clock() - timedelta(minutes=minutes)
    )
    assert rules.is_servable(kept, now_rests_on, now=clock(), allow_stale=allow_stale) is shown


def test_a_result_is_counted_once_while_nothing_changes_and_anew_when_asked(either):
    times = []

    def ask(fingerprint="a", force_refresh=False):
        with either.database.read() as session:
            found = service.get_or_compute(
                session,
                ResultKind.NEEDS,
                "2026-11",
                lambda: times.append(1) or {"n": len(times)},
                cache_key=CacheKey.of(dict, [], [fingerprint]),
                at=either.clock(),
                allow_stale=False,
                force_refresh=force_refresh,
            )
        if found.new:
            with either.database.write() as session:
                store.save(session, found.new)
        return found.document["n"], found.is_current

    assert [ask(), ask()] == [(1, True), (1, True)]
    assert ask("b") == (2, True), "something it rests on has changed"
    assert ask("b", force_refresh=True) == (3, True)
    with either.database.write() as session:
        assert store.delete_before(session, before=either.clock() + timedelta(days=1)) == 1
    assert ask("b") == (4, True)


def test_of_several_who_keep_the_same_result_at_once_none_fails(either):
    from concurrent.futures import ThreadPoolExecutor

    def keep(n):
        with either.database.write() as session:
            store.save(
                session,
                CacheEntry(
                    ResultKind.REPORT,
                    "2026-11 ",
                    CacheKey.of(dict, [], [n]),
                    {"n": n},
                    1.0,
                    either.clock(),
                ),
            )
            figures.save_figure(
                session, month=Month("2026-11"), project="", document={"n": n}, at=either.clock()
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(40)))
    with either.database.read() as session:
        kept = store.find(session, ResultKind.REPORT, "2026-11 ")
        assert kept.cache_key == CacheKey.of(dict, [], [kept.document["n"]])
        assert figures.figures(session, months=["2026-11"], project="")["2026-11"][0]["n"] in range(
            40
        )


def test_pages_say_when_what_they_show_was_counted_and_count_again_when_asked(centre):
    wiring, cast, app = centre
    forget(wiring)  # what the simulation has kept, where the machine was slow
    manager = visits(app, wiring)(cast.manager)
    for path, kind in (
        ("/reports/2026-10?live=1", ResultKind.REPORT),
        ("/training/2026-10", ResultKind.NEEDS),
    ):
        assert "something has changed since" not in manager.get(path).text
        keep_as_before(wiring, counted(wiring, kind), seconds=4.0)
        page = manager.get(path).text
        assert "something has changed since" in page and "fresh=1" in page
        assert ("live=1" in page.split("fresh=1")[1].split('"')[0]) == ("live=1" in path), (
            "a closed month stays as it would be today"
        )
        assert (
            "something has changed since"
            not in manager.get(path + ("&" if "?" in path else "?") + "fresh=1").text
        )
        forget(wiring)


def counted(wiring, kind):
    with wiring.database.read() as session:
        titles, topics = vocabulary(session)
        scope = {
            "month": Month("2026-10"),
            "zone": wiring.settings.zone,
            "titles": titles,
            "at": wiring.clock(),
        }
        if kind is ResultKind.REPORT:
            return cached_report(session, minimum=3, **scope)[0]
        return training.counted_needs(session, topics=topics, **scope)[1]


def test_a_command_gets_the_figures_of_now_and_no_kept_ones(centre):
    wiring, cast, app = centre
    found = counted(wiring, ResultKind.REPORT)
    found.new.document["month"] = "of long ago"
    keep_as_before(wiring, found, seconds=9.0)
    try:
        made = report_files(
            wiring, month=Month("2026-10"), about=About(), language="en", formats=["json"]
        )
        assert b"of long ago" not in next(iter(made.values()))
        exported = visits(app, wiring)(cast.manager).get("/reports/2026-10/export.json?live=1")
        assert b"of long ago" in exported.data, "a file is what the page shows"
    finally:
        forget(wiring)


def test_a_kept_list_of_needs_is_the_list_that_was_counted_and_a_team_sees_its_own_part(centre):
    wiring, _cast, _app = centre
    with wiring.database.read() as session:
        titles, topics = vocabulary(session)
        scope = {
            "month": Month("2026-10"),
            "zone": wiring.settings.zone,
            "titles": titles,
            "topics": topics,
        }
        found = training.need_list(session, **scope)
        same, _counted = training.counted_needs(session, at=wiring.clock(), **scope)
        parts = [training.of_team(session, found, t.id) for t in all_teams(session)]
    assert same == found and any(n.evidence for n in found.needs)
    assert sorted(n.probability for p in parts for n in p.needs) == sorted(
        n.probability for n in found.needs
    )
    assert (
        all(len({n.team for n in p.needs}) <= 1 for p in parts)
        and sum(bool(p.needs) for p in parts) > 1
    )


def test_a_card_more_changes_what_the_needs_rest_on(wiring, cast, clock):
    def hash_now():
        begin, end = Month("2026-11").bounds(wiring.settings.zone)
        with wiring.database.read() as session:
            return training_store.cache_key(session, begin=begin, end=end, day=clock().date())

    _calls, form = enqueue(wiring, cast, 1)
    before = hash_now()
    assert hash_now() == before
    card = open_card(wiring, cast.evaluator)
    with wiring.database.write() as session:
        scoring.submit(
            session,
            card_id=card.id,
            evaluator_id=cast.evaluator.id,
            version=1,
            filled=full(form),
            form=form,
            findings={},
            at=clock(),
        )
    assert hash_now() != before


def test_what_an_older_version_of_the_program_kept_is_never_read_as_a_result(wiring, cast, visit):
    """Its list of needs knew no targets: the page would break on it."""
    old = make_dataclass("NeedList", [("month", str), ("needs", list[int])])
    assert (
        CacheKey.of(old, ["x"], [1])
        != CacheKey.of(NeedList, ["x"], [1])
        == CacheKey.of(NeedList, ["x"], [1])
    )
    now = counted(wiring, ResultKind.NEEDS).new
    begin, end = (
        Month("2026-08").bounds(wiring.settings.zone)[0],
        Month("2026-10").bounds(wiring.settings.zone)[1],
    )
    with wiring.database.write() as session:
        rests_on = training_store.cache_key(
            session, begin=begin, end=end, day=wiring.clock().date()
        )
        assert now.cache_key == rests_on
        before = rests_on._replace(config=CacheKey.of(old, ["x"], [1]).config)
        store.save(
            session,
            CacheEntry(
                ResultKind.NEEDS,
                "2026-10",
                before,
                {"month": "2026-10", "needs": []},
                9.0,
                wiring.clock(),
            ),
        )
    assert visit(cast.trainer).get("/training/2026-10").status_code == 200
