"""Look an installation over, and say in words what is wrong and what to do."""

import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qa.forms.types import MessageTemplate
from qa.settings import PROJECT_ROOT, Settings

# the name by which texts are found for translation; a page says them in the reader's language
_ = MessageTemplate
Finding = tuple[bool, str]  # whether all is well, and what was found

SAFE_AV = (18, 1)
FREE_DISK = 0.05


@dataclass(frozen=True)
class Diagnosis:
    what: str
    is_ok: bool
    message: str


def examine(settings: Settings) -> list[Diagnosis]:
    """One line per thing looked at; a look that breaks is a finding of its own."""
    looks: dict[str, Callable[[Settings], Finding]] = {
        _("data folder"): _folder,
        _("database"): _database,
        _("speech model"): _model,
        _("courtesy classifier"): _courtesy,
        _("decoder"): _decoder,
        _("broker"): _broker,
        _("sign-in"): _sign_in,
        _("mail"): _mail,
        _("access log"): _chain,
        _("disk"): _disk,
    }
    found = []
    for what, look in looks.items():
        try:
            found.append(Diagnosis(what, *look(settings)))
        except Exception as error:  # noqa: BLE001  # the doctor reports what breaks
            found.append(Diagnosis(what, False, f"{type(error).__name__}: {error}"))
    return found


def _folder(settings: Settings) -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.data_dir):
        return True, _("%(path)s is writable", path=settings.data_dir)


def _database(settings: Settings) -> Finding:
    from sqlalchemy import text

    from qa.tables.database import Database
    from qa.tables.migrate import is_current

    database = Database(settings.database)
    if not is_current(database):
        return False, _("the schema is missing or old; run `qa init`")
    with database.read() as session:
        if database.engine.dialect.name == "sqlite":
            durable = session.scalar(text("PRAGMA synchronous")) == 2
        else:
            durable = session.scalar(text("SHOW synchronous_commit")) != "off"
    if not durable:
        return False, _("commits are not durable; set synchronous_commit = on")
    return True, _(
        "%(kind)s, schema up to date, commits durable", kind=database.engine.dialect.name
    )


def _model(settings: Settings) -> Finding:
    path = Path(settings.whisper_model)
    if path.is_dir():
        missing = [
            n for n in ("model.bin", "config.json", "tokenizer.json") if not (path / n).is_file()
        ]
        if missing:
            return False, _(
                "%(path)s lacks %(files)s; give a CTranslate2 Whisper folder",
                path=path,
                files=", ".join(missing),
            )
        if path.name == "earshot-tiny":
            return True, _(
                "%(name)s; the shipped model is for trials: set QA_WHISPER_MODEL for real calls",
                name=path.name,
            )
        return True, path.name
    return True, _(
        "%(name)s, fetched at first use (needs a network once)", name=settings.whisper_model
    )


def _courtesy(settings: Settings) -> Finding:
    folder = PROJECT_ROOT / "models" / "courtesy"
    missing = [n for n in ("weights.npz", "figures.json") if not (folder / n).is_file()]
    if missing:
        return False, _(
            "%(path)s lacks %(files)s; check out the repository again",
            path=folder,
            files=", ".join(missing),
        )
    return True, _("there")


def _decoder(settings: Settings) -> Finding:
    version = importlib.metadata.version("av")
    is_safe = tuple(int(p) for p in version.split(".")[:2]) >= SAFE_AV
    return is_safe, f"av {version}" if is_safe else _(
        "av %(version)s has known holes; install 18.1 or newer", version=version
    )


def _broker(settings: Settings) -> Finding:
    import redis

    if not settings.redis_url and not settings.broker_socket.exists():
        return True, _("none runs now; `qa up` starts a private one, `qa work` needs none")
    try:
        redis.Redis.from_url(settings.broker, socket_connect_timeout=2).ping()
    except redis.RedisError as error:
        return False, _(
            "not reached at %(where)s: %(error)s", where=settings.broker.split("@")[-1], error=error
        )
    return True, _("answers")


def _sign_in(settings: Settings) -> Finding:
    from qa.people import store
    from qa.states import Role
    from qa.tables.database import Database

    if settings.demo and not settings.is_loopback:
        return False, _("QA_DEMO is set on an address that others reach; unset it")
    with Database(settings.database).read() as session:
        has_one = store.has_role(session, Role.ADMINISTRATOR)
    if not has_one:
        return False, _("there is no administrator; run `qa users add NAME --role administrator`")
    return True, _("there is an administrator")


def _disk(settings: Settings) -> Finding:
    usage = shutil.disk_usage(settings.data_dir)
    share = usage.free / usage.total
    free = f"{share:.0%}"
    if share > FREE_DISK:
        return True, _("%(share)s free", share=free)
    return False, _("%(share)s free; uploads are refused until there is space", share=free)


def _mail(settings: Settings) -> Finding:
    from qa.engines.mail import sender

    try:
        sender(settings.smtp_url, settings.outbox)
    except ValueError as error:
        return False, str(error)
    if not settings.smtp_url:
        return True, _("goes to files in %(path)s", path=settings.outbox)
    return True, _("goes to %(where)s", where=settings.smtp_url.split("@")[-1])


def _chain(settings: Settings) -> Finding:
    from qa.audit import store
    from qa.tables.database import Database

    with Database(settings.database).read() as session:
        head, lines = store.head(session), store.count(session)
    if head.event_id != lines:
        return False, _(
            "%(lines)s lines, but its end says %(end)s; run `qa audit verify`",
            lines=lines,
            end=head.event_id,
        )
    return True, _("%(lines)s lines; `qa audit verify` goes through them", lines=lines)
