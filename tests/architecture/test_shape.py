"""The shape of the house: imports run down, stages hold four files, names are kept."""

import re
from pathlib import Path

import pytest

from qa.settings import PROJECT_ROOT
from tests.architecture import house

SOURCES = house.sources(PROJECT_ROOT)


def test_imports_run_down_the_house():
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    assert (
        lint_imports(config_filename=str(PROJECT_ROOT / "pyproject.toml"), no_cache=True)
        == EXIT_STATUS_SUCCESS
    )


def test_a_stage_holds_the_same_four_files_as_every_other():
    assert len(house.stages(PROJECT_ROOT)) >= 15
    assert not house.extra_file_faults(PROJECT_ROOT)


def test_a_stage_calls_the_service_of_another_never_its_store():
    assert not house.store_import_faults(PROJECT_ROOT)


def test_the_table_of_store_imports_to_end_only_shrinks():
    assert not house.stale_store_imports(PROJECT_ROOT)
    assert len(house.STORE_IMPORTS_TO_END) <= 10


def test_no_exception_outlives_its_file():
    assert not house.stale_exceptions(PROJECT_ROOT)


def test_there_is_no_attic():
    assert not house.attic_faults(PROJECT_ROOT)


def test_stages_neither_open_nor_end_a_transaction():
    assert not house.transaction_faults(PROJECT_ROOT)


def test_rules_never_look_at_the_clock():
    assert not house.clock_faults(PROJECT_ROOT)


def test_every_module_and_every_longer_verb_says_what_it_promises():
    assert not house.silent_faults(PROJECT_ROOT)


def test_nothing_infers_what_somebody_feels():
    """EU AI Act art. 5(1)(f): no field, rule or label about emotion exists, whatever the
    configuration.
    """
    words = re.compile(
        r"\b(emotions?|sentiment|mood|stress_level|arousal|valence|anger"
        r"|frustration_score|voiceprint)\b",
        re.I,
    )
    for path in [*SOURCES, *(PROJECT_ROOT / "scoring_forms").glob("*.yaml")]:
        code = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
        code = re.sub(r'"""[\s\S]*?"""', "", code)
        assert not words.search(code), path


def test_no_unfinished_business():
    for path in SOURCES:
        assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", path.read_text()), path


def test_the_map_in_the_readme_names_every_folder():
    readme = (PROJECT_ROOT / "README.md").read_text()
    folders = [
        p.name
        for p in (PROJECT_ROOT / "qa").iterdir()
        if p.is_dir() and (p / "__init__.py").exists()
    ]
    assert not [f for f in folders if f"{f}/" not in readme]
    assert Path(PROJECT_ROOT / "docs").is_dir()


def test_the_map_in_contributing_names_every_module_of_the_house():
    text = (PROJECT_ROOT / "CONTRIBUTING.md").read_text()
    drawing = text.split("## The map")[1].split("```")[1]
    modules = {path.stem for path in (PROJECT_ROOT / "qa").glob("*.py")}
    modules |= set(house.folders(PROJECT_ROOT))
    assert not modules - {"__init__", "__main__"} - set(re.findall(r"\w+", drawing))


def test_nothing_of_an_installation_lies_in_the_repository():
    """A database and a key were once committed by accident."""
    import subprocess

    tracked = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("not a clone")
    kept = [PROJECT_ROOT / name for name in tracked if (PROJECT_ROOT / name).is_file()]
    assert not [
        p
        for p in kept
        if p.suffix in (".db", ".db-wal", ".db-shm", ".sqlite", ".log", ".key", ".pem")
        or p.name in ("secret", ".env")
    ]
    assert not [
        p for p in kept if p.stat().st_size > 2_000_000 and not {"models", "fonts"} & set(p.parts)
    ]
