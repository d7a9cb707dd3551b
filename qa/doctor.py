"""Look an installation over, and say in words what is wrong and what to do."""

import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qa.settings import HOUSE, Settings

SAFE_AV = (18, 1)
FREE_DISK = 0.05


@dataclass(frozen=True)
class Diagnosis:
    what: str
    is_ok: bool
    message: str


def examine(settings: Settings) -> list[Diagnosis]:
    """One line per thing looked at; a look that breaks is a finding of its own."""
    looks: dict[str, Callable[[Settings], Diagnosis]] = {
        "data folder": _folder,
        "database": _database,
        "speech model": _model,
        "courtesy classifier": _courtesy,
        "decoder": _decoder,
        "broker": _broker,
        "sign-in": _sign_in,
        "mail": _mail,
        "access log": _chain,
        "disk": _disk,
    }
    found = []
    for what, look in looks.items():
        try:
            found.append(look(settings))
        except Exception as error:  # noqa: BLE001  # the doctor reports what breaks instead of breaking
            found.append(Diagnosis(what, False, f"{type(error).__name__}: {error}"))
    return found


def _folder(settings: Settings) -> Diagnosis:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.data_dir):
        return Diagnosis("data folder", True, f"{settings.data_dir} is writable")


def _database(settings: Settings) -> Diagnosis:
    from sqlalchemy import text

    from qa.tables.database import Database
    from qa.tables.migrate import is_current

    database = Database(settings.database)
    if not is_current(database):
        return Diagnosis("database", False, "the schema is missing or old; run `qa init`")
    with database.read() as session:
        if database.engine.dialect.name == "sqlite":
            durable = session.scalar(text("PRAGMA synchronous")) == 2
        else:
            durable = session.scalar(text("SHOW synchronous_commit")) != "off"
    if not durable:
        return Diagnosis("database", False, "commits are not durable; set synchronous_commit = on")
    return Diagnosis("database", True, f"{database.engine.dialect.name}, schema up to date, commits durable")


def _model(settings: Settings) -> Diagnosis:
    path = Path(settings.whisper_model)
    if path.is_dir():
        missing = [n for n in ("model.bin", "config.json", "tokenizer.json") if not (path / n).is_file()]
        if missing:
            return Diagnosis("speech model", False, f"{path} lacks {', '.join(missing)}; give a CTranslate2 Whisper folder")
        note = "; the shipped model is for trials: set QA_WHISPER_MODEL for real calls" if path.name == "earshot-tiny" else ""
        return Diagnosis("speech model", True, f"{path.name}{note}")
    return Diagnosis("speech model", True, f"{settings.whisper_model}, fetched at first use (needs a network once)")


def _courtesy(settings: Settings) -> Diagnosis:
    folder = HOUSE / "models" / "courtesy"
    missing = [n for n in ("weights.npz", "figures.json") if not (folder / n).is_file()]
    if missing:
        return Diagnosis("courtesy classifier", False, f"{folder} lacks {', '.join(missing)}; check out the repository again")
    return Diagnosis("courtesy classifier", True, "there")


def _decoder(settings: Settings) -> Diagnosis:
    version = importlib.metadata.version("av")
    is_safe = tuple(int(p) for p in version.split(".")[:2]) >= SAFE_AV
    return Diagnosis("decoder", is_safe, f"av {version}" if is_safe else f"av {version} has known holes; install 18.1 or newer")


def _broker(settings: Settings) -> Diagnosis:
    import redis

    if not settings.redis_url and not settings.broker_socket.exists():
        return Diagnosis("broker", True, "none runs now; `qa up` starts a private one, `qa work` needs none")
    try:
        redis.Redis.from_url(settings.broker, socket_connect_timeout=2).ping()
    except redis.RedisError as error:
        return Diagnosis("broker", False, f"not reached at {settings.broker.split('@')[-1]}: {error}")
    return Diagnosis("broker", True, "answers")


def _sign_in(settings: Settings) -> Diagnosis:
    from qa.people import store
    from qa.people.types import Role
    from qa.tables.database import Database

    if settings.demo and not settings.is_loopback:
        return Diagnosis("sign-in", False, "QA_DEMO is set on an address that others reach; unset it")
    with Database(settings.database).read() as session:
        has_one = store.has_role(session, Role.ADMINISTRATOR)
    if not has_one:
        return Diagnosis("sign-in", False, "there is no administrator; run `qa users add NAME --role administrator`")
    return Diagnosis("sign-in", True, "there is an administrator")


def _disk(settings: Settings) -> Diagnosis:
    usage = shutil.disk_usage(settings.data_dir)
    share = usage.free / usage.total
    return Diagnosis("disk", share > FREE_DISK, f"{share:.0%} free" + ("" if share > FREE_DISK else "; uploads are refused until there is space"))


def _mail(settings: Settings) -> Diagnosis:
    from qa.engines.mail import sender

    try:
        sender(settings.smtp_url, settings.outbox)
    except ValueError as error:
        return Diagnosis("mail", False, str(error))
    where = settings.smtp_url.split("@")[-1] or f"files in {settings.outbox}"
    return Diagnosis("mail", True, f"goes to {where}")


def _chain(settings: Settings) -> Diagnosis:
    from qa.audit import store
    from qa.tables.database import Database

    with Database(settings.database).read() as session:
        head, lines = store.head(session), store.count(session)
    if head.event_id != lines:
        return Diagnosis("access log", False, f"{lines} lines, but its end says {head.event_id}; run `qa audit verify`")
    return Diagnosis("access log", True, f"{lines} lines; `qa audit verify` goes through them")
