"""`train reproduce`: the tables of the paper that the method comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.report import trainings
from ui.commands.words import tell

if TYPE_CHECKING:
    from train.reproduce.cells import Task
    from train.reproduce.tasks import ReproduceWish


def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="shapes, blocks, hgr1, multipie, 300w, aflw, mtfl or faces68."
        ),
    ],
    rows: Annotated[
        str, typer.Option(help='As the paper names them: "Seq-MT (L),Seq-MT (L+ELT+A)".')
    ] = "",
    fractions: Annotated[
        str, typer.Option(help="Shares of images with landmark labels: 0.05,0.2 or 5%,20%.")
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each entry.")] = 5,
    budget: Annotated[
        str, typer.Option(help="Of each training: 300it or 20m; default: the experiment's own.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of a training.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set, where it is not generated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/reproduce"),
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Another --out: start with the weights trained there."),
    ] = None,
    jobs: Annotated[
        str, typer.Option(help="Trainings at once: a number, or ray (extra 'ray').")
    ] = "1",
    all_cells: Annotated[
        bool, typer.Option("--all-cells", help="Every entry of the paper's table.")
    ] = False,
) -> None:
    """Train entries of the paper's tables and print ours beside the paper's.

    Each entry is kept in a folder of its own, so the same command goes on after any kill; what is
    finished is not trained again. Without --rows, --fractions or --all-cells it only tells what
    there is and how long it takes here.
    """
    from train.finetune.choices import Budget, parse_budget
    from train.reproduce.experiments import experiment_of, load_set
    from train.reproduce.tasks import (
        ReproduceWish,
        parse_fractions,
        parse_jobs,
        parse_wanted_rows,
        plan_tasks,
        time_lines,
        wanted_cells,
    )

    experiment = experiment_of(name)
    wish = ReproduceWish(
        name, parse_wanted_rows(experiment, rows) if rows else (),
        parse_fractions(experiment, fractions) if fractions else (), seeds,
        parse_budget(budget) if budget else Budget(), device, threads, data, out, start,
    )  # fmt: skip
    at_once = parse_jobs(jobs)
    cells = wanted_cells(wish)
    load_set(name, data)  # what is missing is said first
    chosen = bool(all_cells or rows or fractions)
    tasks = plan_tasks(wish, cells) if chosen else []
    if tasks or not chosen:
        for line in time_lines(wish, cells, at_once, all_cells or not chosen):
            tell(line)
    if not chosen:
        tell("choose with --rows and --fractions, or take --all-cells")
        return
    for task in tasks:
        if task.start is not None:
            tell(f"{task.cell.name}: {task.start.words}")
    train_all(wish, tasks, at_once)
    show_results(wish)


def train_all(wish: ReproduceWish, tasks: Sequence[Task], at_once: int | None) -> None:
    """Train what is left, here, in processes or (None) by Ray; results.csv grows cell by cell."""
    from tracker.stop import Stopped
    from train.reproduce.cells import run_task
    from train.reproduce.table import write_results
    from train.reproduce.tasks import run_here

    def done() -> None:
        write_results(wish.folder, wish.experiment)

    try:
        if at_once == 1 or (at_once is not None and len(tasks) < 2):
            with trainings(len(tasks)) as (say, step):
                run_here(tasks, say, step, done)
        elif at_once is None:
            from train.grid.by_ray import run_by_ray

            run_by_ray(tasks, run_task, tell, done)
        else:
            from train.grid.processes import run_in_processes

            run_in_processes(tasks, run_task, at_once, tell, done)
    except (Stopped, KeyboardInterrupt) as error:
        tell("stopped: the same command goes on from the last checkpoints")
        raise typer.Exit(130) from error


def show_results(wish: ReproduceWish) -> None:
    """Print the tables so far, and draw them."""
    from train.reproduce.plots import draw_all
    from train.reproduce.table import write_results

    results, text = write_results(wish.folder, wish.experiment)
    if not results:
        tell("no training is finished yet")
        return
    tell(text)
    drawn = draw_all(wish, results)
    files = ", ".join(p.name for p in drawn)
    tell(f"wrote {wish.folder}: results.csv, table.txt, {files}")
