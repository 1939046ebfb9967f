"""Progress bars on stderr: frames done, frames per second, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ui.commands.words import printable

Advance = Callable[[int, int | None], None]


@contextmanager
def bars(shown: bool) -> Iterator[Callable[[str], Advance]]:
    """Inside, `bar(name)` begins a bar and returns what to call with (done, total or None)."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:.1f} fps"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:

        def bar(name: str) -> Advance:
            task = progress.add_task(printable(name), total=None, fps=0.0)

            def advance(done: int, total: int | None) -> None:
                elapsed = progress.tasks[task].elapsed or 0.0
                fps = done / elapsed if elapsed > 0 else 0.0
                progress.update(task, completed=done, total=total, fps=fps)

            return advance

        yield bar
