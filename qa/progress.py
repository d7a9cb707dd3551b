"""Progress on the terminal: a bar where somebody looks, a line now and then where nobody does.

Always on stderr.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

EVERY_SECONDS = 10


def progress(items: Sequence[Any], what: str) -> Iterator[Any]:
    """The items one by one, with a bar."""
    with counting(what, len(items)) as tick:
        for i, item in enumerate(items):
            yield item
            tick(getattr(item, "name", ""), len(items) - i - 1)


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[str, int], None]]:
    """Call the yielded function after each step with what was done and how many are left; the total
    may grow on the way.
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
        done, last = 0, time.monotonic()

        def line(step: str, left: int) -> None:
            nonlocal done, last
            done += 1
            if left == 0 or time.monotonic() - last > EVERY_SECONDS:
                last = time.monotonic()
                console.print(f"{what}: {done} of {done + left} ({step})", highlight=False)

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
        done = 0

        def advance(step: str, left: int) -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done, total=done + left, step=step)

        yield advance


@contextmanager
def share_done(what: str) -> Iterator[Callable[[float], None]]:
    """Call the yielded function with how much is done (0–1)."""
    with counting(what, 100) as tick:
        told = 0

        def tell(share: float) -> None:
            nonlocal told
            while told < int(100 * share):
                told += 1
                tick("", 100 - told)

        yield tell
        tell(1.0)
