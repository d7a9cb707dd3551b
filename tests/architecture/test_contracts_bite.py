"""Plant a fault in a copy of the house and see the contracts turn red, one sentence per fault."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from qa.settings import PROJECT_ROOT
from tests.architecture import house

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sources once; a check of the sound copy fills the cache of the import graph."""
    root = tmp_path_factory.mktemp("house")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", root)
    for folder in ("qa", "tests/architecture"):
        shutil.copytree(
            PROJECT_ROOT / folder,
            root / folder,
            ignore=shutil.ignore_patterns(
                "__pycache__", "static", "templates", "translations", "fonts"
            ),
        )
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=root, capture_output=True, text=True, check=False
    )


@contextmanager
def planted(path: Path, addition: str) -> Iterator[None]:
    """Append text to a file, or create it, and restore what was there."""
    before = path.read_text() if path.exists() else None
    is_new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_text((before or "FAULT = True\n") + addition)
    try:
        yield
    finally:
        if is_new_folder:
            shutil.rmtree(path.parent)
        elif before is None:
            path.unlink()
        else:
            path.write_text(before)


def test_a_sound_copy_passes_every_check(copy):
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert house.all_faults(copy) == {}


@dataclass(frozen=True)
class Fault:
    """A line to append to a file, and words of the message that must name the broken rule."""

    file: str
    addition: str
    message: str


IMPORT_FAULTS = {
    "pure rules import a store of another stage": Fault(
        "qa/people/rules.py",
        "\nfrom qa.scoring import store\n",
        "Rules and types call no store and no service BROKEN",
    ),
    "pure rules import the store of their own stage": Fault(
        "qa/scoring/rules.py",
        "\nfrom qa.scoring import store\n",
        "Rules and types call no store and no service BROKEN",
    ),
    "a file of a rules package imports tables": Fault(
        "qa/checking/rules/words.py",
        "\nfrom qa.tables.calls import CallRow\n",
        "Rules and types load no database",
    ),
    "rules import tables inside a function": Fault(
        "qa/cases/rules.py",
        "\n\ndef lazy() -> object:\n    import qa.tables.cases\n    return qa.tables.cases\n",
        "Rules and types load no database",
    ),
    "types import SQLAlchemy": Fault(
        "qa/notices/types.py",
        "\nimport sqlalchemy\n",
        "Rules and types load no database",
    ),
    "states load SQLAlchemy through another module": Fault(
        "qa/months.py",
        "\nfrom qa.tables import database\n",
        "Rules and types load no database",
    ),
    "a service imports Flask": Fault(
        "qa/disputes/service.py",
        "\nfrom flask import g\n",
        "Stages know nothing of web, broker or engines' libraries BROKEN",
    ),
    "publishing asks for a request": Fault(
        "qa/publishing/files.py",
        "\nfrom flask import current_app\n",
        "Stages know nothing of web, broker or engines' libraries BROKEN",
    ),
    "a service touches tables": Fault(
        "qa/cases/service.py",
        "\nfrom qa.tables.cases import CaseRow\n",
        "Only stores and the simulated centre touch tables BROKEN",
    ),
    "a page touches tables": Fault(
        "qa/web/cases.py",
        "\nfrom qa.tables.cases import CaseRow\n",
        "Only stores and the simulated centre touch tables BROKEN",
    ),
    "a store calls the service above it": Fault(
        "qa/scoring/store.py",
        "\nfrom qa.scoring import service\n",
        "In every folder service stands on store",
    ),
    "an early stage looks forward to a later one": Fault(
        "qa/intake/service.py",
        "\nfrom qa.scoring import types\n",
        "A call travels one way",
    ),
    "a stage imports the web": Fault(
        "qa/reporting/service.py",
        "\nfrom qa.web import language\n",
        "A call travels one way",
    ),
    "a new module stands in no layer": Fault(
        "qa/gossip.py",
        "",
        "not listed as layers",
    ),
    "a new folder stands in no layer": Fault(
        "qa/gossip/__init__.py",
        "",
        "not listed as layers",
    ),
}


@pytest.mark.parametrize("sentence", IMPORT_FAULTS)
def test_import_contracts_turn_red_when(copy, sentence):
    fault = IMPORT_FAULTS[sentence]
    with planted(copy / fault.file, fault.addition):
        result = lint(copy)
    assert result.returncode == 1
    assert fault.message in " ".join(result.stdout.split())


SHAPE_FAULTS = {
    "a service commits": Fault(
        "qa/scoring/service.py",
        "\n\ndef hasty(session: Session) -> None:\n    session.commit()\n",
        "no transaction in a stage",
    ),
    "a service of a stage that no list names commits through another name": Fault(
        "qa/disputes/service.py",
        "\n\ndef sly(session: Session) -> None:\n    end = session.commit\n    end()\n",
        "no transaction in a stage",
    ),
    "a store rolls back": Fault(
        "qa/cases/store.py",
        "\n\ndef forget(session: Session) -> None:\n    session.rollback()\n",
        "no transaction in a stage",
    ),
    "a service opens a transaction of its own": Fault(
        "qa/people/service.py",
        "\n\ndef alone(database: object) -> None:\n    with database.write():\n        pass\n",
        "no transaction in a stage",
    ),
    "a service imports the store of another stage": Fault(
        "qa/fairness/service.py",
        "\nfrom qa.scoring import store as scorecards\n",
        "no store of another stage",
    ),
    "a service imports a function from the store of another stage": Fault(
        "qa/targets/service.py",
        "\nfrom qa.people.store import agent_name\n",
        "no store of another stage",
    ),
    "a service imports a second store of another stage": Fault(
        "qa/scoring/service.py",
        "\nimport qa.sampling.frame_store\n",
        "no store of another stage",
    ),
    "a service imports the store of another stage inside a function": Fault(
        "qa/cases/service.py",
        "\n\ndef lazy() -> object:\n    from qa.intake import store\n    return store\n",
        "no store of another stage",
    ),
    "a stage gets a fifth file": Fault(
        "qa/scoring/arithmetic.py",
        "",
        "four files per stage",
    ),
    "a stage gets a fifth file that is a folder": Fault(
        "qa/disputes/rounds/first.py",
        "",
        "four files per stage",
    ),
    "a new stage that no list names has a file of its own kind": Fault(
        "qa/rumours/whispers.py",
        "",
        "four files per stage",
    ),
    "there is a helpers2": Fault(
        "qa/scoring/helpers2.py",
        "",
        "no attic",
    ),
    "there is a file of date utilities": Fault(
        "qa/web/date_utils.py",
        "",
        "no attic",
    ),
    "a module keeps silent about what it is for": Fault(
        "qa/jobs/mute.py",
        "",
        "no silent module",
    ),
    "rules look at the clock": Fault(
        "qa/disputes/rules.py",
        "\n\ndef today() -> date:\n    return date.today()\n",
        "no clock in rules",
    ),
}


@pytest.mark.parametrize("sentence", SHAPE_FAULTS)
def test_shape_tests_turn_red_when(copy, sentence):
    fault = SHAPE_FAULTS[sentence]
    with planted(copy / fault.file, fault.addition):
        assert house.CHECKS[fault.message](copy)


def test_every_check_of_the_shape_has_a_fault_that_proves_it():
    proved = {fault.message for fault in SHAPE_FAULTS.values()}
    assert proved == set(house.CHECKS)
