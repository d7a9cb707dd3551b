"""Measure how well the sources can be read.

`python -m tests.architecture.legibility [--where] [ROOT]` prints the table of a source tree, with
`--where` also the place of each line, name, expression and docstring that counts against it.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.house import logic_lines, parse, sources

# Names that say what happened to a value instead of what it is.
VAGUE_NAMES = set(
    "found made said given asked kept told heard shown known seen met wanted done".split()
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WEAK_OPENING = re.compile(r"(What|Who|Whose|Of|Where)\b")


@dataclass(frozen=True, repr=False)
class Legibility:
    """Hold the figures of one tree. Lines are counted without blank ones, files without empty ones.

    A size in lines is in lines of logic: without blanks, comments and docstrings.
    """

    file_sizes: list[int]
    function_sizes: list[int]
    test_lines: int
    widths: list[int]
    template_widths: list[int]
    names: list[str]
    conditionals: int
    nested_conditionals: list[str]
    module_docstrings: list[str]
    docstrings: list[str]

    @property
    def code_lines(self) -> int:
        """Return the lines of logic of the application."""
        return sum(self.file_sizes)

    @property
    def vague_share(self) -> float:
        """Return the share of stored names that are vague."""
        return share(self.names, lambda name: name in VAGUE_NAMES)

    @property
    def short_names_per_1000(self) -> float:
        """Return the stored names of one or two letters per 1000 lines of logic."""
        return 1000 * sum(len(name) <= 2 for name in self.names) / self.code_lines

    @property
    def weak_docstring_share(self) -> float:
        """Return the share of docstrings that begin with What, Who, Whose, Of or Where."""
        return share(self.docstrings, is_weak)

    def rows(self) -> list[tuple[str, str]]:
        """Format the figures as rows of a table: label and value."""
        widths, pages = self.widths, self.template_widths
        conditionals = 1000 * self.conditionals / self.code_lines
        nested = len(self.nested_conditionals)
        vague = sum(name in VAGUE_NAMES for name in self.names)
        weak_modules = share(self.module_docstrings, is_weak)
        return [
            ("files; functions", f"{len(self.file_sizes)}; {len(self.function_sizes)}"),
            ("file median / p95 / max", sizes(self.file_sizes)),
            ("function median / p95 / max", sizes(self.function_sizes)),
            ("functions over 90 / files over 700", self.oversized()),
            ("Python lines > 100 / > 120", f"{over(widths, 100)} / {over(widths, 120)}"),
            ("template lines > 160", over(pages, 160)),
            ("template line p90; longest", f"{quantile(pages, 0.9)}; {max(pages, default=0)}"),
            ("stored names that are vague", f"{self.vague_share:.1%} ({vague})"),
            ("names of 1-2 letters per 1000 lines", f"{self.short_names_per_1000:.0f}"),
            ("conditional expressions per 1000 lines", f"{conditionals:.0f} ({nested} nested)"),
            ("docstrings that begin What/Who/...", f"{self.weak_docstring_share:.1%}"),
            ("  of modules alone", f"{weak_modules:.1%}"),
            ("test lines / code lines", f"{self.test_lines / self.code_lines:.2f}"),
            ("lines of logic", str(self.code_lines)),
        ]

    def oversized(self) -> str:
        """Format the number of functions and files beyond the limits."""
        functions = sum(size > 90 for size in self.function_sizes)
        return f"{functions} / {sum(size > 700 for size in self.file_sizes)}"


def measure(root: Path) -> Legibility:
    """Measure the tree whose application lies in `root/qa`."""
    texts = {path: path.read_text() for path in sources(root)}
    trees = {str(path.relative_to(root)): parse(text) for path, text in texts.items()}
    nodes = [(file, node) for file, tree in trees.items() for node in ast.walk(tree)]
    return Legibility(
        file_sizes=sorted(size for size in map(logic_lines, trees.values()) if size),
        function_sizes=sorted(
            logic_lines(node) for _, node in nodes if isinstance(node, FUNCTIONS)
        ),
        test_lines=sum(
            logic_lines(parse(path.read_text())) for path in (root / "tests").rglob("*.py")
        ),
        widths=line_widths(texts.values()),
        template_widths=line_widths(
            path.read_text() for path in (root / "qa" / "web" / "templates").rglob("*.html")
        ),
        names=[
            node.id
            for _, node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ],
        conditionals=sum(isinstance(node, ast.IfExp) for _, node in nodes),
        nested_conditionals=[
            f"{file}:{node.lineno}" for file, node in nodes if is_nested_conditional(node)
        ],
        module_docstrings=docstrings(trees.values()),
        docstrings=docstrings(node for _, node in nodes),
    )


def docstrings(nodes: Iterable[ast.AST]) -> list[str]:
    """List the docstrings of those nodes that have one."""
    texts = (
        ast.get_docstring(node)
        for node in nodes
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS))
    )
    return [text for text in texts if text]


def is_weak(text: str) -> bool:
    """Tell whether a docstring begins with What, Who, Whose, Of or Where."""
    return WEAK_OPENING.match(text) is not None


def is_nested_conditional(node: ast.AST) -> bool:
    """Tell whether a conditional expression holds another one anywhere inside."""
    return isinstance(node, ast.IfExp) and any(
        isinstance(inner, ast.IfExp) for inner in ast.walk(node) if inner is not node
    )


def line_widths(texts: Iterable[str]) -> list[int]:
    """Return the widths of all lines that are not blank, in order of width."""
    return sorted(len(line) for text in texts for line in text.splitlines() if line.strip())


def share(items: list[str], condition: Callable[[str], bool]) -> float:
    """Return the share of items that fulfil a condition."""
    return sum(map(condition, items)) / max(1, len(items))


def over(widths: list[int], limit: int) -> str:
    """Format how many lines are wider than a limit, with their share."""
    count = sum(width > limit for width in widths)
    return f"{count} ({count / max(1, len(widths)):.1%})"


def quantile(ordered: list[int], level: float) -> int:
    """Return the value at a level of an ordered list."""
    return ordered[min(len(ordered) - 1, int(level * len(ordered)))]


def sizes(ordered: list[int]) -> str:
    """Format median, 95th percentile and maximum."""
    return f"{quantile(ordered, 0.5)} / {quantile(ordered, 0.95)} / {ordered[-1]}"


def offences(root: Path) -> Iterator[str]:
    """Yield place and kind of everything that the goals count."""
    for path in sources(root):
        file, text = path.relative_to(root), path.read_text()
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > 100:
                yield f"{file}:{number} {len(line)} characters"
        for node in ast.walk(parse(text)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                if node.id in VAGUE_NAMES:
                    yield f"{file}:{node.lineno} vague name {node.id}"
                elif len(node.id) <= 2 and node.id != "_":
                    yield f"{file}:{node.lineno} short name {node.id}"
            if is_nested_conditional(node):
                yield f"{file}:{node.lineno} nested conditional expression"
            for docstring in filter(is_weak, docstrings([node])):
                line = getattr(node, "lineno", 1)
                yield f"{file}:{line} docstring {docstring.splitlines()[0]!r}"


def main() -> None:
    """Print the table of the tree that is named, or of this one."""
    paths = [Path(argument) for argument in sys.argv[1:] if argument != "--where"]
    root = (paths[0] if paths else Path(__file__).parents[2]).resolve()
    if "--where" in sys.argv:
        print("\n".join(offences(root)))
    for label, value in measure(root).rows():
        print(f"{label:<42} {value}")


if __name__ == "__main__":
    main()
