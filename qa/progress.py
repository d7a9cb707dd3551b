"""Report progress on stderr: a bar on a terminal, a line now and then elsewhere.

Always on stderr.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

EVERY_SECONDS = 10


def progress(items: Sequence[Any], what: str) -> Iterator[Any]:
    """Yield the items one by one, with a bar."""
    with counting(what, len(items)) as tick:
        for i, item in enumerate(items):
            yield item
            tick(getattr(item, "name", ""), len(items) - i - 1)


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[str, int], None]]:
    """Count steps: call the yielded function after each with its name and how many are left.

    The total may grow on the way.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        finished, last_line = 0, time.monotonic()

        def line(step: str, left: int) -> None:
            nonlocal finished, last_line
            finished += 1
            if left == 0 or time.monotonic() - last_line > EVERY_SECONDS:
                last_line = time.monotonic()
                console.print(f"{what}: {finished} of {finished + left} ({step})", highlight=False)

        yield line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[step]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, step="")
        finished = 0

        def advance(step: str, left: int) -> None:
            nonlocal finished
            finished += 1
            bar.update(task, completed=finished, total=finished + left, step=step)

        yield advance


@contextmanager
def share_done(what: str) -> Iterator[Callable[[float], None]]:
    """Show a share (0–1): call the yielded function with how much is done."""
    with counting(what, 100) as tick:
        percent = 0

        def report(share: float) -> None:
            nonlocal percent
            while percent < int(100 * share):
                percent += 1
                tick("", 100 - percent)

        yield report
        report(1.0)
