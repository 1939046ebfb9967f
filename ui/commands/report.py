"""`train report`: one page on what a run of `train finetune` learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.commands.words import tell, waiting

if TYPE_CHECKING:
    from train.loop.progress import Progress


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A project folder.")],
    run: Annotated[str | None, typer.Option(help="Of models/; default: the newest.")] = None,
    shares: Annotated[str, typer.Option(help="Shares of the labels to train on.")] = "0.1,0.3,1.0",
    rows: Annotated[
        str, typer.Option(help="L: landmarks, A: time ranges, ELT: unlabelled frames.")
    ] = "L,L+A,L+ELT,L+ELT+A",
    budget: Annotated[str, typer.Option(help="Of each training of the curve: 2m or 300it.")] = "2m",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each point.")] = 1,
    no_curve: Annotated[
        bool, typer.Option("--no-curve", help="Train nothing: a report in seconds.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads; default: as the run.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Default: models/RUN/report/.")
    ] = None,
) -> None:
    """Write one HTML page (and PNGs) about a run: errors before and after, worst frames, data.

    The error against the share of labels takes a training a point, rows x shares x seeds; how long
    that is in all is said first. Killed at any moment, the same command goes on. The page is there
    before these trainings begin, and is written again after them.
    """
    from tracker.stop import Stopped
    from train.finetune.choices import parse_budget
    from train.finetune.plan import Hooks
    from train.report.findings import examine, open_run
    from train.report.page import draw_findings, write_report
    from train.report.share_curve import (
        CurveWish,
        known_curve,
        open_cells,
        parse_rows,
        parse_shares,
        run_curve,
    )

    wish = CurveWish(parse_rows(rows), parse_shares(shares), seeds, parse_budget(budget))
    try:
        with counting() as count:
            opened = open_run(folder, run, Hooks(tell, count), threads)
            found = examine(opened, partial(count, "measuring the run before and after"))
        with waiting("drawing the page"):
            cases = draw_findings(found)

        def write_known() -> int:
            """The page with what is known of the curve; how many of its trainings are not."""
            missing = 0 if no_curve else len(open_cells(opened, wish)[0])
            tell(f"wrote {write_report(found, cases, known_curve(opened, (), missing), out)}")
            return missing

        missing = write_known()
        if no_curve:
            return
        try:
            with trainings(missing) as (say, step):
                curve = run_curve(opened, wish, say, step)
        except (Stopped, KeyboardInterrupt):
            write_known()  # with the trainings that were done by now
            raise
        path = write_report(found, cases, curve, out)
        tell(f"wrote {path} with the share curve, and {opened.report / 'curve.csv'}")
    except (Stopped, KeyboardInterrupt) as error:
        tell(f"stopped: 'train report {folder}' with the same options goes on")
        raise typer.Exit(130) from error


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on standard error, one for whatever is counted, with its share; gone when complete."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn

    from ui.commands.console import console, described

    columns = (described(), BarColumn(), TaskProgressColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console(aside=True), transient=True) as bar:

        def count(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done, total=of, visible=done < of)

        yield count


@contextmanager
def trainings(
    count: int = 1,
) -> Iterator[tuple[Callable[[str], None], Callable[[str, Progress], None]]]:
    """(say, step): lines that stay, and a bar for the share of `count` trainings that is done."""
    from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from ui.commands.console import console, described

    columns = (described(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def say(text: str) -> None:
            bar.console.print(text, highlight=False, soft_wrap=True)

        begun: list[str] = []  # the trainings, in order

        def step(name: str, p: Progress) -> None:
            if name not in begun:
                begun.append(name)
            done = begun.index(name) + p.step / max(p.steps, 1)
            of = max(count, len(begun))
            bar.update(task, description=f"{name}, loss {p.loss:.3f}", completed=done, total=of)

        yield say, step
