"""One frozen record of settings; nothing else reads the environment."""

import functools
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def _(text: str) -> str:
    """Marks a description for translation; the installation's page says it in the reader's
    language.
    """
    return text


@dataclass(frozen=True)
class Setting:
    """A setting as it holds: its environment variable, what it does, its value without secrets, and
    where that comes from.
    """

    name: str
    description: str
    value: str
    origin: str  # environment, program or default


class Settings(BaseSettings):
    """The settings that an installation may choose.

    Every field is an environment variable `QA_<NAME>` and has a row in docs/operations.md.
    """

    model_config = SettingsConfigDict(env_prefix="QA_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        PROJECT_ROOT / "var",
        description=_("Where the database, recordings and the private broker live."),
    )
    database_url: str = Field(
        "",
        description=_(
            "SQLAlchemy URL; empty: SQLite in the data folder. PostgreSQL: postgresql+psycopg://…"
        ),
    )
    redis_url: str = Field(
        "", description=_("The broker; empty: `qa up` starts a private one in the data folder.")
    )
    storage_url: str = Field(
        "", description=_("fsspec URL for recordings; empty: a folder in the data folder.")
    )
    secret_key: str = Field(
        "", description=_("Signs CSRF tokens; empty: made once and kept in the data folder.")
    )
    host: str = Field("127.0.0.1", description=_("Address the web server listens on."))
    port: int = Field(8000, ge=1, le=65535, description=_("Port the web server listens on."))
    web_processes: int = Field(
        0,
        ge=0,
        le=32,
        description=_(
            "Web processes of `qa up` on one port (Linux); 0: half of this machine's cores, at"
            " most 4."
        ),
    )
    demo: bool = Field(
        False, description=_("One-button sign-in per role. Refused unless the host is loopback.")
    )
    cookie_secure: bool = Field(
        False,
        description=_(
            "Set behind HTTPS: the session cookie is then Secure and carries the __Host- prefix."
        ),
    )
    whisper_model: str = Field(
        str(PROJECT_ROOT / "models/speech/earshot-tiny"),
        description=_("A Whisper name (small, large-v3-turbo, …) or a CTranslate2 folder."),
    )
    whisper_device: str = Field(
        "auto", pattern="^(auto|cpu|cuda)$", description=_("Where the speech model runs.")
    )
    whisper_compute: str = Field(
        "auto",
        description=_("CTranslate2 compute type; auto: int8 on a processor, float16 on CUDA."),
    )
    cpu_threads: int = Field(
        0,
        ge=0,
        description=_(
            "Threads per transcriber; 0: the cores of this machine divided by the workers."
        ),
    )
    workers: int = Field(1, ge=1, le=64, description=_("Worker processes that `qa up` starts."))
    transcriber: str = Field(
        "whisper",
        pattern="^(whisper|scripted)$",
        description=_(
            "`scripted` reads the words spoken from a file beside the recording: for tests."
        ),
    )
    reporting_timezone: str = Field(
        "Europe/Rome", description=_("Months and days are cut in this zone.")
    )
    default_language: str = Field(
        "en",
        pattern="^(en|it|zh)$",
        description=_("Language of pages before a person has chosen one."),
    )
    max_upload_megabytes: int = Field(200, ge=1, description=_("Largest file accepted by intake."))
    max_call_seconds: int = Field(
        4 * 3600, ge=10, description=_("Longest recording accepted by intake.")
    )
    decoder_memory_megabytes: int = Field(
        1536,
        ge=256,
        description=_("Memory limit of the child process that decodes untrusted audio."),
    )
    private_names: str = Field(
        "", description=_("Names to mask in every transcript, with commas between.")
    )
    lease_minutes: int = Field(
        45,
        ge=1,
        description=_("How long a claimed call stays with its evaluator without a sign of life."),
    )
    session_hours: int = Field(12, ge=1, description=_("A sign-in ends after this time."))
    minimum_cards: int = Field(
        3, ge=2, description=_("Fewer scorecards than this give no figure in a report.")
    )
    new_hire_days: int = Field(
        90, ge=0, description=_("An agent counts as new for this many days after hiring.")
    )
    dispute_decide_days: int = Field(
        5,
        ge=1,
        description=_(
            "A dispute should be decided within this many days; then it rises to the next level."
        ),
    )
    public_url: str = Field(
        "",
        description=_(
            "Where people reach the pages, for the links in mails; empty: the host and port above."
        ),
    )
    smtp_url: str = Field(
        "",
        description=_(
            "smtp://user:password@host:587 (STARTTLS where offered) or smtps://…; empty: mails are"
            " files in the data folder."
        ),
    )
    mail_from: str = Field("earshot@localhost", description=_("Sender of the mails."))
    double_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description=_(
            "Share of the drawn calls that a second evaluator scores too, neither seeing the other."
        ),
    )
    blind_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description=_(
            "Share of the drawn calls scored without seeing the automatic answers, to measure"
            " these."
        ),
    )
    expire_days: int = Field(
        60,
        ge=1,
        description=_(
            "A drawn call that nobody has scored this many days after it was due leaves the queue."
        ),
    )
    score_due_days: int = Field(
        5, ge=1, description=_("A drawn call should be scored within this many days.")
    )

    @field_validator("reporting_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    def describe(self) -> list[Setting]:
        """Every setting with where it comes from; keys and passwords are left out."""
        found = []
        for name, field in type(self).model_fields.items():
            variable, value = f"QA_{name.upper()}", str(getattr(self, name))
            origin = "program" if name in self.model_fields_set else "default"
            if variable in os.environ:
                origin = "environment"
            shown = (
                "•••"
                if name == "secret_key" and value
                else re.sub(r"//([^/@:]*):[^@]*@", r"//\1:•••@", value)
            )
            found.append(Setting(variable, field.description or "", shown, origin))
        return found

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_timezone)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'earshot.db'}"

    @property
    def storage(self) -> str:
        return self.storage_url or f"file://{self.data_dir / 'recordings'}"

    @property
    def broker_socket(self) -> Path:
        return self.data_dir / "broker" / "valkey.sock"

    @property
    def broker(self) -> str:
        return self.redis_url or f"unix://{self.broker_socket}"

    @property
    def names_to_mask(self) -> tuple[str, ...]:
        return tuple(n.strip() for n in self.private_names.split(",") if n.strip())

    @property
    def threads(self) -> int:
        return self.cpu_threads or max(1, (os.cpu_count() or 1) // self.workers)

    @property
    def web_process_count(self) -> int:
        """How many web processes share the port; one where the system cannot share it."""
        if not sys.platform.startswith("linux"):
            return 1
        return self.web_processes or max(1, min(4, (os.cpu_count() or 1) // 2))

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}

    @property
    def outbox(self) -> Path:
        return self.data_dir / "outbox"

    @property
    def link_base(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def demo_sign_in(self) -> bool:
        """One-button sign-in is offered only where nobody else can reach it."""
        return self.demo and self.is_loopback


@functools.cache
def load() -> Settings:
    """The settings of this process, read once."""
    settings = Settings()
    # librosa compiles; a read-only HOME must not stop it
    os.environ.setdefault("NUMBA_CACHE_DIR", str(settings.data_dir / "numba"))
    return settings
