"""How long every kind of page takes at growing numbers of simulated calls: each role follows the
links from its first page, three pages of a kind.

python -m benchmarks.pages [10000 100000], or the data folder of a simulated centre. Twice through:
the second time shows what is kept.
"""

import html
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from benchmarks.month_report import settings, simulate
from qa.app import create_app
from qa.people import service as people
from qa.people import store
from qa.people.types import User
from qa.states import Role
from qa.tables.people import AgentRow
from qa.tables.scoring import ScorecardRow
from qa.wiring import Wiring

OF_A_KIND, SHOWN = 3, 12
NOT_PAGES = ("static", "people.sign_out", "intake.audio")
Times = dict[str, float]  # seconds of the slowest page of each kind


def main() -> None:
    columns: dict[str, Times] = {}
    for asked in sys.argv[1:] or ["10000", "100000"]:
        if not asked.isdigit():
            columns |= measured(asked, Path(asked).name)
            continue
        with tempfile.TemporaryDirectory() as folder:
            simulate(folder, int(asked))
            columns |= measured(folder, asked)
    slowest = sorted(
        {kind for c in columns.values() for kind in c},
        key=lambda kind: -max(c.get(kind, 0) for c in columns.values()),
    )
    print(f"{'kind of page':28}" + "".join(f"{name:>22}" for name in columns))
    for kind in slowest[:SHOWN]:
        print(
            f"{kind:28}" + "".join(f"{c.get(kind, float('nan')):20.2f} s" for c in columns.values())
        )
    print(f"the other {max(0, len(slowest) - SHOWN)} kinds are faster")


def measured(folder: str, name: str) -> dict[str, Times]:
    wiring = Wiring.build(settings(folder))
    app = create_app(wiring.settings, wiring=wiring)
    crowd = everybody(wiring)
    return {f"{name}, {which}": round_of(app, wiring, crowd) for which in ("first", "again")}


def everybody(wiring: Wiring) -> list[User]:
    """One person of each role; the agent and the leader are of somebody who has scorecards."""
    with wiring.database.write() as session:
        agent = session.scalars(
            select(AgentRow).where(AgentRow.id.in_(select(ScorecardRow.agent_id)))
        ).first()
        assert agent is not None
        of = {Role.AGENT: {"agent_id": agent.id}, Role.TEAM_LEADER: {"team_id": agent.team_id}}
        known = {u.username: u for u in store.users(session)}
        return [
            known.get(f"reader-{role.value}")
            or people.add_user(
                session,
                username=f"reader-{role.value}",
                display_name=role.value,
                role=role,
                password=None,
                at=wiring.clock(),
                **of.get(role, {}),
            )  # type: ignore[arg-type]
            for role in Role
        ]


def round_of(app: Flask, wiring: Wiring, crowd: list[User]) -> Times:
    slowest: Times = defaultdict(float)
    for user in crowd:
        for kind, seconds in pages(app, wiring, user):
            slowest[kind] = max(slowest[kind], seconds)
    return slowest


def pages(app: Flask, wiring: Wiring, user: User) -> Iterator[tuple[str, float]]:
    """Follow the links from the first page on."""
    token, now = people.new_token(), wiring.clock()
    with wiring.database.write() as session:
        store.save_web_session(
            session,
            people.token_hash(token),
            user_id=user.id,
            content={},
            now=now,
            expires_at=now + timedelta(hours=1),
        )
    client = app.test_client()
    client.set_cookie("earshot", token)
    adapter, todo, seen, count = (
        app.url_map.bind("localhost"),
        ["/"],
        set(),
        defaultdict[str, int](int),
    )
    while todo:
        path = todo.pop(0)
        try:
            kind = str(adapter.match(path.split("?")[0], method="GET")[0])
        except (HTTPException, RequestRedirect):
            continue
        if path in seen or count[kind] >= OF_A_KIND or kind in NOT_PAGES:
            continue
        seen.add(path)
        count[kind] += 1
        started = time.perf_counter()
        answer = client.get(path)
        yield kind, time.perf_counter() - started
        assert answer.status_code < 500, (path, answer.status_code)
        if answer.status_code in (301, 302):
            todo.append(re.sub(r"^https?://[^/]+", "", answer.headers["Location"]))
        elif "html" in (answer.content_type or ""):
            todo += [
                html.unescape(x).split("#")[0] for x in re.findall(r'href="(/[^"]*)"', answer.text)
            ]


if __name__ == "__main__":
    main()
