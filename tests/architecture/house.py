"""Check the shape of a source tree; every check takes the root of a tree and returns its faults.

The root is an argument so that `test_contracts_bite` can plant faults in a copy.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

# Folders of qa/ that are no stage. Every other folder is one, and is held to the four files.
ROOMS = {
    "cli": "the command line, an edge",
    "engines": "models, decoder, mail and storage behind plain functions",
    "jobs": "task ledger, broker and workers, an edge",
    "simulation": "an invented centre for demonstrations and load tests",
    "statistics": "formulas without a database",
    "tables": "the schema, its migrations and the database",
    "web": "the pages, an edge",
}

FOUR_FILES = {"__init__", "types", "rules", "store", "service"}

# What a stage holds beyond the four files, and why. Anything else is a fault.
EXTRA_FILES: dict[str, dict[str, str]] = {
    "forms": {
        "reader": "reads a form's YAML and names every mistake with its line",
        "fields": "describes the fields of a rule, from which the editor's pages are made",
        "editing": "changes a form as text, so that comments and order survive",
    },
    "publishing": {
        "blocks": "one file per part of a report document",
        "charts": "draws a report's charts as SVG",
        "delivery": "hands finished reports to folders and mail",
        "document": "builds the report as data that every format is made from",
        "files": "makes the PDF, XLSX, HTML and JSON files",
        "typesetting": "sets a document as PDF",
        "workbook": "writes a report as a workbook with live tables",
    },
    "reporting": {
        "month": "assembles a month's report",
        "target_progress": "measures a month against its targets",
        "trends": "builds the series of the trend charts",
    },
    "sampling": {
        "frame_store": "queries the sampling frame, a subject of its own beside plans and draws",
    },
}

# A stage calls another's service, never its store. These pairs remain; the table only shrinks.
STORE_IMPORTS_TO_END = {
    ("jobs", "intake"),
    ("simulation", "sampling"),
    ("training", "people"),
    ("training", "targets"),
}

# The audit has no service: `record_event` is what every verb calls, and it lies under all stages.
OPEN_STORES = {"audit"}

# Files of stages that open transactions of their own, and why. Elsewhere the edge owns them.
OWN_TRANSACTIONS = {
    "qa/publishing/delivery.py": "a periodic duty: each run commits before and after its files",
    "qa/publishing/files.py": "counts in one read and lets go of it before it renders for seconds",
}

ATTIC = {
    "util",
    "utils",
    "utilities",
    "helper",
    "helpers",
    "common",
    "misc",
    "manager",
    "managers",
    "stuff",
}


@lru_cache(maxsize=1024)
def parse(text: str) -> ast.Module:
    """Parse a file's text, once for equal texts."""
    return ast.parse(text)


def sources(root: Path) -> list[Path]:
    """List the Python files of the application, without the migrations."""
    return [path for path in sorted((root / "qa").rglob("*.py")) if "migrations" not in path.parts]


def folders(root: Path) -> list[str]:
    """List the folders directly under qa/ that hold Python files."""
    return sorted(
        path.name for path in (root / "qa").iterdir() if path.is_dir() and any(path.rglob("*.py"))
    )


def stages(root: Path) -> list[str]:
    """List the stages: every package of qa/ that is not named in ROOMS."""
    return [name for name in folders(root) if name not in ROOMS]


def stage_files(root: Path, stage: str) -> Iterator[Path]:
    """Yield the Python files of a stage, those of its packages included."""
    yield from sorted((root / "qa" / stage).rglob("*.py"))


def extra_file_faults(root: Path) -> list[str]:
    """Find files and folders of stages that are neither one of the four nor in EXTRA_FILES."""
    faults = []
    for stage in stages(root):
        allowed = FOUR_FILES | set(EXTRA_FILES.get(stage, {}))
        for path in sorted((root / "qa" / stage).iterdir()):
            is_module = path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))
            if is_module and path.stem not in allowed:
                faults.append(f"qa/{stage}/{path.name} is a fifth file")
    return faults


def stale_exceptions(root: Path) -> list[str]:
    """Find files that EXTRA_FILES or OWN_TRANSACTIONS name and that are gone."""
    extra = [f"qa/{stage}/{name}" for stage, reasons in EXTRA_FILES.items() for name in reasons]
    own = [name.removesuffix(".py") for name in OWN_TRANSACTIONS]
    return [
        name
        for name in extra + own
        if not (root / name).is_dir() and not (root / f"{name}.py").is_file()
    ]


def store_imports(root: Path) -> dict[tuple[str, str], list[str]]:
    """Map each pair (folder of a service, folder of the store it imports) to the places."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for service in sorted((root / "qa").glob("*/service.py")):
        for line, module in imported_modules(service):
            parts = module.split(".")
            if len(parts) < 3 or parts[0] != "qa" or not re.search(r"(^|_)store$", parts[2]):
                continue
            if parts[1] != service.parent.name and parts[1] not in OPEN_STORES:
                place = f"{service.relative_to(root)}:{line}"
                pairs.setdefault((service.parent.name, parts[1]), []).append(place)
    return pairs


def store_import_faults(root: Path) -> list[str]:
    """Find services that import the store of another stage and are not in the table."""
    return [
        f"{place} imports the store of {pair[1]}"
        for pair, places in store_imports(root).items()
        if pair not in STORE_IMPORTS_TO_END
        for place in places
    ]


def stale_store_imports(root: Path) -> set[tuple[str, str]]:
    """Return the pairs of STORE_IMPORTS_TO_END that no service needs any more."""
    return STORE_IMPORTS_TO_END - set(store_imports(root))


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything a file imports, inside functions too.

    `from qa.people import store` yields both `qa.people` and `qa.people.store`.
    """
    for node in ast.walk(parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def transaction_faults(root: Path) -> list[str]:
    """Find files of stages that open or end a transaction: that is for web, jobs and commands."""
    faults = []
    for path in (path for stage in stages(root) for path in stage_files(root, stage)):
        if str(path.relative_to(root)) in OWN_TRANSACTIONS:
            continue
        nodes = list(ast.walk(parse(path.read_text())))
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        faults += [
            f"{path.relative_to(root)}:{node.lineno} .{node.attr}"
            for node in nodes
            if isinstance(node, ast.Attribute)
            and _opens_or_ends_transaction(node, is_called=id(node) in called)
        ]
    return faults


def _opens_or_ends_transaction(node: ast.Attribute, *, is_called: bool) -> bool:
    """Recognise `.commit`, `.rollback`, `.begin()`, and `read` or `write` of a database.

    `begin_nested` is allowed: a savepoint leaves the transaction to the edge.
    """
    if node.attr in ("commit", "rollback"):
        return True
    if node.attr == "begin":
        return is_called
    owner = node.value
    names = (getattr(owner, "id", ""), getattr(owner, "attr", ""))
    return node.attr in ("read", "write") and "database" in names


def clock_faults(root: Path) -> list[str]:
    """Find rules that read the clock or draw random numbers instead of getting them passed in."""
    clock = re.compile(r"\b(datetime\.now|date\.today|random\.|time\.time)\(")
    return [
        str(path.relative_to(root))
        for path in sources(root)
        if (path.stem == "rules" or path.parent.name == "rules") and clock.search(path.read_text())
    ]


def attic_faults(root: Path) -> list[str]:
    """Find files and folders named after nothing, such as `helpers2.py` or `date_utils.py`."""
    faults = []
    for path in sources(root):
        for part in path.relative_to(root).parts:
            words = re.split(r"[_\d]+", part.removesuffix(".py").lower())
            if ATTIC & set(words):
                faults.append(str(path.relative_to(root)))
    return faults


def silent_faults(root: Path) -> list[str]:
    """Find modules without a docstring, and verbs of services longer than six lines without one."""
    faults = []
    for path in sources(root):
        tree = parse(path.read_text())
        if tree.body and ast.get_docstring(tree) is None:
            faults.append(str(path.relative_to(root)))
        if path.name != "service.py":
            continue
        faults += [
            f"{path.relative_to(root)} {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and logic_lines(node) > 6
            and ast.get_docstring(node) is None
        ]
    return faults


def logic_lines(node: ast.AST) -> int:
    """Count the lines that hold statements: no blanks, comments or docstrings."""
    lines: set[int] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.stmt) and not (
            isinstance(child, ast.Expr)
            and isinstance(child.value, ast.Constant)
            and isinstance(child.value.value, str)
        ):
            own = (
                child.body[0].lineno - 1
                if hasattr(child, "body") and isinstance(child.body, list) and child.body
                else child.end_lineno
            )
            lines.update(range(child.lineno, max(child.lineno, own or child.lineno) + 1))
    return len(lines)


CHECKS = {
    "four files per stage": extra_file_faults,
    "no store of another stage": store_import_faults,
    "no transaction in a stage": transaction_faults,
    "no clock in rules": clock_faults,
    "no attic": attic_faults,
    "no silent module": silent_faults,
}


def all_faults(root: Path) -> dict[str, list[str]]:
    """Run every check on a tree and return the faults of those that found any."""
    results = {name: check(root) for name, check in CHECKS.items()}
    return {name: faults for name, faults in results.items() if faults}
