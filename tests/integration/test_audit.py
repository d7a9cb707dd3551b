"""The access log in the database: chained on both, in every order of writers, through a migration;
the page and the command.
"""

import contextlib
import json
import threading

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from qa.audit import rules, store
from qa.audit.types import Damage, EventKind, Subject
from tests.conftest import people_of, words_of


def note(session, wiring, n, **detail):
    store.record_event(
        session,
        subject=Subject.CALL,
        subject_id=n,
        event=EventKind.OPENED,
        at=wiring.clock(),
        **detail,
    )


def check(wiring):
    with wiring.database.read() as session:
        return [
            (f.damage, f.event_id) for f in rules.faults(store.lines(session), store.head(session))
        ]


def test_lines_of_many_writers_make_one_chain_and_those_of_a_failed_one_none(either):
    cast = people_of(either)

    def write(n):
        failing = (
            pytest.raises(ValueError, match=str(n)) if n % 5 == 0 else contextlib.nullcontext()
        )
        with failing, either.database.write() as session:
            note(session, either, n, words="perché 名 \u2028", p=0.1 + n)
            store.record_event(
                session,
                subject=Subject.USER,
                subject_id=n,
                event=EventKind.SIGNED_IN,
                at=either.clock(),
                actor_id=cast.agent.id,
            )
            if n % 5 == 0:
                raise ValueError(n)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(30)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    with either.database.read() as session:
        assert store.head(session).event_id == store.count(session) == 48
    assert check(either) == []


def test_what_somebody_changes_in_the_database_is_found(either):
    with either.database.write() as session:
        for n in range(12):
            note(session, either, n)
    with either.database.engine.begin() as connection:
        connection.execute(text("UPDATE event SET subject_id = 99 WHERE id = 4"))
        connection.execute(text("DELETE FROM event WHERE id IN (7, 12)"))
    assert check(either) == [
        (Damage.CHANGED, 4),
        (Damage.MISSING, 7),
        (Damage.CHANGED, 8),
        (Damage.MISSING, 12),
    ]


def test_the_command_says_what_it_found_and_a_noted_head_holds(wiring, monkeypatch):
    from qa.cli import main

    monkeypatch.setattr("qa.cli.terminal.load", lambda: wiring.settings)
    with wiring.database.write() as session:
        for n in range(5):
            note(session, wiring, n)
    head = CliRunner().invoke(main, ["audit", "head"]).stdout.strip()
    good = CliRunner().invoke(main, ["audit", "verify", "--head", head, "--json"])
    assert (good.exit_code, json.loads(good.stdout)["ok"], json.loads(good.stdout)["lines"]) == (
        0,
        True,
        5,
    )
    assert CliRunner().invoke(main, ["audit", "verify", "--head", "nonsense"]).exit_code == 1
    with wiring.database.engine.begin() as connection:
        connection.execute(text("UPDATE event SET what = 'closed' WHERE id = 2"))
    bad = CliRunner().invoke(main, ["audit", "verify"])
    assert bad.exit_code == 1 and "line 2 was changed" in bad.stdout


def test_the_page_finds_by_person_kind_subject_and_day_and_exports_without_formulas(
    wiring, cast, visit
):
    with wiring.database.write() as session:
        note(session, wiring, 41)
        store.record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=7,
            event=EventKind.READ,
            at=wiring.clock(),
            actor_id=cast.evaluator.id,
            why="=HYPERLINK(1)",
        )
    manager = visit(cast.manager)
    assert "call 41" in words_of(manager.get("/access-log"))
    only = manager.get(
        f"/access-log?who={cast.evaluator.id}&what=read&subject=scorecard&id=7"
        "&from=2026-11-10&to=2026-11-10"
    )
    assert "scorecard 7" in words_of(only) and "call 41" not in words_of(only)
    assert "Nothing here" in manager.get("/access-log?from=2026-11-11").text
    assert manager.get("/access-log?from=nonsense&who=x&subject=none&id=-1").status_code == 200
    file = manager.get("/access-log?what=read&format=csv")
    assert file.mimetype == "text/csv" and "scorecard,7" in file.text
    assert "exported" in manager.get("/access-log").text, "an export is itself a line"


@pytest.mark.parametrize(
    ("given", "cell"),
    [("=1+1", "'=1+1"), ("-3", "'-3"), (" @x", "' @x"), (-3, "-3"), ("a\x00b", "ab"), (None, '""')],
)
def test_a_cell_of_an_export_is_never_a_formula(given, cell):
    from qa.web.exports import as_csv

    assert as_csv("t", ("a",), [(given,)]).get_data(as_text=True) == f"\ufeffa\r\n{cell}\r\n"


def test_a_database_of_before_is_brought_into_the_chain_with_its_words_and_revisions(
    either_database, clock
):
    from qa.tables.database import Database
    from qa.tables.migrate import downgrade, upgrade
    from tests.conftest import build

    either_database.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(either_database.database)
    upgrade(database, "0002")
    with database.engine.begin() as c:
        for n in (3, 4, 9):  # as gaps are after rolled-back writers
            c.execute(
                text(
                    "INSERT INTO event (id, at, subject, subject_id, what, detail) VALUES (:n,"
                    " '2026-11-01 10:00:00.123456', 'call', 1, 'played', '{}')"
                ),
                {"n": n},
            )
        c.execute(
            text(
                "INSERT INTO project (id, code, name, variables, is_simulated, keeps_originals)"
                " VALUES (1, 'p', 'P', '{}', false, false)"
            )
        )
        c.execute(text("INSERT INTO department (id, name) VALUES (1, 'D')"))
        c.execute(text("INSERT INTO team (id, name, department_id) VALUES (1, 'T', 1)"))
        c.execute(
            text(
                "INSERT INTO agent (id, code, name, team_id, is_simulated) VALUES (1, 'a', 'A', 1,"
                " false)"
            )
        )
        columns = (
            "id, external_id, content_sha256, project_id, agent_id, queue, direction, customer,"
            " started_at, duration_seconds, channels, lost_seconds, source_name"
        )
        values = (
            "1, 'x', 'y', 1, 1, '', 'inbound', '', '2026-11-01 10:00:00', 60, 2, 0, 'f.wav',"
            " 'audio/wav', '{}', '2026-11-01 10:00:00', false"
        )
        c.execute(
            text(
                f"INSERT INTO call ({columns}, media_type, details, received_at, is_simulated)"
                f" VALUES ({values})"
            )
        )
        said = json.dumps(
            {
                "language": "zh",
                "duration": 1,
                "utterances": [
                    {"speaker": "agent", "start": 0, "end": 1, "text": "您好，退款 Perché"}
                ],
            }
        )
        c.execute(
            text(
                "INSERT INTO transcript (call_id, language, document, mechanics, created_at) VALUES"
                " (1, 'zh', :d, '{}', '2026-11-01 10:00:00')"
            ),
            {"d": said},
        )
    upgrade(database)
    with database.read() as session:
        assert [line.id for line in store.lines(session)] == [1, 2, 3]
        assert list(rules.faults(store.lines(session), store.head(session))) == []
        assert session.scalar(text("SELECT words FROM spoken")) == "您 好 退 款 perche"
    downgrade(database, "0002")
    upgrade(database)
    database.engine.dispose()
    build(either_database, clock).database.engine.dispose()
