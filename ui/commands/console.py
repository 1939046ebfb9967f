"""What Rich draws on a terminal: tables, lines, and bars of what is done and left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment

from tracker.printable import printable

Advance = Callable[[int, int | None], None]


class _Printable(Console):
    """Rich's own, but texts are shown as they are: no markup, nothing a terminal obeys."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


def console(aside: bool = False) -> Console:
    """Where the commands draw: standard output, or `aside` on standard error."""
    return _Printable(stderr=aside, markup=False, emoji=False)


def described() -> TextColumn:
    """What a bar is of. Rich would take [words in brackets] for its markup."""
    return TextColumn("{task.description}", markup=False)


@contextmanager
def bars(shown: bool) -> Iterator[Callable[[str], Advance]]:
    """Inside, `bar(name)` begins a bar and returns what to call with (done, total or None).

    Frames done, frames per second, time left.
    """
    columns = (
        described(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[fps]:.1f} fps"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(aside=True), disable=not shown) as progress:

        def bar(name: str) -> Advance:
            task = progress.add_task(name, total=None, fps=0.0)

            def advance(done: int, total: int | None) -> None:
                elapsed = progress.tasks[task].elapsed or 0.0
                fps = done / elapsed if elapsed > 0 else 0.0
                progress.update(task, completed=done, total=total, fps=fps)

            return advance

        yield bar
