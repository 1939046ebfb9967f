"""`train reproduce`: from what was asked to cells, how long they take, and their training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock

from tracker.whole_files import write_whole
from train.config import FitSpec
from train.finetune.choices import Budget
from train.grid.resume import in_turn, read_begun, read_result
from train.loop.progress import Progress
from train.loop.timing import time_run
from train.reproduce.cells import Task, cell_data, check_same, run_task
from train.reproduce.experiments import Cell, Experiment, experiment_of, known_row, load_set
from train.reproduce.specs import SPECS, fill_classes, row_of
from train.reproduce.starts import start_of
from train.reproduce.table import shown, value_of

EVALUATIONS = 12  # at least, in a training that was shortened
LEAST_STEPS = 10
ENOUGH = 100  # steps of a finished cell that its speed can be told from
SELDOM = 25  # steps between two evaluations, at least


@dataclass(frozen=True, slots=True)
class ReproduceWish:
    """What the user asked for; None or empty: everything there is."""

    experiment: str
    rows: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    seeds: int = 5
    budget: Budget = field(default_factory=Budget)
    device: str = "auto"
    threads: int | None = None
    data: Path | None = None
    out: Path = Path("runs/reproduce")
    start: Path | None = None  # another out, whose finished cells these start from

    @property
    def folder(self) -> Path:
        """Where the cells and the table are."""
        return self.out / self.experiment


def parse_wanted_rows(experiment: Experiment, text: str) -> tuple[str, ...]:
    """'Seq-MT (L),Seq-MT (L+ELT+A)'; ValueError names the rows that exist."""
    return tuple(dict.fromkeys(known_row(experiment, part).name for part in text.split(",")))


def parse_fractions(experiment: Experiment, text: str) -> tuple[float, ...]:
    """'0.01,5%'; ValueError names the shares that the paper has."""
    found = set()
    for part in text.split(","):
        try:
            number = float(part.strip().removesuffix("%"))
        except ValueError:
            number = math.nan
        share = number / 100 if part.strip().endswith("%") else number
        near = [s for s in experiment.shares if math.isclose(s, share)]
        if not near:
            known = ", ".join(f"{s:g}" for s in experiment.shares)
            raise ValueError(
                f"{experiment.name} has no fraction '{part.strip()}'; the paper has {known}"
            )
        found.add(near[0])
    return tuple(sorted(found))


def parse_jobs(text: str) -> int | None:
    """How many trainings at once; None: Ray says. ValueError for anything else."""
    if text.strip().lower() == "ray":
        return None
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"--jobs takes a number from 1 on, or ray; found '{text}'")
    return int(text)


def wanted_cells(wish: ReproduceWish) -> list[Cell]:
    """The cells that the paper has among those asked for: a seed after the other, few labels first.

    ValueError where there is none.
    """
    experiment = experiment_of(wish.experiment)
    cells = [
        Cell(wish.experiment, row, share, seed)
        for seed in range(wish.seeds)
        for share in (wish.shares or experiment.shares)
        for row in (wish.rows or experiment.rows)
        if experiment.has(row, share)
    ]
    if not cells:
        raise ValueError(
            f"the paper has no result of {', '.join(wish.rows)} at "
            f"{', '.join(f'{s:g}' for s in wish.shares)} of the labels; choose other --fractions"
        )
    return cells


def row_spec(wish: ReproduceWish, row: str, seed: int) -> FitSpec:
    """The spec of a row, before any budget. Without A there are no heads that nothing teaches."""
    spec = SPECS[wish.experiment](row_of(row), seed)
    if "A" in row_of(row).terms:
        spec = fill_classes(spec, load_set(wish.experiment, wish.data).fit)
    else:
        spec = replace(spec, heads=())
    threads = spec.threads if wish.threads is None else wish.threads
    return replace(spec, device=wish.device, threads=threads)


def in_steps(spec: FitSpec, steps: int) -> FitSpec:
    """The spec with another number of steps, evaluated often enough to keep the best."""
    return replace(
        spec, steps=steps, warmup=min(spec.warmup, max(1, steps // 10)),
        evaluate_every=min(spec.evaluate_every, max(SELDOM, steps // EVALUATIONS)),
    )  # fmt: skip


def task_of(wish: ReproduceWish, cell: Cell) -> Task:
    """A cell with the settings that it is trained with; measures speed where time is the budget."""
    budget, text = wish.budget, wish.budget.text
    spec = row_spec(wish, cell.row, cell.seed)
    if budget.steps is not None:
        spec = in_steps(spec, budget.steps)
    elif budget.seconds is not None:
        begun = read_begun(wish.out / cell.folder)
        if begun is not None and begun["budget"] == text:  # measured when it was started
            steps = int(begun["spec"]["steps"])
        else:
            step_s, evaluation_s = timing(wish, cell.row)
            looks = EVALUATIONS + (wish.start is not None)  # a start is looked at, too
            steps = int((budget.seconds - looks * evaluation_s) / step_s)
        if steps < LEAST_STEPS:
            raise ValueError(f"{budget.seconds:g} s a cell are too few; give a longer --budget")
        spec = in_steps(spec, steps)
    if wish.start is None:
        return Task(cell, spec, wish.data, wish.out, text)
    start = start_of(wish.start, cell, wish.out)
    return Task(cell, start.further(spec), wish.data, wish.out, text, start)


def timing(wish: ReproduceWish, row: str) -> tuple[float, float]:
    """Seconds of a step and an evaluation of a row here: measured once, kept in timing.json."""
    path = wish.folder / "timing.json"
    spec = row_spec(wish, row, 0)
    key = f"{row}, {spec.net.size} px, batch {spec.batch}, {spec.device}, {spec.threads} threads"
    found = read_timing(path).get(key)
    if found is None:
        experiment = experiment_of(wish.experiment)
        share = next(s for s in experiment.shares if experiment.has(row, s))
        cell = Cell(wish.experiment, row, share, 0)
        data, _ = cell_data(experiment, load_set(wish.experiment, wish.data), cell)
        found = list(time_run(spec, data))
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(wish.folder / "lock"):  # another command may measure another row
            text = json.dumps(read_timing(path) | {key: found}, indent=1)
            write_whole(path, text.encode())
    step_s, evaluation_s = found
    return step_s, evaluation_s


def read_timing(path: Path) -> dict[str, list[float]]:
    """What timing.json holds; nothing where there is none."""
    if not path.is_file():
        return {}
    known: dict[str, list[float]] = json.loads(path.read_text(encoding="utf-8"))
    return known


def open_cells(wish: ReproduceWish, cells: Iterable[Cell]) -> list[Cell]:
    """Those that are not finished."""
    return [c for c in cells if not (wish.out / c.folder / "result.json").is_file()]


def span(seconds: float) -> str:
    """'40 s', '12 min' or '3.5 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plan_tasks(wish: ReproduceWish, cells: Sequence[Cell]) -> list[Task]:
    """What is left to train; ValueError where a cell's folder holds another training."""
    tasks = []
    for cell in cells:
        task = task_of(wish, cell)
        check_same(task)
        if read_result(task.folder) is None:
            tasks.append(task)
    return tasks


def run_here(
    tasks: Sequence[Task],
    say: Callable[[str], None],
    step: Callable[[str, Progress], None],
    done: Callable[[], None],
) -> None:
    """One cell after the other in this process; `done` after each."""

    def work(task: Task, report: Callable[[Progress], None]) -> str:
        result = run_task(task, report)
        if result is None:
            return "another process trains it, left to that"
        done()
        return f"{headline(task.cell, result)}, {span(result['seconds'])}"

    in_turn(tasks, work, say, step)


def headline(cell: Cell, result: dict[str, object]) -> str:
    """The chief number of a result."""
    table = experiment_of(cell.experiment).tables[0]
    ours, theirs = value_of(table, result), table.value(cell.row, cell.share)
    told = "nothing was measured" if ours is None else f"{shown(ours)} {table.unit}"
    return told if theirs is None else f"{told} ({table.number}: {shown(theirs)})"


def finished_rate(wish: ReproduceWish, row: str) -> float | None:
    """Mean seconds a step of a row's finished cells, tests included; None where there are none."""
    folder = (wish.out / Cell(wish.experiment, row, 0, 0).folder).parents[1]
    found = [read_result(p.parent) for p in folder.glob("*/*/result.json")]
    rates = [
        r["seconds"] / (r["steps"] - r["from_step"])
        for r in found
        if r is not None and r["steps"] - r["from_step"] >= ENOUGH
    ]
    return sum(rates) / len(rates) if rates else None


def seconds_of(wish: ReproduceWish, row: str, measure: bool) -> tuple[float | None, str]:
    """(seconds of one cell of a row, how that is known); None unless known or to `measure`."""
    if wish.budget.seconds is not None:
        return wish.budget.seconds, "as asked"
    spec = row_spec(wish, row, 0)
    steps = spec.steps if wish.budget.steps is None else wish.budget.steps
    rate = finished_rate(wish, row)
    if rate is not None:
        return steps * rate, "as those that are finished"
    if not measure:
        return None, ""
    step_s, evaluation_s = timing(wish, row)
    evaluations = steps / in_steps(spec, steps).evaluate_every
    return steps * step_s + evaluations * evaluation_s, "by a few timed steps"


def time_lines(
    wish: ReproduceWish, cells: Sequence[Cell], at_once: int | None = 1, measure: bool = True
) -> Iterator[str]:
    """A line for each row of these cells: what is to be trained and how long; then the sum.

    Rows of which nothing is finished are timed for a few steps, if there is to be a `measure`.
    """
    todo, total = open_cells(wish, cells), 0.0
    for row in dict.fromkeys(c.row for c in cells):
        mine, every = ([c for c in group if c.row == row] for group in (todo, cells))
        shares = ", ".join(f"{100 * s:g}" for s in dict.fromkeys(c.share for c in every))
        seeds = f"{wish.seeds} seeds" if wish.seeds > 1 else "1 seed"
        text = f"{row}: {shares} % of the labels, {seeds}; "
        if mine:
            each, how = seconds_of(wish, row, measure)
            total += math.nan if each is None else each * len(mine)
            text += f"{len(mine)} to train"
            text += "" if each is None else f", {span(each)} each ({how})"
        yield text if mine else text + "all finished"
    yield sum_line(len(todo), len(cells), total, at_once)


def sum_line(todo: int, cells: int, seconds: float, at_once: int | None) -> str:
    """How much there is to train in all, and how long (NaN: not known) it takes."""
    text = f"{todo} training{'s' if todo > 1 else ''}"
    if todo < cells:
        text += f" ({cells - todo} of {cells} are finished)"
    if math.isnan(seconds):
        return text
    text += f", {span(seconds)} in all"
    if at_once is None:
        return text + ", less by as many as Ray runs at once"
    if at_once > 1:
        text += f" one after the other, {span(seconds / at_once)} at best {at_once} at once"
    return text
