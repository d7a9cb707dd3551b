"""Share what every command needs: output, refusals, wiring."""

import json
from pathlib import Path
from typing import Any

import click

from qa.settings import PROJECT_ROOT, Settings, load

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def settings() -> Settings:
    """Load the settings of this process."""
    return load()


def echo_err(*words: object) -> None:
    click.echo(" ".join(map(str, words)), err=True)


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


class Refusal(click.ClickException):
    """An expected failure: one clear line, exit 1."""

    def show(self, file: Any = None) -> None:
        echo_err(f"error: {self.message}")


def load_wiring() -> Any:
    """Build the wiring of this installation. Raises Refusal where the schema is not current."""
    from qa.tables.migrate import is_current
    from qa.wiring import Wiring

    wiring = Wiring.build(settings())
    if not is_current(wiring.database):
        raise Refusal("the database is not set up or not up to date; run `qa init`")
    return wiring


def form_named(name: str) -> Any:
    """Read a form by file, or by the id of a shipped one (the newest version)."""
    from qa.forms.reader import read_form
    from qa.forms.types import FormFaults

    path = Path(name)
    if not path.is_file():
        shipped = sorted(
            (PROJECT_ROOT / "scoring_forms").glob(f"{name}.v*.yaml"),
            key=lambda file: int(file.stem.rsplit(".v", 1)[1]),
        )
        if not shipped or not name.isidentifier():
            raise Refusal(
                f"no form {name!r}: give a YAML file, or one of"
                f" {', '.join(sorted(shipped_forms()))}"
            )
        path = shipped[-1]
    try:
        return read_form(path.read_text(encoding="utf-8"), file=path.name)
    except FormFaults as faults:
        raise Refusal(f"the form has faults:\n{faults}") from faults
    except UnicodeDecodeError as error:
        raise Refusal(f"{path.name} is not UTF-8 text") from error


def shipped_forms() -> set[str]:
    return {file.name.split(".")[0] for file in (PROJECT_ROOT / "scoring_forms").glob("*.yaml")}


def document_in(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Refusal(f"{path.name} is not a JSON document: {error}") from error
