"""What runs by the clock goes on when one duty fails; pages cost the same number of queries however
much they show.
"""

import pytest
from sqlalchemy import event

from qa.cases import service as cases
from qa.cases.types import Draft
from qa.doctor import examine
from qa.jobs import periodic
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people import store as people
from qa.settings import Settings
from qa.states import CaseKind
from qa.wiring import Wiring
from tests.integration.test_after_submission import LOST, dispute, submitted
from tests.integration.test_life_of_a_card import enqueue


def test_a_mail_server_that_cannot_be_read_stops_no_other_duty(wiring, cast, clock):
    broken = Wiring(
        wiring.settings.model_copy(update={"smtp_url": "nonsense"}),
        wiring.database,
        wiring.storage,
        wiring.audio,
        clock,
    )
    card, form = submitted(wiring, cast)
    dispute(wiring, cast.agent, card, form)
    clock.move(days=6)
    periodic.run_once(broken)
    from qa.disputes import store

    with wiring.database.read() as session:
        assert store.of_card(session, card.id)[0].level.value == "qa_manager"
        assert people.web_session(session, "none", clock()) is None
    said = {d.what: d for d in examine(broken.settings)}
    assert not said["mail"].is_ok and "smtp://" in said["mail"].message
    assert said["access log"].is_ok


def test_the_doctor_sees_lines_missing_from_the_access_log(wiring, cast):
    from sqlalchemy import text

    submitted(wiring, cast)
    with wiring.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM event WHERE id = 2"))
    assert (
        "qa audit verify"
        in next(d for d in examine(wiring.settings) if d.what == "access log").message
    )


@pytest.mark.parametrize(("asked", "webs"), [(3, 3), (1, 1)])
def test_web_processes_are_as_many_as_were_asked_for(asked, webs, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    assert Settings(web_processes=asked).web_process_count == webs
    monkeypatch.setattr("sys.platform", "darwin")
    assert Settings(web_processes=asked).web_process_count == 1, (
        "only Linux deals connections out among processes"
    )


@pytest.fixture
def queries(wiring):
    """Counts the statements of what is called."""

    def count(what) -> int:
        seen = []
        listener = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(wiring.database.engine, "before_cursor_execute", listener)
        try:
            assert what().status_code == 200
        finally:
            event.remove(wiring.database.engine, "before_cursor_execute", listener)
        return len(seen)

    return count


@pytest.mark.parametrize(
    "path",
    [
        "/queue/overview",
        "/cases",
        "/disputes",
        "/cards",
        "/calls",
        "/access-log",
        "/notices",
        "/queue",
    ],
)
def test_a_page_asks_as_many_queries_for_much_as_for_little(wiring, cast, visit, queries, path):
    card, form = submitted(wiring, cast)
    dispute(wiring, cast.agent, card, form)
    manager = visit(cast.manager)
    fill(wiring, cast, 1)
    manager.get(path)
    little = queries(lambda: manager.get(path))
    fill(wiring, cast, 30)
    enqueue(wiring, cast, 1)
    assert queries(lambda: manager.get(path)) == little


def fill(wiring, cast, n):
    with wiring.database.write() as session:
        for i in range(n):
            cases.write(
                session,
                Draft(CaseKind.GUIDE, f"note {i} {LOST}", agent_id=cast.agent.agent_id),
                by=cast.evaluator,
                at=wiring.clock(),
            )
            notify(
                session,
                [cast.manager.id],
                NoticeKind.DISPUTE_OPENED,
                about=("dispute", 1),
                at=wiring.clock(),
                name="x",
                until=wiring.clock().isoformat(),
            )


def test_the_installations_page_shows_every_setting_where_it_comes_from_and_no_secret(
    wiring, cast, monkeypatch
):
    from qa.app import create_app
    from tests.conftest import visits

    monkeypatch.setenv("QA_LEASE_MINUTES", "45")
    secret = wiring.settings.model_copy(
        update={"smtp_url": "smtp://post:hush@mail.example:587", "secret_key": "do not tell"}
    )
    made = Wiring(secret, wiring.database, wiring.storage, wiring.audio, wiring.clock)
    visit = visits(create_app(secret, wiring=made), made)
    page = visit(cast.administrator).get("/installation").text
    assert all(f"QA_{name.upper()}" in page for name in Settings.model_fields)
    assert (
        "hush" not in page
        and "do not tell" not in page
        and "smtp://post:•••@mail.example:587" in page
    )
    from_where = {s.name: s.origin for s in secret.describe()}
    assert (
        from_where["QA_LEASE_MINUTES"],
        from_where["QA_TRANSCRIBER"],
        from_where["QA_PORT"],
    ) == ("environment", "program", "default")
    examined = visit(cast.administrator).get("/installation?examine=1").text
    assert "data folder" in examined and "is writable" in examined
    assert "access log" in examined and "speech model" in examined
    assert (
        visit(cast.manager).get("/installation").status_code == 403
        and visit(None).get("/installation").status_code == 302
    )


def test_the_doctor_speaks_the_readers_language_on_the_page_and_english_on_the_command_line(
    wiring, cast, visit
):
    from qa.people import service as people

    for language, words in (
        ("it", ("cartella dei dati", "è scrivibile", "schema aggiornato")),
        ("zh", ("数据文件夹", "可写", "结构为最新")),
    ):
        with wiring.database.write() as session:
            people.set_preferences(session, user_id=cast.administrator.id, language=language)
        page = visit(cast.administrator).get("/installation?examine=1").text
        assert all(w in page for w in words) and "is writable" not in page
    assert "is writable" in next(
        d.message for d in examine(wiring.settings) if d.what == "data folder"
    )
